//! The visibility of read receipts and counts.
//!
//! The rules: a receipt is delivered when it is made, to its owner, and a public one to the current
//! members of the room. A current member sees the last public receipt of each member, and the
//! member's own, public or not. Unread counts include messages of others after the member's join
//! and after the own receipt, but no edits and no redacted messages. Others see nothing, and 0.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Moved, checks::Case, kinds::Kind, scenes::Mark};
use crate::oracle::expect;

impl Case<'_> {
    fn place(&self, event: &str) -> usize {
        self.log.iter().position(|it| it.id == event).expect("an event of the room")
    }

    /// The receipts of this room on the stream.
    pub(super) fn receipts_told(&self, told: &BTreeSet<Moved>) {
        let told: BTreeSet<_> = told.iter().filter(|moved| moved.room == self.room).collect();
        let is_for_viewer = |mark: &&Mark| {
            let inside = self.expected.memberships[self.place(&mark.at)] == "join";
            mark.user == self.viewer.user_id || inside && !mark.private
        };
        let moved = |mark: &Mark| {
            let (room, private) = (self.room.to_owned(), mark.private);
            Moved { room, user: mark.user.clone(), event: mark.event.clone(), private }
        };
        let expected: Vec<_> = self.played.marks.iter().filter(is_for_viewer).map(moved).collect();
        assert_eq!(told, expected.iter().collect(), "receipts on the stream, {}", self.hint);
    }

    /// The event of each member's public receipt.
    fn public(&self) -> BTreeMap<&str, &str> {
        if self.expected.membership != "join" {
            return BTreeMap::new();
        }
        let marks = self.played.marks.iter().filter(|mark| !mark.private);
        let is_member = |user: &str| expect(self.log, user).membership == "join";
        let marks = marks.filter(|mark| is_member(&mark.user));
        marks.map(|mark| (&*mark.user, &*mark.event)).collect()
    }

    /// The event of the viewer's receipt.
    fn own(&self) -> Option<&str> {
        let marks = self.played.marks.iter().filter(|mark| mark.user == self.viewer.user_id);
        marks.map(|mark| &*mark.event).max_by_key(|event| self.place(event))
    }

    /// The number of the viewer's unread messages, and of those that mention the viewer.
    fn unread(&self) -> (usize, usize) {
        // A bot that follows is no member, and has no counts.
        if self.kind != Kind::User || self.expected.membership != "join" {
            return (0, 0);
        }
        let viewer = self.viewer.user_id.as_str();
        let joined = self.log.iter().rposition(|event| event.state_key.as_deref() == Some(viewer));
        let read = self.own().map(|event| self.place(event)).max(joined).expect("a join");
        let later = self.log[read + 1..].iter();
        let unread: Vec<_> = later
            .filter(|it| it.is_message() && it.redacted_by.is_none() && it.sender != viewer)
            .collect();
        let name = viewer[1..].split(':').next().unwrap();
        let names = |body: &str| {
            let mut words = body.split(|letter: char| !letter.is_alphanumeric());
            words.any(|word| word.eq_ignore_ascii_case(name))
        };
        let naming = unread.iter().filter(|event| names(event.content["body"].as_str().unwrap()));
        (unread.len(), naming.count())
    }

    /// Checks a room with `unreadCount`, `highlightCount` and `receipts`.
    pub(super) fn reading_shown(&self, room: &Value) {
        let (unread, naming) = self.unread();
        assert_eq!(room["unreadCount"], unread, "unread, {}", self.hint);
        assert_eq!(room["highlightCount"], naming, "highlights, {}", self.hint);
        let receipts = room["receipts"]["nodes"].as_array().unwrap().iter();
        let receipt =
            |it: &Value| ["userId", "eventId"].map(|field| it[field].as_str().unwrap().to_owned());
        let shown: Vec<_> = receipts.map(receipt).collect();
        let expected = self.public().into_iter();
        let expected: BTreeSet<_> =
            expected.map(|(user, event)| [user, event].map(ToOwned::to_owned)).collect();
        assert_eq!(shown.len(), expected.len(), "receipts, {}", self.hint);
        assert_eq!(BTreeSet::from_iter(shown), expected, "receipts, {}", self.hint);
    }

    /// The current fields of the room and its members.
    pub(super) fn reading(&self) {
        let document = "query($room: RoomID!, $dora: UserID!, $viewer: UserID!) {
            room(by: { roomId: $room }) { unreadCount highlightCount receipts(first: 100) { nodes { userId eventId } }
                member(userId: $dora) { readUpTo } own: member(userId: $viewer) { readUpTo }
                members(first: 100) { nodes { userId readUpTo } } } }";
        let (dora, viewer) = ("@dora:localhost", self.viewer.user_id.as_str());
        let variables = json!({ "room": self.room, "dora": dora, "viewer": viewer });
        let room = self.run(document, &variables)["room"].clone();
        if !self.access.known {
            assert_eq!(room, Value::Null, "a room that is not known, {}", self.hint);
            return;
        }
        self.reading_shown(&room);
        let public = self.public();
        let own = self.own().filter(|_| self.expected.membership == "join");
        let read = |user: &str| if user == viewer { own } else { public.get(user).copied() };
        assert_eq!(room["member"]["readUpTo"], json!(read(dora)), "of Dora, {}", self.hint);
        assert_eq!(room["own"]["readUpTo"], json!(own), "the viewer's own, {}", self.hint);
        for member in room["members"]["nodes"].as_array().unwrap() {
            let user = member["userId"].as_str().unwrap();
            assert_eq!(member["readUpTo"], json!(read(user)), "of {user}, {}", self.hint);
        }
    }
}
