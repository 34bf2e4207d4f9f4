//! One room's share of the counts.
//!
//! What counts: messages (`m.room.message`, `m.room.encrypted`, `m.sticker`) that were accepted, are
//! not edits and are not redacted; late ones too. They count for a reader who has joined, if they
//! arrived after she joined, after the event up to which she has read, and after the last message
//! (or edit) of her own. She may see all of them: she was joined when they came.
//!
//! A highlight is a message that counts and names her: in `m.mentions`; or, if it has none, in its
//! text, by user name or by the name that the room shows; or everybody, by a sender who may do that.
//!
//! **Invariant:** a message costs the same however many members the room has.
//! **Invariant:** numbers come in order of arrival, so every list is in order.
//! **Invariant:** once content is erased, the rows are those of a log that never had it. What
//! followed from the content of a member event (whom a text names) or of the power levels (who may
//! call everybody) is forgotten with it.

use std::{borrow::Cow, collections::BTreeMap};

use rookery_domain::{
    Erased, EventStatus, Membership, OwnedUserId, Pdu, StateChange, TimelineEventType, UserId,
};
use rookery_log::{Position, StreamKind};
use serde::{Deserialize, Serialize};

use super::{
    levels::Levels,
    message::Message,
    names::Names,
    said::{Place, Said, after, take_out},
    text::{calls_everybody, phrase},
};
use crate::{
    Committed,
    content::Content,
    models::{Fold, StreamKey, Unfit},
};

/// What a reader has not read of a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    /// Messages.
    pub count: u64,
    /// Those of them that name the reader.
    pub highlights: u64,
}

/// A member who has joined.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Reader {
    /// The member event that holds.
    place: Place,
    joined: u32,
    last_sent: u32,
    /// The name that the room shows.
    name: Option<(u64, u8)>,
    highlights: Vec<u32>,
}

/// The messages that count in one room, and its members.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct RoomUnread {
    said: Said,
    /// Messages that name everybody.
    to_all: Vec<u32>,
    members: BTreeMap<OwnedUserId, Box<Reader>>,
    levels: Levels,
    #[serde(skip)]
    names: Option<Names>,
}

impl Fold for RoomUnread {
    const NAME: &'static str = "unread";
    const VERSION: u32 = 1;
    const KIND: StreamKind = StreamKind::Room;
    type Shared = ();

    fn forget(&mut self, erased: &Erased) {
        self.erase(erased);
    }

