//! The public list of rooms.

use crate::{RoomView, View, models::StreamKey};

/// A page of the public list, the largest rooms first.
pub struct PublicRooms<'a> {
    /// The rooms.
    pub rooms: Vec<RoomView<'a>>,
    /// How many rooms fit the search in all.
    pub total: usize,
}

impl View<'_> {
    /// The rooms that are listed and whose name, topic or alias has `search` in it (whatever the
    /// case), by joined users and then by age: `limit` of them after the first `skip`.
    #[must_use]
    pub fn public_rooms(&self, search: Option<&str>, skip: usize, limit: usize) -> PublicRooms<'_> {
        let search = search.map(|text| text.trim().to_lowercase()).filter(|text| !text.is_empty());
        let models = self.models();
        let listed = models.summaries.rows.iter().filter(|(_, row)| row.value.listed);
        let mut found: Vec<(u64, StreamKey)> = listed
            .filter_map(|(key, _)| Some((*key, self.room_at(*key)?)))
            .filter(|(_, room)| search.as_ref().is_none_or(|search| matches(room, search)))
            .map(|(key, room)| (room.joined_count(), key))
            .collect();
        found.sort_unstable_by_key(|(joined, key)| (std::cmp::Reverse(*joined), *key));
        let page = found.iter().skip(skip).take(limit);
        let rooms = page.filter_map(|(_, key)| self.room_at(*key)).collect();
        PublicRooms { rooms, total: found.len() }
    }
}

fn matches(room: &RoomView<'_>, search: &str) -> bool {
    let has = |text: &str| text.to_lowercase().contains(search);
    let summary = room.summary();
    let texts = [&summary.name, &summary.topic, &summary.canonical_alias];
    texts.into_iter().flatten().any(|text| has(text))
        || room.aliases().any(|alias| has(alias.as_str()))
}
