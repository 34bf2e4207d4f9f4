//! The counts of one room.
//!
//! Accepted messages count (`m.room.message`, `m.room.encrypted`, `m.sticker`) unless they are
//! edits or redacted; late ones count too. They count for a joined reader if they arrived after the
//! reader's join, after their read receipt, and after their own last message or edit. The reader
//! may see all of them, because the reader was joined when they arrived.
//!
//! A missed call counts for its callee, as a message that names them.
//!
//! A highlight is a counted message that names the reader. It names users in `m.mentions`. Without
//! `m.mentions` it names them in its text, by user name or by display name. It can also name
//! everybody, if its sender may do that. Its last edit decides: an edit that no longer names a user
//! removes the highlight, and an edit that newly names a user adds one if they have not read the
//! message yet.
//!
//! **Invariant:** the cost of a message does not depend on the number of members.
//! **Invariant:** sequences come in order of arrival, so every list is in order.
//! **Invariant:** after content is erased, the rows are those of a log that never had it. Names
//! from erased member events and permissions from erased power levels are forgotten with it.

use std::collections::BTreeMap;

use rookery_domain::{
    Erased, EventStatus, IgnoredUsers, Membership, OwnedUserId, Pdu, RoomEvent, StateChange,
    TimelineEventType, UserId,
};
use rookery_log::StreamKind;
use rookery_text::{Names, calls_everybody, phrase};
use serde::{Deserialize, Serialize};

use super::{
    counted::{CountedMessages, EventPlace, after, put_in, sender_hash, take_out},
    levels::Levels,
    message::{Mentions, Message},
    missed::MissedCalls,
    versions::{Change, Named, Versions},
};
use crate::{
    Committed,
    commits::Content,
    models::{Fold, StreamKey, Unfit},
};

/// The unread counts of a reader in a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    /// The unread messages.
    pub count: u64,
    /// Those of them that name the reader.
    pub highlights: u64,
}

/// A joined member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Reader {
    /// The member event that holds the slot: the position of its commit, and its index there.
    position: u64,
    index: u16,
    /// The number of words of the display name, and the phrase that they form.
    name_words: u8,
    name_phrase: u64,
    joined: u64,
    last_sent: u64,
    highlights: Vec<u64>,
}

impl Reader {
    fn place(&self) -> EventPlace {
        (self.position, self.index)
    }

    fn hold(&mut self, place: EventPlace) {
        (self.position, self.index) = place;
    }

    /// The display name.
    fn name(&self) -> Option<(u64, u8)> {
        (self.name_words > 0).then_some((self.name_phrase, self.name_words))
    }

    fn rename(&mut self, name: Option<(u64, u8)>) {
        (self.name_phrase, self.name_words) = name.unwrap_or_default();
    }
}

/// The counted messages of one room, and its members.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct RoomUnread {
    said: CountedMessages,
    /// Messages that name everybody.
    to_all: Vec<u64>,
    /// The users that messages name.
    versions: Versions,
    members: BTreeMap<OwnedUserId, Box<Reader>>,
    levels: Levels,
    calls: MissedCalls,
    #[serde(skip)]
    names: Option<Names>,
}

impl Fold for RoomUnread {
    const NAME: &'static str = "unread";
    const VERSION: u32 = 4;
    const KIND: StreamKind = StreamKind::Room;
    type Shared = ();

    fn forget(&mut self, erased: &Erased) {
        self.erase(erased);
    }

    fn apply(&mut self, _: StreamKey, committed: &Committed, (): &mut ()) -> Result<(), Unfit> {
        for (index, event) in committed.room_events() {
            let sequence = committed.sequence(index);
            let here = (committed.position.0, u16::try_from(index).unwrap_or(u16::MAX));
            // This includes the changes of a soft-failed event, which is not shown.
            for change in event.state_changes() {
                self.state(&change, here, sequence);
            }
            // So can such an event end a call.
            self.calls.apply(event, here, sequence);
            if event.envelope.status != EventStatus::Accepted {
                continue;
            }
            let is_past = event.envelope.past.is_some();
            if !is_past && event.pdu.state_key.is_none() && is_message(&event.pdu) {
                self.message(event, here, sequence);
            }
            for erased in &event.envelope.erases {
                self.erase(erased);
            }
        }
        Ok(())
    }
}

fn is_message(pdu: &Pdu) -> bool {
    use TimelineEventType::{RoomEncrypted, RoomMessage, Sticker};
    matches!(pdu.kind, RoomMessage | RoomEncrypted | Sticker)
}

impl RoomUnread {
    /// The unread counts of `user`, whose read receipt is at the event with this sequence, without
    /// messages of users whom they ignore.
    pub(crate) fn of(&self, user: &UserId, read: u64, ignored: &IgnoredUsers) -> Unread {
        let Some(reader) = self.members.get(user) else { return Unread::default() };
        let read = read.max(reader.joined).max(reader.last_sent);
        let mut count = self.said.after(read);
        let lists = [&reader.highlights, &self.to_all];
        let mut highlights = lists.iter().map(|list| after(list, read)).sum::<usize>();
        let mut ignored: Vec<_> = ignored.iter().map(sender_hash).collect();
        ignored.sort_unstable();
        let calls = self.calls.after(user, read, &ignored);
        if !ignored.is_empty() && count > 0 {
            count -= self.said.after_of(read, &ignored);
            let later = lists.iter().flat_map(|list| &list[list.len() - after(list, read)..]);
            highlights -= later.filter(|sequence| self.said.is_of(**sequence, &ignored)).count();
        }
        Unread { count: (count + calls) as u64, highlights: (highlights + calls) as u64 }
    }

