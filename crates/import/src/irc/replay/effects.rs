//! The effects of a line, given the members of the room.
//!
//! **Invariant:** implied steps come before the step that they make true.

use std::{mem, sync::Arc};

use rookery_log::{CommandId, Millis};

use super::{OpenFile, Replay, Room, people::UserIndex};
use crate::{
    Category, Command, LineSteps, MessageKind, Step,
    irc::line::{Line, nick::Nick},
};

/// A line during its conversion into steps.
pub(super) struct Effects<'a> {
    pub(super) replay: &'a mut Replay,
    pub(super) file: &'a mut OpenFile,
    pub(super) number: u64,
    /// The name of the line.
    pub(super) name: CommandId,
    /// The time, once an event has happened.
    pub(super) at: Option<Millis>,
    pub(super) steps: Vec<Step>,
}

impl Effects<'_> {
    /// The steps so far.
    pub(super) fn finish(&mut self) -> LineSteps {
        let steps = mem::take(&mut self.steps);
        LineSteps { file: self.file.name.clone(), line: self.number, steps }
    }

    /// Returns the category, unless the line was counted already.
    pub(super) fn make(&mut self, what: Line<'_>) -> Option<Category> {
        Some(match what {
            Line::Message { nick, text } => self.send(&nick, MessageKind::Text, text),
            Line::Emote { nick, text } => self.send(&nick, MessageKind::Emote, text),
            Line::Notice { nick, text } => self.send(&nick, MessageKind::Notice, text),
            Line::Joined { nick } => self.join(&nick),
            Line::Left { nick, reason } => self.leave(&nick, reason),
            Line::Kicked { nick, by, reason } => self.kick(&nick, &by, reason),
            Line::Renamed { from, to } => self.rename(&from, &to),
            Line::Topic { topic } => self.set_topic(topic),
            Line::Day { .. } | Line::Aside(_) => Category::Aside,
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
        let (room, user) = (self.file.room.clone(), self.localpart(user));
        self.own(Command::Send { room, user, kind, body: text.to_owned() });
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
        let (room, user) = (self.file.room.clone(), self.localpart(user));
        self.own(Command::Join { room, user });
        Category::Join
    }

    fn leave(&mut self, nick: &Nick, reason: Option<&str>) -> Category {
        let Some(user) = self.goes(nick) else {
            return Category::AlreadySo;
        };
        let reason = reason.map(ToOwned::to_owned);
        self.own(Command::Leave { room: self.file.room.clone(), user, reason });
        Category::Leave
    }

    fn kick(&mut self, nick: &Nick, by: &Nick, reason: Option<&str>) -> Category {
        let Some(user) = self.goes(nick) else {
            return Category::AlreadySo;
        };
        let reason = match reason {
            Some(reason) => format!("kicked by {by}: {reason}"),
            None => format!("kicked by {by}"),
        };
        self.own(Command::Kick { room: self.file.room.clone(), user, reason });
        Category::Kick
    }

    fn rename(&mut self, from: &Nick, to: &Nick) -> Category {
        let user = self.present(from);
        let displaced = self.replay.people.give(user, to);
        if let Some(displaced) = displaced.filter(|gone| self.room().members.remove(gone)) {
            self.replay.summary.implied.leaves += 1;
            let (room, user) = (self.file.room.clone(), self.localpart(displaced));
            self.implied(Command::Leave { room, user, reason: None });
        }
        if self.replay.people.user(user).displayname == to.as_str() {
            return Category::AlreadySo;
        }
        self.replay.people.set_displayname(user, to);
        if let Some(rename) = self.renaming(user, to) {
            self.own(rename);
        }
        Category::Rename
    }

    fn set_topic(&mut self, topic: &str) -> Category {
        let topic = topic.to_owned();
        let known = self.room().topic.replace(topic.clone());
        if known.unwrap_or_default() == topic {
            return Category::AlreadySo;
        }
        self.own(Command::SetTopic { room: self.file.room.clone(), topic });
        Category::Topic
    }

    /// The user with `nick`, created and renamed if necessary.
    fn named(&mut self, nick: &Nick) -> UserIndex {
        let (user, is_new) = self.replay.people.find_or_add(nick);
        let (localpart, displayname) = (self.localpart(user), nick.to_string());
        let is_mapped = self.replay.people.user(user).is_mapped();
        if is_new && !is_mapped {
            self.replay.summary.implied.users += 1;
            self.implied(Command::RegisterUser { user: localpart, displayname });
        } else if self.replay.people.user(user).displayname != displayname {
            self.replay.people.set_displayname(user, nick);
            if let Some(rename) = self.renaming(user, nick) {
                self.replay.summary.implied.renames += 1;
                self.implied(rename);
            }
        }
        user
    }

    /// The command that gives a user another name; `None` for users with accounts, who name themselves.
    fn renaming(&self, user: UserIndex, nick: &Nick) -> Option<Command> {
        if self.replay.people.user(user).is_mapped() {
            return None;
        }
        let rooms = self.replay.rooms.iter();
        let mut rooms: Vec<_> = rooms
            .filter(|(_, room)| room.members.contains(&user))
            .map(|(key, _)| key.clone())
            .collect();
        rooms.sort_unstable();
        Some(Command::Rename { user: self.localpart(user), displayname: nick.to_string(), rooms })
    }

    /// The user with `nick`, joined if necessary.
    fn present(&mut self, nick: &Nick) -> UserIndex {
        let user = self.named(nick);
        if self.room().members.insert(user) {
            self.replay.summary.implied.joins += 1;
            let (room, user) = (self.file.room.clone(), self.localpart(user));
            self.implied(Command::Join { room, user });
        }
        user
    }

    /// Removes the user with `nick` from the room, if the user is there.
    fn goes(&mut self, nick: &Nick) -> Option<Arc<str>> {
        let user = self.replay.people.find(nick)?;
        let was_there = self.replay.rooms.get_mut(&self.file.room)?.members.remove(&user);
        self.replay.people.take_nick(user);
        was_there.then(|| self.localpart(user))
    }

    fn localpart(&self, user: UserIndex) -> Arc<str> {
        self.replay.people.user(user).localpart.clone()
    }

    /// The room of the file, created if necessary.
    fn room(&mut self) -> &mut Room {
        let room = self.file.room.clone();
        if !self.replay.rooms.contains_key(&room) {
            self.replay.summary.implied.rooms += 1;
            let channel = &self.file.channel;
            let (name, network) = (channel.name.clone(), channel.network.clone());
            let aliases = channel.aliases();
            self.implied(Command::CreateRoom { room: room.clone(), name, network, aliases });
        }
        self.replay.rooms.entry(room).or_default()
    }

    /// The step of the line itself.
    fn own(&mut self, command: Command) {
        self.push(self.name, command);
    }

    fn implied(&mut self, command: Command) {
        let (label, subject) = match &command {
            Command::CreateRoom { room, .. } => return self.push(room_command(room), command),
            Command::RegisterUser { user, .. } => {
                let id = CommandId::derive(&[b"irc user", user.as_bytes()]);
                return self.push(id, command);
            }
            Command::Rename { user, .. } => ("rename", user),
            Command::Join { user, .. } => ("join", user),
            Command::Leave { user, .. } | Command::Kick { user, .. } => ("leave", user),
            Command::SetTopic { room, .. } | Command::Send { room, .. } => ("other", room),
        };
        let id = CommandId::derive(&[&self.name.0, label.as_bytes(), subject.as_bytes()]);
        self.push(id, command);
    }

    fn push(&mut self, id: CommandId, command: Command) {
        let clock = &mut self.file.clock;
        let at = *self.at.get_or_insert_with(|| Millis(clock.tick()));
        self.steps.push(Step { id, at, command });
    }
}

/// The name of the command that creates the room of this key.
#[must_use]
pub(crate) fn room_command(room: &str) -> CommandId {
    CommandId::derive(&[b"irc room", room.as_bytes()])
}