    fn apply(&mut self, _: StreamKey, committed: &Committed, (): &mut ()) -> Result<(), Unfit> {
        let short = |position: Position| u32::try_from(position.0);
        let last = u32::try_from(committed.last_sequence());
        let (Ok(position), Ok(_)) = (short(committed.position), last) else {
            return Err(Unfit::new("the log has grown beyond what this version counts"));
        };
        for (index, event) in committed.room_events() {
            let sequence = u32::try_from(committed.sequence(index)).unwrap_or(u32::MAX);
            let here = (position, u16::try_from(index).unwrap_or(u16::MAX));
            // Also of an event that soft-failed, which is shown to nobody.
            for change in event.state_changes() {
                self.state(&change, here, sequence);
            }
            if event.envelope.status != EventStatus::Accepted {
                continue;
            }
            if event.pdu.state_key.is_none() && is_message(&event.pdu) {
                self.message(&event.pdu, here, sequence);
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
    /// What `user`, who has read up to the event of this number, has not read.
    pub(crate) fn of(&self, user: &UserId, read: u64) -> Unread {
        let Some(reader) = self.members.get(user) else { return Unread::default() };
        let read = u32::try_from(read).unwrap_or(u32::MAX);
        let read = read.max(reader.joined).max(reader.last_sent);
        Unread {
            count: self.said.after(read) as u64,
            highlights: (after(&reader.highlights, read) + after(&self.to_all, read)) as u64,
        }
    }

    fn state(&mut self, change: &StateChange<'_>, here: Place, sequence: u32) {
        let holder = change.holder.map(|holder| {
            let place = holder.place.map_or(here, |place| {
                let position = place.position.map_or(Ok(here.0), u32::try_from);
                (position.unwrap_or(u32::MAX), place.index)
            });
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

    fn member(&mut self, user: &UserId, event: Option<(&Pdu, Place)>, sequence: u32) {
        let joined = event.filter(|(event, _)| Membership::of(event) == Membership::Join);
        let Some((event, place)) = joined else {
            self.rename(user, None);
            self.members.remove(user);
            return;
        };
        let name = Content::of(event).text("displayname").and_then(phrase);
        if let Some(reader) = self.members.get_mut(user) {
            reader.place = place;
            self.rename(user, Some(name));
            return;
        }
        let reader = Reader { place, joined: sequence, name, ..Reader::default() };
        self.members.insert(user.to_owned(), Box::new(reader));
        if let Some(names) = &mut self.names {
            names.add(user, name);
        }
    }

    /// A member is called otherwise from now on; nothing, if she is a member no more.
    #[expect(clippy::option_option, reason = "whether she is called, and what, are two questions")]
    fn rename(&mut self, user: &UserId, name: Option<Option<(u64, u8)>>) {
        let Some(reader) = self.members.get_mut(user) else { return };
        if let Some(names) = &mut self.names {
            names.remove(user, reader.name);
            if let Some(name) = name {
                names.add(user, name);
            }
        }
        reader.name = name.flatten();
    }

    fn message(&mut self, pdu: &Pdu, here: Place, sequence: u32) {
        // Whether it counts or not, and whatever becomes of it: who writes has read.
        if let Some(reader) = self.members.get_mut(&pdu.sender) {
            reader.last_sent = sequence;
        }
        let message = Message::of(pdu);
        if message.says_nothing() || message.is_edit() {
            return;
        }
        self.said.push(sequence, here);
        self.highlight(&message, &pdu.sender, sequence);
    }

    fn highlight(&mut self, message: &Message<'_>, sender: &UserId, sequence: u32) {
        let body = message.body();
        let mentions = message.mentions();
        let all = mentions.map_or_else(|| calls_everybody(body), |mentions| mentions.room);
        if all && self.levels.may_notify(sender) {
            self.to_all.push(sequence);
            return;
        }
        let named: Vec<Cow<'_, UserId>> = match mentions {
            Some(mentions) => mentions.users().map(Cow::Owned).collect(),
            None if body.is_empty() => return,
            None => {
                let members = &self.members;
                let names = self.names.get_or_insert_with(|| {
                    let mut names = Names::default();
                    for (user, reader) in members {
                        names.add(user, reader.name);
                    }
                    names
                });
                names.named_in(body).into_iter().map(Cow::Borrowed).collect()
            }
        };
        for user in named.iter().filter(|user| ***user != *sender) {
            if let Some(reader) = self.members.get_mut(&**user)
                && reader.highlights.last() != Some(&sequence)
            {
                reader.highlights.push(sequence);
            }
        }
    }

    /// Forgets what an event said.
    fn erase(&mut self, erased: &Erased) {
        let place = (u32::try_from(erased.position).unwrap_or(u32::MAX), erased.index);
        if let Some(sequence) = self.said.remove(place) {
            take_out(&mut self.to_all, sequence);
            for reader in self.members.values_mut() {
                take_out(&mut reader.highlights, sequence);
            }
        }
        let slot = erased.slot.as_ref().map(|slot| (&*slot.kind, &*slot.state_key));
        match slot {
            Some(("m.room.member", user)) => {
                let Ok(user) = <&UserId>::try_from(user) else { return };
                let Some(reader) = self.members.get_mut(user) else { return };
                reader.highlights.clear();
                if reader.place == place {
                    self.rename(user, Some(None));
                }
            }
            Some(("m.room.power_levels", "")) => {
                self.to_all.clear();
                self.members.values_mut().for_each(|reader| reader.highlights.clear());
                self.levels.erased(place);
            }
            _ => {}
        }
    }
}
