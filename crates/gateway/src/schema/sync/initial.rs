//! The home screen: what a client shows first, and where its stream goes on.

use std::sync::Arc;

use async_graphql::{Context, Object, Result};
use rookery_domain::{Filter, OwnedRoomId, UserId};
use rookery_log::Position;
use rookery_query::{ClosedRoom, Missed, RoomView, View, WantedRooms};

use super::{
    cursor::SyncPlace,
    update::{RoomUpdate, Since},
};
use crate::schema::{
    context::{App, PAGE_MAX, app, page_size, session},
    face::Moment,
    fault::Fault,
    list::{Items, List},
    room::Room,
    scalars::{PositionScalar, RoomIdScalar, SyncCursorScalar},
    stream::RoomClosed,
    user::User,
};

/// Rooms on a page, if you do not say how many.
pub(crate) const PAGE_DEFAULT: usize = 20;

/// Events of each room, if you do not say how many.
pub(crate) const TIMELINE_DEFAULT: usize = 20;

/// Invites on a page at most.
pub(crate) const INVITES_MAX: usize = 100;

/// What a client asks of a sync.
pub(crate) struct SyncArguments {
    pub(crate) first: Option<i32>,
    pub(crate) after: Option<SyncCursorScalar>,
    pub(crate) since: Option<PositionScalar>,
    pub(crate) room_id: Option<OwnedRoomId>,
    pub(crate) timeline_limit: Option<i32>,
    pub(crate) filter: Option<Arc<Filter>>,
}

/// Everything a client needs to show its first screen.
pub(crate) struct InitialSync {
    updates: Vec<RoomUpdate>,
    next: Option<SyncCursorScalar>,
    invites: Vec<Room>,
    closed: Vec<ClosedRoom>,
    user: User,
    position: PositionScalar,
}

/// Between which positions a page is, and from where it goes on.
struct Bounds {
    at: Position,
    since: Position,
    before: Position,
    invites_before: Position,
    is_first: bool,
}

impl Bounds {
    fn of(app: &App, view: &View<'_>, arguments: &SyncArguments) -> Result<Self, Fault> {
        let since = arguments.since.as_ref().map(|since| app.position(since)).transpose()?;
        let since = since.unwrap_or_default();
        let Some(after) = &arguments.after else {
            let at = view.position();
            let before = Position(u64::MAX);
            let (since, invites_before) = (since.min(at), before);
            return Ok(Self { at, since, before, invites_before, is_first: true });
        };
        let place = after.0.open(&app.token_key, app.log.epoch());
        let place = place.filter(|place| place.at <= view.position());
        let SyncPlace { at, since: begun, before, invites_before } =
            place.ok_or_else(Fault::position_unknown)?;
        if arguments.since.is_some() && since != begun {
            return Err(Fault::bad_input("`since` has to be the same on every page"));
        }
        let since = begun;
        Ok(Self { at, since, before, invites_before, is_first: false })
    }
}

impl InitialSync {
    /// A page of the viewer's rooms, with everything else at the same position.
    pub(crate) async fn of(context: &Context<'_>, arguments: SyncArguments) -> Result<Self> {
        let (app, viewer) = (app(context), session(context).viewer()?.to_owned());
        let limit = page_size("first", arguments.first, PAGE_DEFAULT)?;
        let events = arguments.timeline_limit;
        let events =
            events.map(|_| page_size("timelineLimit", events, TIMELINE_DEFAULT)).transpose()?;
        let (sync, recent) = {
            let view = app.models.view();
            let bounds = Bounds::of(app, &view, &arguments)?;
            let page = pick(&view, &viewer, &bounds, &arguments, limit)
                .map_err(|error| Fault::internal(&error.to_string()))?;
            let recent = recent(context, &page.0, events);
            (assemble(app, &view, &viewer, &bounds, &arguments, events, page)?, recent)
        };
        // What the fields of the rooms are about to read, read at once.
        app.models
            .read_ahead(recent)
            .await
            .map_err(|error| Fault::unavailable(&error.to_string()))?;
        Ok(sync)
    }
}

/// The rooms of the page, and where the next one begins.
fn pick<'a>(
    view: &'a View<'_>,
    viewer: &UserId,
    bounds: &Bounds,
    arguments: &SyncArguments,
    limit: usize,
) -> std::io::Result<(Vec<RoomView<'a>>, Option<Position>)> {
    let Bounds { at, since, before, .. } = *bounds;
    let wanted = WantedRooms { at, since, before, limit };
    if let Some(room) = &arguments.room_id {
        return Ok((view.room_as_of(viewer, room, wanted).into_iter().collect(), None));
    }
    let filter = arguments.filter.as_deref();
    let wants = |room: &rookery_domain::RoomId| filter.is_none_or(|it| it.wants_room(room));
    let page = view.rooms_as_of(viewer, wanted, wants)?;
    Ok((page.rooms, page.next))
}

