//! The public list of rooms.
//!
//! **Invariant:** all pages of one list have the order of the first page's position. So a room that
//! grows, shrinks or appears meanwhile makes no other room appear twice or never.
//! **Invariant:** a room that is no longer listed is not shown, whatever list it was in.

use rookery_domain::normal;
use rookery_log::Position;
use rookery_projection::StreamKey;

use super::listed::Asked;
use crate::{Reader, RoomView, View};

/// Longest search text, in bytes; a longer one matches nothing.
const SEARCH_BYTES_MAX: usize = 1_024;

/// A place in the list: after one room, in the order of one position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicRoomCursor {
    /// The position of that order.
    pub position: Position,
    /// How many users had joined the room then.
    pub joined: u64,
    /// The room, by the position of its first commit.
    pub room: Position,
}

/// A page of the public list, largest rooms first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicRooms {
    /// The places of the rooms; [`View::listed_room`] returns the data of each.
    pub rooms: Vec<PublicRoomCursor>,
    /// Whether there are more after these.
    pub has_more: bool,
    /// How many rooms match the search in all.
    pub total: usize,
}

impl Reader {
    /// The listed rooms whose name, topic or alias contains `search` (in any case), by joined users
    /// and then by age: `limit` of them after `after`.
    pub async fn public_rooms(
        &self,
        search: Option<&str>,
        after: Option<PublicRoomCursor>,
        limit: usize,
    ) -> PublicRooms {
        let search = search.map(str::trim).filter(|text| !text.is_empty());
        if search.is_some_and(|text| text.len() > SEARCH_BYTES_MAX) {
            return PublicRooms { rooms: Vec::new(), has_more: false, total: 0 };
        }
        let search = search.map(|text| normal(text).into());
        let after = after.map(|it| (it.position, it.joined, StreamKey(it.room.0)));
        let found = self.list(Asked { search, after, limit }).await;
        let place = |(joined, room): (u64, StreamKey)| PublicRoomCursor {
            position: found.position,
            joined,
            room: Position(room.0),
        };
        PublicRooms {
            rooms: found.rooms.into_iter().map(place).collect(),
            has_more: found.has_more,
            total: found.total,
        }
    }
}

impl View<'_> {
    /// The room at a place of the public list, if it is still listed.
    #[must_use]
    pub fn listed_room(&self, place: PublicRoomCursor) -> Option<RoomView<'_>> {
        self.room_at(StreamKey(place.room.0)).filter(|room| room.summary().listed)
    }
}
