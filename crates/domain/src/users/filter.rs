//! Filters: the events and updates that a client wants.
//!
//! **Invariant:** only this module interprets filters: sync, stream, poll, join and scrollback all
//! ask [`Filter::wants`].
//! **Invariant:** a filter only removes items from those that its user may see; it never adds any.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ruma_common::{OwnedRoomId, OwnedUserId, RoomId, UserId};
use serde::{Deserialize, Serialize};

use crate::{
    Pdu, Rejection,
    limits::{FILTER_ENTRIES_MAX, ID_BYTES_MAX},
};

/// The events and updates that a client wants. Absent fields do not restrict. A `not` field wins
/// over its opposite.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// Only events of these types; `*` stands for any text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub types: Option<Vec<String>>,
    /// No events of these types; `*` stands for any text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_types: Option<Vec<String>>,
    /// Only these rooms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rooms: Option<Vec<OwnedRoomId>>,
    /// Not these rooms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_rooms: Option<Vec<OwnedRoomId>>,
    /// Only events of these users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub senders: Option<Vec<OwnedUserId>>,
    /// No events of these users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_senders: Option<Vec<OwnedUserId>>,
    /// Include late events: they arrived after events that they precede.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub include_late: bool,
    /// Only these kinds of ephemeral updates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ephemeral: Option<Vec<EphemeralKind>>,
    /// Not these kinds of ephemeral updates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_ephemeral: Option<Vec<EphemeralKind>>,
    /// Presence and profile of these users only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presence_of: Option<Vec<OwnedUserId>>,
    /// No presence and profile of these users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_presence_of: Option<Vec<OwnedUserId>>,
}

/// Ephemeral updates: sent once and not kept in a room's timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EphemeralKind {
    /// Users who are typing.
    Typing,
    /// Users who are online.
    Presence,
    /// Read receipts of other members.
    Receipt,
}

impl Filter {
    /// Whether the client wants the event.
    #[must_use]
    pub fn wants(&self, pdu: &Pdu) -> bool {
        self.wants_room(&pdu.room_id)
            && allows(self.senders.as_ref(), self.not_senders.as_ref(), |user| *user == pdu.sender)
            && (self.wants_all_types() || self.wants_type(&pdu.kind.to_string()))
    }

    /// Whether the client wants changes of a slot of the room's state, whoever made them.
    #[must_use]
    pub fn wants_slot(&self, room: &RoomId, kind: &str) -> bool {
        self.wants_room(room) && self.wants_type(kind)
    }

    fn wants_all_types(&self) -> bool {
        self.types.is_none() && self.not_types.is_none()
    }

    fn wants_type(&self, kind: &str) -> bool {
        allows(self.types.as_ref(), self.not_types.as_ref(), |pattern| matches(pattern, kind))
    }

    /// Whether the client wants anything of the room.
    #[must_use]
    pub fn wants_room(&self, room: &RoomId) -> bool {
        allows(self.rooms.as_ref(), self.not_rooms.as_ref(), |other| *other == room)
    }

    /// Whether the client wants ephemeral updates of this kind.
    #[must_use]
    pub fn wants_ephemeral(&self, kind: EphemeralKind) -> bool {
        allows(self.ephemeral.as_ref(), self.not_ephemeral.as_ref(), |other| *other == kind)
    }

    /// Whether the client wants the presence and the profile of the user.
    #[must_use]
    pub fn wants_presence_of(&self, user: &UserId) -> bool {
        allows(self.presence_of.as_ref(), self.not_presence_of.as_ref(), |other| *other == user)
    }

    /// Whether the filter accepts every event, so events need not be parsed to check them.
    #[must_use]
    pub fn wants_every_event(&self) -> bool {
        self.wants_all_types()
            && self.rooms.is_none()
            && self.not_rooms.is_none()
            && self.senders.is_none()
            && self.not_senders.is_none()
    }

    /// The normal form of the filter: lists without duplicates, sorted.
    #[must_use]
    pub fn normal(mut self) -> Self {
        for list in [&mut self.types, &mut self.not_types] {
            tidy(list);
        }
        for list in [&mut self.rooms, &mut self.not_rooms] {
            tidy(list);
        }
        for list in [
            &mut self.senders,
            &mut self.not_senders,
            &mut self.presence_of,
            &mut self.not_presence_of,
        ] {
            tidy(list);
        }
        for list in [&mut self.ephemeral, &mut self.not_ephemeral] {
            tidy(list);
        }
        self
    }

