//! Unread counts on the stream.

use std::sync::Arc;

use async_graphql::{Context, SimpleObject};
use rookery_delivery::OwedCounts;
use rookery_domain::{Filter, OwnedRoomId, UserId};
use rookery_view::UnreadCounts;

use rookery_schema::types::rooms::room::Room;

/// The unread counts of a room of yours changed, or may have changed.
#[derive(Clone, SimpleObject)]
pub(crate) struct CountsChanged {
    /// The room.
    room: Room,
    /// As in `Room.unreadCount`.
    unread_count: i32,
    /// As in `Room.notificationCount`.
    notification_count: i32,
    /// As in `Room.highlightCount`.
    highlight_count: i32,
}

impl From<(OwnedRoomId, UnreadCounts)> for CountsChanged {
    fn from((room, unread): (OwnedRoomId, UnreadCounts)) -> Self {
        let short = |count: u64| i32::try_from(count).unwrap_or(i32::MAX);
        Self {
            room: Room::new(room),
            unread_count: short(unread.messages),
            notification_count: short(unread.notifications),
            highlight_count: short(unread.highlights),
        }
    }
}

/// The counts for `user`, if the document selects them.
pub(super) fn open(
    context: &Context<'_>,
    user: &UserId,
    filter: &Arc<Filter>,
) -> Option<Box<OwedCounts>> {
    let is_asked = context.look_ahead().field("counts").exists();
    is_asked.then(|| Box::new(OwedCounts::new(user, filter)))
}
