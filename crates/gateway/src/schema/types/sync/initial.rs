//! The home screen: the data for a client's first screen, and the position for its stream.

use std::{cell::Cell, sync::Arc};

use async_graphql::{Context, Object, Result};
use rookery_domain::{Filter, OwnedRoomId, RoomId, UserId};
use rookery_log::Position;
use rookery_view::{CLOSED_MAX, ClosedRoom, Missed, Moved, RoomView, View, WantedRooms};

use super::{
    cursor::SyncPlace,
    update::{RoomUpdate, Since},
};
use crate::schema::{
    context::{App, PAGE_MAX, app, page_size, session, unless_absent},
    reads::reads,
    subscription::{RoomClosed, RoomClosedConnection},
    types::{
        errors::fault::Fault,
        rooms::{face::Moment, room::Room},
        users::user::User,
        values::{
            connection::{Page, key, not_of_this_list},
            list::{Items, List},
            scalars::{PositionScalar, SyncCursorScalar},
        },
    },
};

/// Rooms on a page, by default.
pub(crate) const PAGE_DEFAULT: usize = 20;

/// Events of each room, by default.
pub(crate) const TIMELINE_DEFAULT: usize = 20;

/// Invites on a page at most.
pub(crate) const INVITES_MAX: usize = 100;

/// The arguments of a sync.
pub(crate) struct SyncArguments {
    pub(crate) first: Option<i32>,
    pub(crate) after: Option<SyncCursorScalar>,
    pub(crate) since: Option<PositionScalar>,
    pub(crate) room_id: Option<OwnedRoomId>,
    pub(crate) timeline_limit: Option<i32>,
    pub(crate) filter: Option<Arc<Filter>>,
}

impl SyncArguments {
    fn wants(&self, room: &RoomId) -> bool {
        self.filter.as_deref().is_none_or(|filter| filter.wants_room(room))
    }
}

/// The data for a client's first screen.
pub(crate) struct InitialSync {
    updates: Vec<RoomUpdate>,
    next: Option<SyncCursorScalar>,
    invites: Vec<Room>,
    closed: Vec<ClosedRoom>,
    user: User,
    position: PositionScalar,
}

/// The positions of a page, and where it continues.
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

impl Bounds {
    /// Whether the page lists closed rooms.
    fn tells_closed(&self) -> bool {
        self.is_first && self.since > Position::ORIGIN
    }
}

impl InitialSync {
    /// A page of the viewer's rooms, with all other data at the same position.
    pub(crate) async fn of(context: &Context<'_>, arguments: SyncArguments) -> Result<Self> {
        let (app, viewer) = (app(context), session(context).viewer()?.to_owned());
        let limit = page_size("first", arguments.first, PAGE_DEFAULT)?;
        let events = arguments.timeline_limit;
        let events =
            events.map(|_| page_size("timelineLimit", events, TIMELINE_DEFAULT)).transpose()?;
        let moved = moved(context, &viewer, &arguments).await?;
        let (mut sync, rooms, recent) = {
            let view = app.models.view();
            let bounds = Bounds::of(app, &view, &arguments)?;
            let page = pick(context, &view, &viewer, &bounds, (&arguments, &moved), limit)?;
            if bounds.tells_closed() {
                let looked = view.closed_looked(&viewer, bounds.since);
                reads(context).look_at_rows(looked)?;
                if looked > CLOSED_MAX {
                    return Err(Fault::too_much_work().into());
                }
            }
            let recent = recent(context, &page.0, events);
            let rooms: Vec<_> = page.0.iter().map(|room| room.id().to_owned()).collect();
            let sync = assemble(app, &view, &viewer, &bounds, &arguments, events, page);
            (sync, (rooms, bounds), recent)
        };
        let (rooms, bounds) = rooms;
        missed(context, &viewer, &bounds, rooms.iter().zip(&mut sync.updates)).await?;
        // Reads the commits for the fields of the rooms at once.
        app.models
            .read_ahead(recent)
            .await
            .map_err(|error| Fault::unavailable(&error.to_string()))?;
        Ok(sync)
    }
}