    /// Its ID: a hash of its normal form, so equal filters have equal IDs.
    ///
    /// # Panics
    /// Never: plain data serialises.
    #[must_use]
    pub fn id(&self) -> String {
        let json = serde_json::to_vec(&self.clone().normal()).expect("plain data serialises");
        let mut hasher = blake3::Hasher::new_derive_key("rookery filter 1");
        let hash = hasher.update(&json).finalize();
        URL_SAFE_NO_PAD.encode(&hash.as_bytes()[..16])
    }

    /// Checks the length of its lists.
    ///
    /// # Errors
    /// [`Rejection`], naming the list, if it has too many entries or one is too long.
    pub fn check(&self) -> Result<(), Rejection> {
        for (what, count) in [
            ("entries of `types`", len(self.types.as_ref())),
            ("entries of `notTypes`", len(self.not_types.as_ref())),
            ("entries of `rooms`", len(self.rooms.as_ref())),
            ("entries of `notRooms`", len(self.not_rooms.as_ref())),
            ("entries of `senders`", len(self.senders.as_ref())),
            ("entries of `notSenders`", len(self.not_senders.as_ref())),
            ("entries of `ephemeral`", len(self.ephemeral.as_ref())),
            ("entries of `notEphemeral`", len(self.not_ephemeral.as_ref())),
            ("entries of `presenceOf`", len(self.presence_of.as_ref())),
            ("entries of `notPresenceOf`", len(self.not_presence_of.as_ref())),
        ] {
            if count > FILTER_ENTRIES_MAX {
                return Err(Rejection::TooMany { what, count, max: FILTER_ENTRIES_MAX });
            }
        }
        for pattern in self.types.iter().chain(&self.not_types).flatten() {
            Rejection::if_longer("an event type of the filter", pattern, ID_BYTES_MAX)?;
        }
        Ok(())
    }
}

fn len<T>(list: Option<&Vec<T>>) -> usize {
    list.map_or(0, Vec::len)
}

fn tidy<T: Ord>(list: &mut Option<Vec<T>>) {
    if let Some(list) = list {
        list.sort_unstable();
        list.dedup();
    }
}

fn allows<T>(only: Option<&Vec<T>>, not: Option<&Vec<T>>, is: impl Fn(&T) -> bool) -> bool {
    only.is_none_or(|only| only.iter().any(&is)) && !not.is_some_and(|not| not.iter().any(&is))
}

/// Whether `text` fits `pattern`, in which each `*` stands for any text. Linear in both.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text) in [
            ("m.room.*", "m.room.message"),
            ("*", ""),
            ("*.a*b", "x.aab"),
            ("a", "a"),
            ("a*a", "aa"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("m.room.*", "m.call"), ("a", "ab"), ("a*a", "a"), ("", "a"), ("*b", "ba")]
        {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn the_same_filter_has_the_same_id() {
        let types = |types: &[&str]| Filter {
            types: Some(types.iter().map(ToString::to_string).collect()),
            ..Filter::default()
        };
        assert_eq!(types(&["a", "b"]).id(), types(&["b", "a", "b"]).id());
        assert_ne!(types(&["a", "b"]).id(), types(&["a"]).id());
        assert_ne!(types(&[]).id(), Filter::default().id(), "nothing is not everything");
    }

    #[test]
    fn a_filter_says_what_it_has_too_much_of() {
        let many = Filter { types: Some(vec!["a".into(); 101]), ..Filter::default() };
        assert!(many.check().is_err_and(|error| error.to_string().contains("`types`")));
        let long = Filter { not_types: Some(vec!["a".repeat(256)]), ..Filter::default() };
        assert!(long.check().is_err_and(|error| error.to_string().contains("event type")));
    }

    #[test]
    fn a_not_wins() {
        let kinds = |kinds: &[EphemeralKind]| Some(kinds.to_vec());
        let filter = Filter {
            ephemeral: kinds(&[EphemeralKind::Typing, EphemeralKind::Receipt]),
            not_ephemeral: kinds(&[EphemeralKind::Receipt]),
            ..Filter::default()
        };
        let wanted = [EphemeralKind::Typing, EphemeralKind::Presence, EphemeralKind::Receipt]
            .map(|kind| filter.wants_ephemeral(kind));
        assert_eq!(wanted, [true, false, false]);
    }
}
