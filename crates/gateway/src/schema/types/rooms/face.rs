//! The snapshot of a room at one position.
//!
//! **Invariant:** in a sync, in the answer to a join and in `RoomOpened`, all data of a room is of
//! one position. Later changes are on the stream.

use std::sync::Arc;

use async_graphql::{Context, Result};
use rookery_domain::{Filter, OwnedRoomAliasId, OwnedUserId, Power, RoomId, UserId};
use rookery_log::Position;
use rookery_projection::{RowKey, Summary, Unread};
use rookery_view::{PastRoom, RoomView};
use tokio::sync::OnceCell;

use super::{
    join_rule::JoinRuleKind,
    room::{Access, HistoryVisibilityEnum},
};
use crate::schema::{
    context::{app, session, unless_absent},
    reads::reads,
};

/// The moment as of which a room is shown, with the defaults for its events.
pub(crate) struct Moment {
    /// The position.
    pub(crate) position: Position,
    /// The default filter.
    pub(crate) filter: Option<Arc<Filter>>,
    /// The default number of events.
    pub(crate) timeline_limit: Option<usize>,
    face: OnceCell<Arc<Face>>,
}

/// The data of a room at one position, for one viewer.
#[derive(Clone)]
pub(crate) struct Face {
    pub(crate) access: Access,
    pub(crate) name: Option<String>,
    pub(crate) topic: Option<String>,
    pub(crate) avatar_url: Option<String>,
    pub(crate) canonical_alias: Option<OwnedRoomAliasId>,
    pub(crate) aliases: Vec<OwnedRoomAliasId>,
    pub(crate) join_rule: Option<JoinRuleKind>,
    pub(crate) history_visibility: Option<HistoryVisibilityEnum>,
    pub(crate) is_listed: bool,
    pub(crate) version: Option<String>,
    pub(crate) room_type: Option<String>,
    pub(crate) creator: Option<OwnedUserId>,
    pub(crate) member_count: Option<i32>,
    pub(crate) invited_count: Option<i32>,
    pub(crate) my_power_level: Option<i64>,
    pub(crate) last_message: Option<RowKey>,
    /// As of now, even if the room is shown as of an earlier moment.
    pub(crate) unread: Unread,
}

impl Default for Face {
    fn default() -> Self {
        Self {
            access: Access::Nothing,
            name: None,
            topic: None,
            avatar_url: None,
            canonical_alias: None,
            aliases: Vec::new(),
            join_rule: None,
            history_visibility: None,
            is_listed: false,
            version: None,
            room_type: None,
            creator: None,
            member_count: None,
            invited_count: None,
            my_power_level: None,
            last_message: None,
            unread: Unread::default(),
        }
    }
}

impl Moment {
    /// The moment after the commit at `position`.
    pub(crate) fn new(
        position: Position,
        filter: Option<Arc<Filter>>,
        timeline_limit: Option<usize>,
    ) -> Self {
        Self { position, filter, timeline_limit, face: OnceCell::new() }
    }

    /// Adds the room's snapshot at this moment, which was just read.
    pub(crate) fn showing(self, face: Face) -> Self {
        Self { face: OnceCell::new_with(Some(Arc::new(face))), ..self }
    }

    /// The room's snapshot at this moment, read on first use.
    pub(crate) async fn face(&self, context: &Context<'_>, room: &RoomId) -> Result<Arc<Face>> {
        let face = self.face.get_or_try_init(|| async {
            let viewer = session(context).viewer()?.to_owned();
            let models = &app(context).models;
            let past = models.room_at_within(room, self.position, &reads(context)).await;
            let past = unless_absent(past)?.flatten();
            let view = models.view();
            let face =
                past.and_then(|past| view.room(room).map(|room| Face::past(&room, &past, &viewer)));
            Ok::<_, async_graphql::Error>(Arc::new(face.unwrap_or_default()))
        });
        face.await.map(Arc::clone)
    }
}

impl Face {
    /// The room's snapshot now.
    pub(crate) fn of(room: &RoomView<'_>, viewer: &UserId) -> Self {
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
        let canonical = summary.canonical_alias.as_deref();
        let count = |count: u64| i32::try_from(count).ok();
        Self {
            access: Access::of(room, viewer),
            name: summary.name.clone(),
            topic: summary.topic.clone(),
            avatar_url: summary.avatar_url.clone(),
            canonical_alias: canonical.and_then(|alias| alias.try_into().ok()),
            aliases: {
                let mut aliases: Vec<_> = room.aliases().map(ToOwned::to_owned).collect();
                aliases.sort_unstable();
                aliases
            },
            join_rule: Some(JoinRuleKind::of(summary.join_rule.as_ref())),
            history_visibility: Some(summary.history_visibility().into()),
            is_listed: summary.listed,
            version: summary.version.clone(),
            room_type: summary.kind.clone(),
            creator: summary.creator().cloned(),
            member_count: count(joined),
            invited_count: count(invited),
            my_power_level: level(summary, viewer),
            last_message: summary.last_message,
            unread: room.unread(viewer),
        }
    }
}

/// The power level of a user; `None` for creators above all levels.
pub(crate) fn level(summary: &Summary, user: &UserId) -> Option<i64> {
    match summary.power(user) {
        Power::Level(level) => Some(level),
        Power::Infinite => None,
    }
}