/// The earlier activity of rooms that have been active since the first page. It may take long for
/// active rooms, so the models are released meanwhile.
async fn moved(context: &Context<'_>, viewer: &UserId, arguments: &SyncArguments) -> Result<Moved> {
    if arguments.after.is_none() || arguments.room_id.is_some() {
        return Ok(Moved::default());
    }
    let app = app(context);
    let at = Bounds::of(app, &app.models.view(), arguments)?.at;
    let wants = |room: &RoomId| arguments.wants(room);
    let moved = app.models.moved_since(viewer, at, &wants, &reads(context)).await;
    Ok(unless_absent(moved)?.unwrap_or_default())
}

/// Finds the events that a client with these rooms has missed, one room after the other.
async fn missed<'a>(
    context: &Context<'_>,
    viewer: &UserId,
    &Bounds { at, since, .. }: &Bounds,
    updates: impl Iterator<Item = (&'a OwnedRoomId, &'a mut RoomUpdate)>,
) -> Result<()> {
    if since == Position::ORIGIN {
        return Ok(());
    }
    let reads = reads(context);
    for (room, update) in updates {
        let missed = app(context).models.missed(room, viewer, (since, at), &reads).await;
        if let Some(Missed::Events(rows)) = unless_absent(missed)? {
            update.extends(Since { at, rows });
        }
    }
    Ok(())
}

/// The rooms of the page, and the begin of the next one.
fn pick<'a>(
    context: &Context<'_>,
    view: &'a View<'_>,
    viewer: &UserId,
    bounds: &Bounds,
    (arguments, moved): (&SyncArguments, &Moved),
    limit: usize,
) -> Result<(Vec<RoomView<'a>>, Option<Position>), Fault> {
    let Bounds { at, since, before, .. } = *bounds;
    let wanted = WantedRooms { at, since, before, limit };
    if let Some(room) = &arguments.room_id {
        return Ok((view.room_as_of(viewer, room, wanted).into_iter().collect(), None));
    }
    // A filter that accepts no room makes this check all of them.
    let looked = Cell::new(0);
    let wants = |room: &RoomId| {
        looked.set(looked.get() + 1);
        arguments.wants(room)
    };
    let page = view.rooms_as_of(viewer, wanted, wants, moved);
    reads(context).look_at_rows(looked.get())?;
    let page = page.map_err(|error| Fault::internal(&error.to_string()))?;
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
) -> InitialSync {
    let Bounds { at, since, invites_before, .. } = *bounds;
    let is_now = at == view.position();
    let shown = |room: &RoomView<'_>| {
        let moment = Moment::new(at, arguments.filter.clone(), events);
        if is_now || room.activity() <= at {
            Room::at(room, viewer, moment)
        } else {
            Room::as_it_was(room.id().to_owned(), moment)
        }
    };
    let limit = events.unwrap_or(TIMELINE_DEFAULT);
    let updates = rooms.iter().map(|room| RoomUpdate::new(shown(room), limit)).collect();
    let is_asked = |room: &RoomId| arguments.room_id.as_deref().is_none_or(|wanted| wanted == room);
    // A request for one room gets its invite, however many others there are.
    let limit = if arguments.room_id.is_some() { usize::MAX } else { INVITES_MAX };
    let wanted = WantedRooms { at, since, before: invites_before, limit };
    let found = view.invites_as_of(viewer, wanted);
    let invites = found.rooms.iter().filter(|room| is_asked(room.id())).map(shown).collect();
    let mut closed = Vec::new();
    if bounds.tells_closed() {
        closed = view.closed_since(viewer, since, at);
        closed.retain(|closed| is_asked(&closed.room_id));
        closed.sort_by_key(|closed| (closed.change.position, closed.change.sequence));
    }
    // There is another page of both while there is more of either.
    let next = (next.is_some() || found.next.is_some()).then(|| {
        let before = next.unwrap_or(Position::ORIGIN);
        let invites_before = found.next.unwrap_or(Position::ORIGIN);
        SyncPlace { at, since, before, invites_before }.seal(&app.token_key, app.log.epoch())
    });
    InitialSync {
        updates,
        next: next.map(SyncCursorScalar),
        invites,
        closed,
        user: User::with_profile(viewer.to_owned(), view.profile(viewer).cloned()),
        position: app.token(at),
    }
}

/// The commits of the events that the rooms of a page will show, if these are requested: reading
/// them one room at a time would be slow.
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