    fn state(&mut self, change: &StateChange<'_>, here: EventPlace, sequence: u64) {
        let holder = change.holder.map(|holder| {
            let place =
                holder.place.map_or(here, |place| (place.position.unwrap_or(here.0), place.index));
            (&**holder.pdu, place)
        });
        match (&*change.kind, change.state_key) {
            ("m.room.member", user) => {
                let Ok(user) = <&UserId>::try_from(user) else { return };
                self.member(user, holder, sequence);
            }
            ("m.room.power_levels", "") => self.levels.set(holder),
            ("m.room.create", "") => {
                if let Some((pdu, _)) = holder {
                    self.levels.created(pdu);
                }
            }
            _ => {}
        }
    }

    fn member(&mut self, user: &UserId, event: Option<(&Pdu, EventPlace)>, sequence: u64) {
        let joined = event.filter(|(event, _)| Membership::of(event) == Membership::Join);
        let Some((event, place)) = joined else {
            self.rename(user, None);
            self.members.remove(user);
            return;
        };
        let name = Content::of(event).text("displayname").and_then(phrase);
        if let Some(reader) = self.members.get_mut(user) {
            reader.hold(place);
            self.rename(user, Some(name));
            return;
        }
        let mut reader = Reader { joined: sequence, ..Reader::default() };
        reader.hold(place);
        reader.rename(name);
        self.members.insert(user.to_owned(), Box::new(reader));
        if let Some(names) = &mut self.names {
            names.add(user, name);
        }
    }

    /// Updates a member's display name; `None` removes the member.
    #[expect(
        clippy::option_option,
        reason = "whether the user is a member, and their display name, are two questions"
    )]
    fn rename(&mut self, user: &UserId, name: Option<Option<(u64, u8)>>) {
        let Some(reader) = self.members.get_mut(user) else { return };
        if let Some(names) = &mut self.names {
            names.remove(user, reader.name());
            if let Some(name) = name {
                names.add(user, name);
            }
        }
        reader.rename(name.flatten());
    }

    fn message(&mut self, event: &RoomEvent, here: EventPlace, sequence: u64) {
        let sender = &*event.pdu.sender;
        // Whether the message counts or not: its sender has read the room up to it.
        if let Some(reader) = self.members.get_mut(sender) {
            reader.last_sent = sequence;
        }
        let message = Message::of(&event.pdu);
        if message.says_nothing() {
            return;
        }
        if message.is_edit() {
            let edited = event.envelope.edits.filter(|edited| self.said.has(*edited));
            if let Some(edited) = edited {
                let content = message.new_content();
                let named = self.named_by(content.words(), sender);
                let change = self.versions.put(edited, here, named);
                self.highlight(edited, change);
            }
            return;
        }
        self.said.push(sequence, here, sender_hash(sender));
        let named = self.named_by(message.words(), sender);
        let change = self.versions.put(sequence, here, named);
        self.highlight(sequence, change);
    }

    /// The users that a text of `sender` names.
    fn named_by(&mut self, (body, mentions): (&str, Option<&Mentions>), sender: &UserId) -> Named {
        let all = mentions.map_or_else(|| calls_everybody(body), |mentions| mentions.room);
        if all && self.levels.may_notify(sender) {
            return Named { all, users: Vec::new() };
        }
        let mut users: Vec<OwnedUserId> = match mentions {
            Some(mentions) => mentions.users().collect(),
            None if body.is_empty() => Vec::new(),
            None => {
                let members = &self.members;
                let names = self.names.get_or_insert_with(|| {
                    let mut names = Names::default();
                    for (user, reader) in members {
                        names.add(user, reader.name());
                    }
                    names
                });
                names.named_in(body).into_iter().map(ToOwned::to_owned).collect()
            }
        };
        users.retain(|user| user != sender);
        users.sort_unstable();
        users.dedup();
        Named { all: false, users }
    }

    /// Updates the highlights of a message after a change of its text.
    fn highlight(&mut self, sequence: u64, Change { before, after }: Change) {
        match (before.all, after.all) {
            (true, false) => take_out(&mut self.to_all, sequence),
            (false, true) => put_in(&mut self.to_all, sequence),
            _ => {}
        }
        for user in before.users.iter().filter(|user| !after.users.contains(user)) {
            if let Some(reader) = self.members.get_mut(user) {
                take_out(&mut reader.highlights, sequence);
            }
        }
        for user in after.users.iter().filter(|user| !before.users.contains(user)) {
            if let Some(reader) = self.members.get_mut(user)
                && reader.joined < sequence
            {
                put_in(&mut reader.highlights, sequence);
            }
        }
    }

    /// Forgets the content of an event.
    fn erase(&mut self, erased: &Erased) {
        let place = (erased.position, erased.index);
        self.calls.erase(erased);
        if let Some(sequence) = self.said.remove(place) {
            let change = self.versions.remove(sequence);
            self.highlight(sequence, change);
        } else if let Some((sequence, change)) = self.versions.take(place) {
            self.highlight(sequence, change);
        }
        let slot = erased.slot.as_ref().map(|slot| (&*slot.kind, &*slot.state_key));
        match slot {
            Some(("m.room.member", user)) => {
                let Ok(user) = <&UserId>::try_from(user) else { return };
                // This includes users who left: an erased name names nobody.
                self.versions.forget(user);
                let Some(reader) = self.members.get_mut(user) else { return };
                reader.highlights.clear();
                if reader.place() == place {
                    self.rename(user, Some(None));
                }
            }
            Some(("m.room.power_levels", "")) => {
                self.to_all.clear();
                self.members.values_mut().for_each(|reader| reader.highlights.clear());
                self.versions.clear();
                self.levels.erased(place);
            }
            _ => {}
        }
    }
}
