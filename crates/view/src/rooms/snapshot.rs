//! The snapshot of a room at one position.
//!
//! **Invariant:** in a sync, in the answer to a join and in `RoomOpened`, all data of a room is of
//! one position. Later changes are on the stream.
//! **Invariant:** a snapshot holds only what its viewer may see: other parts are empty.

use std::sync::Arc;

use rookery_domain::{
    Filter, HistoryVisibility, JoinRule, OwnedRoomAliasId, OwnedUserId, Power, RoomId, UserId,
};
use rookery_log::Position;
use rookery_projection::{RowKey, Summary};
use tokio::sync::OnceCell;

use super::RoomView;
use crate::{Access, Meter, PastRoom, Reader, TimelineError, UnreadCounts};

/// The moment as of which a room is shown, with the defaults for its events.
pub struct Moment {
    /// The position.
    pub position: Position,
    /// The default filter.
    pub filter: Option<Arc<Filter>>,
    /// The default number of events.
    pub timeline_limit: Option<usize>,
    snapshot: OnceCell<Arc<RoomSnapshot>>,
}

/// The data of a room at one position, for one viewer.
#[derive(Clone, Debug, Default)]
pub struct RoomSnapshot {
    /// How much the viewer may see now.
    pub access: Access,
    /// The name.
    pub name: Option<String>,
    /// The topic.
    pub topic: Option<String>,
    /// The `mxc:` address of the avatar.
    pub avatar_url: Option<String>,
    /// The alias that the room prefers.
    pub canonical_alias: Option<OwnedRoomAliasId>,
    /// All aliases that point to the room, in alphabetical order.
    pub aliases: Vec<OwnedRoomAliasId>,
    /// How users may join.
    pub join_rule: Option<JoinRule>,
    /// The users who may read its events.
    pub history_visibility: Option<HistoryVisibility>,
    /// Whether the public directory lists it.
    pub is_listed: bool,
    /// The room version.
    pub version: Option<String>,
    /// The `type` of its create event.
    pub room_type: Option<String>,
    /// The creator. Only for viewers inside.
    pub creator: Option<OwnedUserId>,
    /// How many users are joined.
    pub member_count: Option<u64>,
    /// How many users are invited. Only for viewers inside.
    pub invited_count: Option<u64>,
    /// The power of the viewer.
    pub my_power: Option<Power>,
    /// The last message, which the viewer may be unable to see. Also for former members.
    pub last_message: Option<RowKey>,
    /// As of now, even if the room is shown as of an earlier moment.
    pub unread: UnreadCounts,
}

impl Moment {
    /// The moment after the commit at `position`.
    #[must_use]
    pub fn new(
        position: Position,
        filter: Option<Arc<Filter>>,
        timeline_limit: Option<usize>,
    ) -> Self {
        Self { position, filter, timeline_limit, snapshot: OnceCell::new() }
    }

    /// Adds the room's snapshot at this moment, which was just read.
    #[must_use]
    pub fn showing(self, snapshot: RoomSnapshot) -> Self {
        Self { snapshot: OnceCell::new_with(Some(Arc::new(snapshot))), ..self }
    }

    /// The room's snapshot at this moment for `viewer`, read on first use.
    ///
    /// # Errors
    /// As [`Reader::room_at`].
    pub async fn snapshot(
        &self,
        reader: &Reader,
        room: &RoomId,
        viewer: &UserId,
        meter: &dyn Meter,
    ) -> Result<Arc<RoomSnapshot>, TimelineError> {
        let snapshot = self.snapshot.get_or_try_init(|| async {
            let past = reader.room_at_within(room, self.position, meter).await?;
            let view = reader.view();
            let snapshot = past.and_then(|past| {
                view.room(room).map(|room| RoomSnapshot::past(&room, &past, viewer))
            });
            Ok::<_, TimelineError>(Arc::new(snapshot.unwrap_or_default()))
        });
        snapshot.await.map(Arc::clone)
    }
}

impl RoomSnapshot {
    /// The room's snapshot now.
    #[must_use]
    pub fn of(room: &RoomView<'_>, viewer: &UserId) -> Self {
        let counts = (room.joined_count(), room.invited_count());
        Self::new(room, room.summary(), counts, viewer)
    }

    /// The room's earlier snapshot. The viewer's present access decides how much of it is shown.
    fn past(room: &RoomView<'_>, past: &PastRoom, viewer: &UserId) -> Self {
        Self::new(room, &past.summary, (past.joined, past.invited), viewer)
    }

    fn new(
        room: &RoomView<'_>,
        summary: &Summary,
        (joined, invited): (u64, u64),
        viewer: &UserId,
    ) -> Self {
        let access = room.access(viewer);
        if access == Access::Nothing {
            return Self::default();
        }
        let seen = Self { access, last_message: summary.last_message, ..Self::default() };
        if access < Access::Outside {
            return seen;
        }
        let canonical = summary.canonical_alias.as_deref();
        let mut aliases: Vec<_> = room.aliases().map(ToOwned::to_owned).collect();
        aliases.sort_unstable();
        let seen = Self {
            name: summary.name.clone(),
            topic: summary.topic.clone(),
            avatar_url: summary.avatar_url.clone(),
            canonical_alias: canonical.and_then(|alias| alias.try_into().ok()),
            aliases,
            join_rule: Some(summary.join_rule.clone().unwrap_or(JoinRule::Invite)),
            history_visibility: Some(summary.history_visibility()),
            is_listed: summary.listed,
            version: summary.version.clone(),
            room_type: summary.kind.clone(),
            member_count: Some(joined),
            my_power: Some(summary.power(viewer)),
            unread: room.unread(viewer),
            ..seen
        };
        if access < Access::Inside {
            return seen;
        }
        Self { creator: summary.creator().cloned(), invited_count: Some(invited), ..seen }
    }
}
