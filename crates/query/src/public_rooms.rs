//! The public list of rooms.
//!
//! **Invariant:** all pages of one list have the order that held when the first one was asked for,
//! so a room that grows, shrinks or comes meanwhile makes no other one appear twice or never.

use std::cmp::Reverse;

use rookery_domain::Membership;
use rookery_log::Position;

use crate::{RoomView, View, models::StreamKey};

/// A place in the list: after one room, in the order of one position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicRoomCursor {
    /// The position whose order it is.
    pub position: Position,
    /// How many had joined the room then.
    pub joined: u64,
    /// The room, by the position of its first commit.
    pub room: Position,
}

/// A page of the public list, the largest rooms first.
pub struct PublicRooms<'a> {
    /// The rooms, each with its place.
    pub rooms: Vec<(PublicRoomCursor, RoomView<'a>)>,
    /// There are more after these.
    pub has_more: bool,
    /// How many rooms fit the search in all.
    pub total: usize,
}

impl View<'_> {
    /// The rooms that are listed and whose name, topic or alias has `search` in it (whatever the
    /// case), by joined users and then by age: `limit` of them after `after`.
    #[must_use]
    pub fn public_rooms(
        &self,
        search: Option<&str>,
        after: Option<PublicRoomCursor>,
        limit: usize,
    ) -> PublicRooms<'_> {
        let search = search.map(|text| text.trim().to_lowercase()).filter(|text| !text.is_empty());
        let position = after.map_or(self.position(), |after| after.position);
        let models = self.models();
        let listed = models.summaries.rows.iter().filter(|(_, row)| row.value.listed);
        let mut found: Vec<(Reverse<u64>, StreamKey)> = listed
            .filter_map(|(key, _)| Some((*key, self.room_at(*key)?)))
            .filter(|(_, room)| search.as_ref().is_none_or(|search| matches(room, search)))
            .map(|(key, room)| (Reverse(joined_at(&room, position)), key))
            .collect();
        found.sort_unstable();
        let total = found.len();
        let last = after.map(|after| (Reverse(after.joined), StreamKey(after.room.0)));
        let start = last.map_or(0, |last| found.partition_point(|place| *place <= last));
        let page = found[start..].iter().take(limit);
        let place = |(Reverse(joined), key): &(Reverse<u64>, StreamKey)| {
            let cursor = PublicRoomCursor { position, joined: *joined, room: Position(key.0) };
            Some((cursor, self.room_at(*key)?))
        };
        PublicRooms {
            rooms: page.filter_map(place).collect(),
            has_more: total - start > limit,
            total,
        }
    }
}

/// How many had joined after the commit at `position`.
fn joined_at(room: &RoomView<'_>, position: Position) -> u64 {
    if room.activity() <= position {
        return room.joined_count();
    }
    let had_joined = |user| room.membership_at(user, position) == Membership::Join;
    room.members().filter(|(user, _)| had_joined(user)).count() as u64
}

fn matches(room: &RoomView<'_>, search: &str) -> bool {
    let has = |text: &str| text.to_lowercase().contains(search);
    let summary = room.summary();
    let texts = [&summary.name, &summary.topic, &summary.canonical_alias];
    texts.into_iter().flatten().any(|text| has(text))
        || room.aliases().any(|alias| has(alias.as_str()))
}
