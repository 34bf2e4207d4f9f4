//! The home screen: the data for a client's first screen, and the position for its stream.

use std::sync::Arc;

use async_graphql::{Context, Object, Result};
use rookery_domain::{Filter, OwnedRoomId};
use rookery_view::{ClosedRoom, Moment, SyncError, SyncedRoom, TIMELINE_DEFAULT, WantedSync};

use super::update::RoomUpdate;
use crate::{
    context::{PAGE_MAX, app, page_size, session},
    reads::{Reads, reads},
    types::{
        errors::fault::Fault,
        rooms::{
            closed::{RoomClosed, RoomClosedConnection},
            room::Room,
        },
        users::user::User,
        values::{
            connection::{Page, key, not_of_this_list},
            list::{Items, List},
            scalars::{PositionScalar, SyncCursorScalar},
        },
    },
};

/// Rooms on a page, by default.
pub const PAGE_DEFAULT: usize = 20;

/// The arguments of a sync.
pub struct SyncArguments {
    /// How many rooms.
    pub first: Option<i32>,
    /// The end of the previous page.
    pub after: Option<SyncCursorScalar>,
    /// Only changes since this position.
    pub since: Option<PositionScalar>,
    /// Only this room.
    pub room_id: Option<OwnedRoomId>,
    /// How many of the latest events of each room.
    pub timeline_limit: Option<i32>,
    /// The filter for rooms and their events.
    pub filter: Option<Arc<Filter>>,
}

/// The data for a client's first screen.
pub struct InitialSync {
    updates: Vec<RoomUpdate>,
    next: Option<SyncCursorScalar>,
    invites: Vec<Room>,
    closed: Vec<ClosedRoom>,
    user: User,
    position: PositionScalar,
}

impl InitialSync {
    /// A page of the viewer's rooms, with all other data at the same position.
    pub async fn of(context: &Context<'_>, arguments: SyncArguments) -> Result<Self> {
        let SyncArguments { first, after, since, room_id, timeline_limit, filter } = arguments;
        let (app, viewer, reads) = (app(context), session(context).viewer()?, reads(context));
        let limit = page_size("first", first, PAGE_DEFAULT)?;
        let events = timeline_limit
            .map(|_| page_size("timelineLimit", timeline_limit, TIMELINE_DEFAULT))
            .transpose()?;
        let (key, epoch) = (&app.token_key, app.log.epoch());
        let since = since.as_ref().map(|since| app.position(since)).transpose()?;
        let place = |after: SyncCursorScalar| after.0.open(key, epoch);
        let after = after.map(|after| place(after).ok_or_else(Fault::position_unknown));
        let events_of_room = events.unwrap_or(TIMELINE_DEFAULT);
        let wanted = WantedSync {
            limit,
            after: after.transpose()?,
            since,
            room_id,
            filter: filter.clone(),
            timeline_next: if is_asked(context, "timeline") { events_of_room } else { 0 },
            last_message_next: is_asked(context, "lastMessage"),
        };
        let sync = app.models.initial_sync(viewer, &wanted, &reads).await;
        let sync = sync.map_err(|error| refused(&reads, error))?;
        let room = |synced: SyncedRoom| {
            let moment = Moment::new(sync.at, filter.clone(), events);
            (Room::known(synced.room_id, moment, synced.snapshot), synced.missed)
        };
        let update = |synced| {
            let (room, missed) = room(synced);
            RoomUpdate::new(room, events_of_room, missed)
        };
        Ok(Self {
            updates: sync.rooms.into_iter().map(update).collect(),
            next: sync.next.map(|next| SyncCursorScalar(next.seal(key, epoch))),
            invites: sync.invites.into_iter().map(|synced| room(synced).0).collect(),
            closed: sync.closed,
            user: User::with_profile(viewer.to_owned(), sync.profile),
            position: app.token(sync.at),
        })
    }
}

/// The fault for a sync that cannot be read.
fn refused(reads: &Reads<'_>, error: SyncError) -> Fault {
    match error {
        SyncError::PositionUnknown => Fault::position_unknown(),
        SyncError::OtherSince => Fault::bad_input(error.to_string()),
        SyncError::Read(error) => reads.fault(error),
    }
}

/// Whether a field of the rooms is requested.
fn is_asked(context: &Context<'_>, field: &str) -> bool {
    let asked = context.look_ahead();
    asked.field("rooms").field(field).exists()
        || asked.field("updates").field("room").field(field).exists()
}

/// The data for a client's first screen, or the changes since then.
#[Object]
impl InitialSync {
    /// You.
    async fn user(&self) -> User {
        self.user.clone()
    }

    /// A page of the rooms that you have joined, most recently active first; in a delta, those with
    /// changes.
    async fn rooms(&self) -> List<Room> {
        self.updates.iter().map(|update| update.room.clone()).collect()
    }

    /// The same rooms, with the changes of each.
    async fn updates(&self) -> Items<'_, RoomUpdate> {
        Items(&self.updates)
    }

    /// Use it as `after` for the next page. Null if there are no more rooms and no more invites.
    async fn next(&self) -> Option<&SyncCursorScalar> {
        self.next.as_ref()
    }

    /// A page of at most 100 rooms that you are invited to, newest invite first; in a delta, only
    /// new invites. The next 100 are on the next page, even if that has no rooms.
    async fn invites(&self) -> Items<'_, Room> {
        Items(&self.invites)
    }

    /// In a delta: the rooms that were closed to you since, and the invites that ended, in that
    /// order of time. Only on the first page.
    async fn closed(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to continue.")] after: Option<String>,
    ) -> Result<RoomClosedConnection> {
        let limit = page_size("first", first, PAGE_MAX)?;
        let after = after.as_deref().map(key).transpose()?;
        let start = match &after {
            None => 0,
            Some(after) => {
                let found = self.closed.iter().position(|closed| closed.room_id == *after);
                1 + found.ok_or_else(not_of_this_list)?
            }
        };
        let end = self.closed.len().min(start + limit + 1);
        let closed = RoomClosed::read(context, &self.closed[start..end]).await?;
        let key = |closed: &RoomClosed| closed.matrix_id().to_string();
        Ok(RoomClosedConnection(Page::read(closed, limit, after.is_some(), key)))
    }

    /// The position of all data on all pages. Follow `eventStream` from here: it continues exactly
    /// where this ends.
    async fn position(&self) -> &PositionScalar {
        &self.position
    }
}