fn assemble(
    app: &App,
    view: &View<'_>,
    viewer: &UserId,
    bounds: &Bounds,
    arguments: &SyncArguments,
    events: Option<usize>,
    (rooms, next): (Vec<RoomView<'_>>, Option<Position>),
) -> Result<InitialSync, Fault> {
    let Bounds { at, since, invites_before, is_first, .. } = *bounds;
    let is_now = at == view.position();
    let shown = |room: &RoomView<'_>| {
        let moment = Moment::new(at, arguments.filter.clone(), events);
        if is_now || room.activity() <= at {
            Room::at(room, viewer, moment)
        } else {
            Room::as_it_was(room.id().to_owned(), moment)
        }
    };
    let update = |room: &RoomView<'_>| -> std::io::Result<RoomUpdate> {
        let missed = if since == Position::ORIGIN {
            Missed::TooMuch
        } else {
            room.missed(viewer, since, at)?
        };
        let since = match missed {
            Missed::TooMuch => None,
            Missed::Events(rows) => Some(Since { at, rows }),
        };
        let limit = events.unwrap_or(TIMELINE_DEFAULT);
        Ok(RoomUpdate::new(shown(room), since, limit))
    };
    let updates = rooms.iter().map(update).collect::<std::io::Result<_>>();
    let updates = updates.map_err(|error| Fault::internal(&error.to_string()))?;
    let is_asked = |room: &rookery_domain::RoomId| {
        arguments.room_id.as_deref().is_none_or(|wanted| wanted == room)
    };
    // Whoever asks for one room is told its invite, however many others there are.
    let limit = if arguments.room_id.is_some() { usize::MAX } else { INVITES_MAX };
    let wanted = WantedRooms { at, since, before: invites_before, limit };
    let found = view.invites_as_of(viewer, wanted);
    let invites = found.rooms.iter().filter(|room| is_asked(room.id())).map(shown).collect();
    let mut closed = Vec::new();
    if is_first && since > Position::ORIGIN {
        closed = view.closed_since(viewer, since, at);
        closed.retain(|closed| is_asked(&closed.room_id));
        closed.sort_by_key(|closed| (closed.change.position, closed.change.sequence));
    }
    // There is another page of both as long as there is more of either.
    let next = (next.is_some() || found.next.is_some()).then(|| {
        let before = next.unwrap_or(Position::ORIGIN);
        let invites_before = found.next.unwrap_or(Position::ORIGIN);
        SyncPlace { at, since, before, invites_before }.seal(&app.token_key, app.log.epoch())
    });
    Ok(InitialSync {
        updates,
        next: next.map(SyncCursorScalar),
        invites,
        closed,
        user: User::with_profile(viewer.to_owned(), view.profile(viewer).cloned()),
        position: app.token(at),
    })
}

/// The commits of the events that the rooms of a page are about to show, as far as these are asked
/// for: reading them one room at a time would be slow.
fn recent(context: &Context<'_>, rooms: &[RoomView<'_>], events: Option<usize>) -> Vec<Position> {
    let asked = context.look_ahead();
    let is_asked = |field: &str| {
        asked.field("rooms").field(field).exists()
            || asked.field("updates").field("room").field(field).exists()
    };
    let mut positions = Vec::new();
    if is_asked("lastMessage") {
        positions.extend(rooms.iter().filter_map(|room| room.summary().last_message));
    }
    if is_asked("timeline") {
        let count = events.unwrap_or(TIMELINE_DEFAULT);
        let rows = rooms.iter().filter_map(|room| room.rows_before(None, count).ok());
        positions.extend(rows.flatten().map(|row| row.key));
    }
    positions.into_iter().map(|key| key.position).collect()
}

/// Everything a client needs to show its first screen, or what has changed since.
#[Object]
impl InitialSync {
    /// You.
    async fn user(&self) -> User {
        self.user.clone()
    }

    /// A page of the rooms that you have joined, the most recently active first; of a delta, those
    /// with something new.
    async fn rooms(&self) -> List<Room> {
        self.updates.iter().map(|update| update.room.clone()).collect()
    }

    /// The same rooms, with what has changed in each.
    async fn updates(&self) -> Items<'_, RoomUpdate> {
        Items(&self.updates)
    }

    /// Give it as `after` for the next page. Null if there are neither more rooms nor more invites.
    async fn next(&self) -> Option<&SyncCursorScalar> {
        self.next.as_ref()
    }

    /// A page of the rooms that you are invited to, 100 of them, the newest invite first; of a delta, of the new invites. The
    /// next 100 are on the next page, also if it has no rooms.
    async fn invites(&self) -> Items<'_, Room> {
        Items(&self.invites)
    }

    /// Of a delta: the rooms that were closed to you since, and the invites that are gone, in the
    /// order in which they were. On the first page only.
    async fn closed(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "The room after whose closing to go on.")] after: Option<RoomIdScalar>,
    ) -> Result<List<RoomClosed>> {
        let limit = page_size("first", first, PAGE_MAX)?;
        let start = match after {
            None => 0,
            Some(RoomIdScalar(after)) => {
                let found = self.closed.iter().position(|closed| closed.room_id == after);
                1 + found.ok_or_else(|| Fault::bad_input("`after` is no room of this list"))?
            }
        };
        let end = self.closed.len().min(start + limit);
        Ok(RoomClosed::read(context, &self.closed[start..end]).await?.into())
    }

    /// As of when everything is, on all pages. Follow `eventStream` from here: it goes on exactly
    /// where this ends.
    async fn position(&self) -> &PositionScalar {
        &self.position
    }
}
