//! Which events a client wants.

use async_graphql::InputObject;
use rookery_domain::Pdu;

use super::scalars::{RoomIdScalar, UserIdScalar};

/// Which events you want. What you leave out does not restrict. A `not` wins over its opposite.
#[derive(Clone, Debug, Default, InputObject)]
pub(crate) struct FilterInput {
    /// Only these types; `*` stands for any text, as in `m.room.*`.
    types: Option<Vec<String>>,
    /// Not these types; `*` stands for any text.
    not_types: Option<Vec<String>>,
    /// Only these rooms.
    rooms: Option<Vec<RoomIdScalar>>,
    /// Not these rooms.
    not_rooms: Option<Vec<RoomIdScalar>>,
    /// Only from these users.
    senders: Option<Vec<UserIdScalar>>,
    /// Not from these users.
    not_senders: Option<Vec<UserIdScalar>>,
}

impl FilterInput {
    /// Whether the client wants the event.
    pub(crate) fn wants(&self, pdu: &Pdu) -> bool {
        let kind = pdu.kind.to_string();
        let is_kind = |pattern: &String| matches(pattern, &kind);
        let is_room = |room: &RoomIdScalar| room.0 == pdu.room_id;
        let is_sender = |user: &UserIdScalar| user.0 == pdu.sender;
        allows(self.types.as_ref(), self.not_types.as_ref(), is_kind)
            && allows(self.rooms.as_ref(), self.not_rooms.as_ref(), is_room)
            && allows(self.senders.as_ref(), self.not_senders.as_ref(), is_sender)
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
}
