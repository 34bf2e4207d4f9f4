//! The rooms of the server, for its administrators.

use async_graphql::{Context, SimpleObject};
use rookery_domain::{OwnedRoomId, normal};
use rookery_view::RoomView;

use super::PAGE_DEFAULT;
use crate::{
    context::{app, page_size},
    reads::reads,
    types::{
        errors::fault::Fault,
        values::{
            connection::{Page, connection, key, not_of_this_list},
            scalars::{Long, RoomIdScalar},
        },
    },
};

connection!(RoomOverviewConnection, RoomOverviewEdge, RoomOverview, "A page of rooms.");

/// Rooms that are searched at once.
const SEARCHED_MAX: usize = 200;

/// A room, as administrators of the server see it. Its messages are not part of that.
#[derive(Clone, SimpleObject)]
pub struct RoomOverview {
    /// The room ID.
    room_id: RoomIdScalar,
    /// Its name. Null if it has none.
    name: Option<String>,
    /// Its topic. Null if it has none.
    topic: Option<String>,
    /// The alias that it prefers. Null if it has none.
    canonical_alias: Option<String>,
    /// How many members it has.
    member_count: Long,
    /// How many events it has.
    event_count: Long,
    /// Whether the public directory lists it.
    is_listed: bool,
    /// Its version.
    version: Option<String>,
}

impl From<RoomView<'_>> for RoomOverview {
    fn from(room: RoomView<'_>) -> Self {
        let summary = room.summary();
        Self {
            room_id: RoomIdScalar(room.id().to_owned()),
            name: summary.name.clone(),
            topic: summary.topic.clone(),
            canonical_alias: summary.canonical_alias.clone(),
            member_count: Long::of_count(room.joined_count()),
            event_count: Long::of_count(summary.last_sequence),
            is_listed: summary.listed,
            version: summary.version.clone(),
        }
    }
}

impl RoomOverview {
    /// Whether one of its texts contains `search`, which is in normal form.
    fn contains(&self, search: &str) -> bool {
        let texts = [&self.name, &self.topic, &self.canonical_alias];
        let mut texts = texts.into_iter().flatten().map(String::as_str);
        texts.any(|text| normal(text).contains(search))
            || normal(self.room_id.0.as_str()).contains(search)
    }
}

/// A page of the rooms whose texts contain `search`, the newest first.
pub(super) async fn page(
    context: &Context<'_>,
    search: Option<&str>,
    (first, after): (Option<i32>, Option<String>),
) -> Result<RoomOverviewConnection, Fault> {
    let limit = page_size("first", first, PAGE_DEFAULT)?;
    let after = after.as_deref().map(key).transpose()?;
    let after = after.map(OwnedRoomId::try_from).transpose().map_err(|_| not_of_this_list())?;
    let has_previous = after.is_some();
    let (search, reads) = (search.map(normal).unwrap_or_default(), reads(context));
    let (mut found, mut before) = (Vec::new(), after);
    loop {
        reads.pause().await?;
        reads.look_at_rows(SEARCHED_MAX)?;
        let rooms: Vec<RoomOverview> = {
            let view = app(context).models.view();
            let rooms = view.rooms_before(before.as_deref());
            rooms.take(SEARCHED_MAX).map(RoomOverview::from).collect()
        };
        before = rooms.last().map(|room| room.room_id.0.clone());
        let is_last = rooms.len() < SEARCHED_MAX;
        found.extend(rooms.into_iter().filter(|room| room.contains(&search)));
        if is_last || found.len() > limit {
            break;
        }
    }
    let key = |room: &RoomOverview| room.room_id.0.to_string();
    Ok(RoomOverviewConnection(Page::read(found, limit, has_previous, key)))
}
