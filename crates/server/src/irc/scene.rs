//! What a line makes happen, given who is there.
//!
//! **Invariant:** implied steps come before the step that they make true.

use std::sync::Arc;

use rookery_log::{CommandId, Millis};

use super::{
    Category, Command, MessageKind, Step,
    line::Line,
    nick::Nick,
    people::UserIndex,
    replay::{OpenFile, Replay, Room},
    text::without_formatting,
};

/// A line on its way into steps.
pub(super) struct Scene<'a> {
    pub(super) replay: &'a mut Replay,
    pub(super) file: &'a mut OpenFile,
    pub(super) number: u64,
    pub(super) bytes: &'a [u8],
    pub(super) steps: &'a mut Vec<Step>,
}

impl Scene<'_> {
    /// Gives the category, unless the line was counted already.
    pub(super) fn play(&mut self, what: Line<'_>) -> Option<Category> {
        Some(match what {
            Line::Message { nick, text } => self.send(&nick, MessageKind::Text, text),
            Line::Emote { nick, text } => self.send(&nick, MessageKind::Emote, text),
            Line::Notice { nick, text } => self.send(&nick, MessageKind::Notice, text),
            Line::Joined { nick } => self.join(&nick),
            Line::Left { nick, reason } => self.leave(&nick, reason),
            Line::Kicked { nick, by, reason } => self.kick(&nick, &by, reason),
            Line::Renamed { from, to } => self.rename(&from, &to),
            Line::Topic { topic } => self.set_topic(topic),
            Line::Aside(_) => Category::Aside,
            Line::Empty => Category::Empty,
            Line::Unreadable(reason) => {
                let (file, reason) = (self.file.name.clone(), reason.to_string());
                self.replay.summary.add_unreadable(file, self.number, reason);
                return None;
            }
        })
    }

    fn send(&mut self, nick: &Nick, kind: MessageKind, text: &str) -> Category {
        let user = self.present(nick);
        let (channel, user) = (self.file.channel.clone(), self.localpart(user));
        let body = without_formatting(text).into_owned();
        self.own(Command::Send { channel, user, kind, body });
        match kind {
            MessageKind::Text => Category::Message,
            MessageKind::Emote => Category::Emote,
            MessageKind::Notice => Category::Notice,
        }
    }

    fn join(&mut self, nick: &Nick) -> Category {
        let user = self.named(nick);
        if !self.room().members.insert(user) {
            return Category::AlreadySo;
        }
        let (channel, user) = (self.file.channel.clone(), self.localpart(user));
        self.own(Command::Join { channel, user });
        Category::Join
    }

    fn leave(&mut self, nick: &Nick, reason: Option<&str>) -> Category {
        let Some(user) = self.goes(nick) else {
            return Category::AlreadySo;
        };
        let reason = reason.map(|reason| without_formatting(reason).into_owned());
        self.own(Command::Leave { channel: self.file.channel.clone(), user, reason });
        Category::Leave
    }

    fn kick(&mut self, nick: &Nick, by: &Nick, reason: Option<&str>) -> Category {
        let Some(user) = self.goes(nick) else {
            return Category::AlreadySo;
        };
        let reason = match reason {
            Some(reason) => format!("kicked by {by}: {}", without_formatting(reason)),
            None => format!("kicked by {by}"),
        };
        self.own(Command::Kick { channel: self.file.channel.clone(), user, reason });
        Category::Kick
    }

    fn rename(&mut self, from: &Nick, to: &Nick) -> Category {
        let user = self.present(from);
        let displaced = self.replay.people.give(user, to);
        if let Some(displaced) = displaced.filter(|gone| self.room().members.remove(gone)) {
            self.replay.summary.implied.leaves += 1;
            let (channel, user) = (self.file.channel.clone(), self.localpart(displaced));
            self.implied(Command::Leave { channel, user, reason: None });
        }
        if self.replay.people.user(user).displayname == to.as_str() {
            return Category::AlreadySo;
        }
        self.replay.people.set_displayname(user, to);
        self.own(Command::Rename { user: self.localpart(user), displayname: to.to_string() });
        Category::Rename
    }

    fn set_topic(&mut self, topic: &str) -> Category {
        let topic = without_formatting(topic).into_owned();
        let known = self.room().topic.replace(topic.clone());
        if known.unwrap_or_default() == topic {
            return Category::AlreadySo;
        }
        self.own(Command::SetTopic { channel: self.file.channel.clone(), topic });
        Category::Topic
    }

    /// The user who bears `nick`, made and renamed if need be.
    fn named(&mut self, nick: &Nick) -> UserIndex {
        let (user, is_new) = self.replay.people.find_or_add(nick);
        let (localpart, displayname) = (self.localpart(user), nick.to_string());
        if is_new {
            self.replay.summary.implied.users += 1;
            self.implied(Command::RegisterUser { user: localpart, displayname });
        } else if self.replay.people.user(user).displayname != displayname {
            self.replay.people.set_displayname(user, nick);
            self.replay.summary.implied.renames += 1;
            self.implied(Command::Rename { user: localpart, displayname });
        }
        user
    }

    /// The user who bears `nick`, joined if need be.
    fn present(&mut self, nick: &Nick) -> UserIndex {
        let user = self.named(nick);
        if self.room().members.insert(user) {
            self.replay.summary.implied.joins += 1;
            let (channel, user) = (self.file.channel.clone(), self.localpart(user));
            self.implied(Command::Join { channel, user });
        }
        user
    }

    /// Takes who bears `nick` out of the room, if she is there.
    fn goes(&mut self, nick: &Nick) -> Option<Arc<str>> {
        let user = self.replay.people.find(nick)?;
        let was_there = self.replay.rooms.get_mut(&self.file.channel)?.members.remove(&user);
        self.replay.people.take_nick(user);
        was_there.then(|| self.localpart(user))
    }

    fn localpart(&self, user: UserIndex) -> Arc<str> {
        self.replay.people.user(user).localpart.clone()
    }

    /// The room of the file, made if need be.
    fn room(&mut self) -> &mut Room {
        let channel = self.file.channel.clone();
        if !self.replay.rooms.contains_key(&channel) {
            self.replay.summary.implied.rooms += 1;
            let alias = channel.strip_prefix('#').unwrap_or(&channel).to_owned();
            self.implied(Command::CreateRoom { channel: channel.clone(), alias });
        }
        self.replay.rooms.entry(channel).or_default()
    }

    fn own(&mut self, command: Command) {
        self.push(&[], command);
    }

    fn implied(&mut self, command: Command) {
        let (label, subject) = match &command {
            Command::CreateRoom { channel, .. } => {
                let id = CommandId::derive(&[b"irc room", channel.as_bytes()]);
                return self.push_as(id, command);
            }
            Command::RegisterUser { user, .. } => {
                let id = CommandId::derive(&[b"irc user", user.as_bytes()]);
                return self.push_as(id, command);
            }
            Command::Rename { user, .. } => ("rename", user.clone()),
            Command::Join { user, .. } => ("join", user.clone()),
            Command::Leave { user, .. } | Command::Kick { user, .. } => ("leave", user.clone()),
            Command::SetTopic { .. } | Command::Send { .. } => unreachable!("never implied"),
        };
        self.push(&[label.as_bytes(), subject.as_bytes()], command);
    }

    fn push(&mut self, suffix: &[&[u8]], command: Command) {
        let number = self.number.to_le_bytes();
        let mut parts = vec![&b"irc line"[..], self.file.identity.as_bytes(), &number, self.bytes];
        parts.extend(suffix);
        let id = CommandId::derive(&parts);
        self.push_as(id, command);
    }

    fn push_as(&mut self, id: CommandId, command: Command) {
        let at = Millis(self.file.clock.tick());
        self.steps.push(Step { id, file: self.file.name.clone(), line: self.number, at, command });
    }
}
