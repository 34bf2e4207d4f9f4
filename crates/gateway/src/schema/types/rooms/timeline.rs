//! Pages of a room's timeline, and its state.

use std::sync::Arc;

use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use rookery_domain::{EventId, Filter, OwnedEventId, OwnedRoomId, Pdu, Relation, RelationKind};
use rookery_log::Position;
use rookery_projection::{RowKey, TimelineRow};
use rookery_view::{Anchor, Begins, Meter, TimelineEvent, TimelinePage, Wanted, WantedSlots};

use super::room::{Access, Room};
use crate::schema::{
    context::{PAGE_MAX, STALE_AFTER, app, page_size, session, unless_absent},
    reads::reads,
    types::{
        errors::fault::Fault,
        events::event::RoomEvent,
        values::{
            connection::{Page, key, not_of_this_list},
            list::List,
            scalars::{CursorScalar, EventIdScalar, PositionScalar},
        },
    },
};

/// Events on a page, by default.
pub(crate) const PAGE_DEFAULT: usize = 50;

/// The arguments of a timeline.
pub(crate) struct TimelineArguments {
    pub(crate) first: Option<i32>,
    pub(crate) after: Option<CursorScalar>,
    pub(crate) last: Option<i32>,
    pub(crate) before: Option<CursorScalar>,
    pub(crate) around: Option<EventIdScalar>,
    pub(crate) filter: Option<Arc<Filter>>,
    pub(crate) backfill: bool,
    /// Only the messages of the thread that this event began.
    pub(crate) of_thread: Option<OwnedEventId>,
}

impl TimelineArguments {
    /// The last events.
    pub(crate) fn last(last: Option<i32>) -> Self {
        Self {
            first: None,
            after: None,
            last,
            before: None,
            around: None,
            filter: None,
            backfill: false,
            of_thread: None,
        }
    }
}

/// A page of a timeline, in the order of the timeline.
pub(crate) struct TimelineConnection {
    room: OwnedRoomId,
    events: Vec<TimelineEvent>,
    has_previous: bool,
    has_next: bool,
    /// Where to continue when no event of the page was visible.
    start: Option<RowKey>,
    end: Option<RowKey>,
    position: Position,
    /// The position as of which the room is shown, if that is not now.
    as_of: Option<Position>,
    begins: Begins,
}

/// An event in its place.
#[derive(SimpleObject)]
pub(crate) struct TimelineEdge {
    /// The place.
    cursor: CursorScalar,
    /// The event.
    node: RoomEvent,
}

/// The place of a page in the timeline.
#[derive(SimpleObject)]
#[expect(clippy::struct_excessive_bools, reason = "two are of Relay, two of the timeline")]
#[graphql(name = "TimelinePageInfo")]
pub(crate) struct TimelinePageInfo {
    /// Whether there are events before this page that you may see, or may be some.
    has_previous_page: bool,
    /// Whether there are events after this page that you may see, or may be some.
    has_next_page: bool,
    /// The cursor for the events before it.
    start_cursor: Option<CursorScalar>,
    /// The cursor for the events after it.
    end_cursor: Option<CursorScalar>,
    /// The part of the timeline before the page.
    timeline_start: TimelineStart,
    /// Whether this server has older events that you may see, or may have some.
    has_more_locally: bool,
    /// Whether other servers have older events that this one lacks: ask for them with `backfill`.
    has_more_remotely: bool,
}

/// The part of the timeline before the first event of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum TimelineStart {
    /// Nothing: this is the start of the room.
    RoomCreated,
    /// Events that you may not see.
    NotVisible,
    /// Older events, here or on other servers.
    More,
}

impl TimelineStart {
    fn of(begins: Begins) -> Self {
        match begins {
            Begins::Created => Self::RoomCreated,
            Begins::NotVisible => Self::NotVisible,
            Begins::More | Begins::Missing => Self::More,
        }
    }
}

/// A page of a timeline, in the order of the timeline, oldest first.
#[Object]
impl TimelineConnection {
    /// The events with their cursors.
    async fn edges(&self, context: &Context<'_>) -> List<TimelineEdge> {
        let edge = |event: &TimelineEvent| {
            let cursor = self.cursor(context, event.row.key);
            let node = RoomEvent::of_timeline(event)?.shown_as_of(self.as_of);
            Some(TimelineEdge { cursor, node })
        };
        self.events.iter().filter_map(edge).collect()
    }

    /// The events.
    async fn nodes(&self) -> List<RoomEvent> {
        let events = self.events.iter().filter_map(RoomEvent::of_timeline);
        events.map(|event| event.shown_as_of(self.as_of)).collect()
    }

    /// The place of the page in the timeline.
    async fn page_info(&self, context: &Context<'_>) -> TimelinePageInfo {
        let key = |event: Option<&TimelineEvent>| event.map(|event| event.row.key);
        let start = self.start.or_else(|| key(self.events.first()));
        let end = self.end.or_else(|| key(self.events.last()));
        TimelinePageInfo {
            has_previous_page: self.has_previous,
            has_next_page: self.has_next,
            start_cursor: start.map(|start| self.cursor(context, start)),
            end_cursor: end.map(|end| self.cursor(context, end)),
            timeline_start: TimelineStart::of(self.begins),
            has_more_locally: self.has_previous,
            has_more_remotely: self.begins == Begins::Missing,
        }
    }

    /// Follow `eventStream` from here to miss no event after the newest page.
    async fn position(&self, context: &Context<'_>) -> PositionScalar {
        app(context).token(self.position)
    }
}

impl TimelineConnection {
    fn cursor(&self, context: &Context<'_>, key: RowKey) -> CursorScalar {
        app(context).cursor(&self.room, key)
    }

    /// The events of a known room that a client has missed.
    pub(crate) fn missed(room: &Room, events: Vec<TimelineEvent>, has_previous: bool) -> Self {
        Self {
            room: room.matrix_id().clone(),
            events,
            has_previous,
            has_next: false,
            start: None,
            end: None,
            position: room.as_of().unwrap_or_default(),
            as_of: room.as_of(),
            begins: Begins::More,
        }
    }

    fn of(room: &Room, page: TimelinePage, anchor: Anchor) -> Self {
        let backward = matches!(anchor, Anchor::End | Anchor::Before(_));
        Self {
            room: room.matrix_id().clone(),
            has_previous: if backward { page.has_more } else { matches!(anchor, Anchor::After(_)) },
            has_next: if backward { matches!(anchor, Anchor::Before(_)) } else { page.has_more },
            start: page.resume.filter(|_| backward),
            end: page.resume.filter(|_| !backward),
            events: page.events,
            position: page.position,
            as_of: room.as_of(),
            begins: page.begins,
        }
    }
}

/// The page for `arguments`.
pub(crate) async fn page(
    context: &Context<'_>,
    room: &Room,
    arguments: TimelineArguments,
) -> Result<TimelineConnection> {
    let TimelineArguments { first, after, last, before, around, filter, backfill, of_thread } =
        arguments;
    let filter = filter.or_else(|| room.filter().cloned());
    if let Some(event) = around {
        if after.is_some() || before.is_some() {
            return Err(Fault::bad_input("do not combine `around` with `after` or `before`").into());
        }
        return self::around(context, room, &event, first.or(last), filter.as_deref()).await;
    }
    let key = |cursor: &CursorScalar| {
        let app = app(context);
        let key = cursor.0.at(&app.token_key, app.log.epoch(), room.matrix_id());
        key.map_err(|error| Fault::bad_input(error.to_string()))
    };
    let default = room.timeline_limit().unwrap_or(PAGE_DEFAULT);
    let (anchor, limit) = match (first, &after, last, &before) {
        (None, None, last, Some(before)) => {
            (Anchor::Before(key(before)?), page_size("last", last, default)?)
        }
        (None, None, last, None) => (Anchor::End, page_size("last", last, default)?),
        (first, Some(after), None, None) => {
            (Anchor::After(key(after)?), page_size("first", first, default)?)
        }
        (first, None, None, None) => (Anchor::Start, page_size("first", first, default)?),
        _ => {
            return Err(Fault::bad_input(
                "give `last` and `before` to scroll back, or `first` and `after` to scroll \
                 forward, not both",
            )
            .into());
        }
    };
    let kept = Kept { filter: filter.as_deref(), of_thread: of_thread.as_deref() };
    let mut page = read(context, room, anchor, limit, &kept).await?;
    let asks_others = backfill && matches!(anchor, Anchor::End | Anchor::Before(_));
    if asks_others && page.begins == Begins::Missing && page.events.len() < limit {
        let missing = limit - page.events.len();
        if fetch_older(context, room, missing).await? {
            page = read(context, room, anchor, limit, &kept).await?;
        }
    }
    Ok(TimelineConnection::of(room, page, anchor))
}

/// The events of a timeline that a page keeps.
struct Kept<'a> {
    filter: Option<&'a Filter>,
    of_thread: Option<&'a EventId>,
}

impl Kept<'_> {
    fn is_all(&self) -> bool {
        self.of_thread.is_none() && self.filter.is_none_or(Filter::wants_every_event)
    }

    fn has(&self, event: &Pdu) -> bool {
        let is_in = |root: &EventId| {
            let relation = Relation::of(event).and_then(|relation| relation.to);
            matches!(relation, Some((to, RelationKind::Thread { .. })) if to == root)
        };
        self.filter.is_none_or(|filter| filter.wants(event)) && self.of_thread.is_none_or(is_in)
    }
}

/// A page of the events on this server. It is empty for a room that the viewer may not see.
async fn read(
    context: &Context<'_>,
    room: &Room,
    anchor: Anchor,
    limit: usize,
    kept: &Kept<'_>,
) -> Result<TimelinePage> {
    let viewer = session(context).viewpoint()?;
    let wants = |event: &TimelineEvent| kept.has(&event.event().pdu);
    let wanted = Wanted {
        anchor,
        limit,
        filter: if kept.is_all() { None } else { Some(&wants) },
        until: room.as_of(),
    };
    let page = reads(context).timeline(app(context), room.matrix_id(), &viewer, wanted).await?;
    let nothing = TimelinePage { begins: Begins::NotVisible, ..TimelinePage::default() };
    Ok(unless_absent(page)?.unwrap_or(nothing))
}

/// Asks other servers for events before the oldest one of the room, and waits until the read side
/// has them. Returns `false` if none came.
async fn fetch_older(context: &Context<'_>, room: &Room, limit: usize) -> Result<bool> {
    let app = app(context);
    let oldest = {
        let view = app.models.view();
        let rows = view.room(room.matrix_id()).map(|room| room.rows_after(None, 1)).transpose();
        rows.map_err(|error| Fault::internal(&error.to_string()))?.unwrap_or_default()
    };
    let keys: Vec<_> = oldest.iter().map(|row| row.key).collect();
    let events = unless_absent(app.models.events_at(room.matrix_id(), &keys).await)?;
    let events = events.unwrap_or_default();
    let oldest: Vec<_> = events.iter().map(|event| event.event().pdu.event_id.clone()).collect();
    let fetched = app.backfill.fetch_before(room.matrix_id(), &oldest, limit).await;
    match fetched.map_err(|error| Fault::unavailable(&error.reason))? {
        None => Ok(false),
        Some(position) => {
            app.models.wait_for(position, STALE_AFTER).await.map_err(|_| Fault::stale())?;
            Ok(true)
        }
    }
}

async fn around(
    context: &Context<'_>,
    room: &Room,
    event: &EventIdScalar,
    limit: Option<i32>,
    filter: Option<&Filter>,
) -> Result<TimelineConnection> {
    let limit = page_size("first", limit, PAGE_DEFAULT / 2)?;
    let viewer = session(context).viewpoint()?;
    let filter = filter.filter(|filter| !filter.wants_every_event());
    let wants =
        |event: &TimelineEvent| filter.is_none_or(|filter| filter.wants(&event.event().pdu));
    let reads = reads(context);
    let found = app(context).models.around_within(
        room.matrix_id(),
        &viewer,
        &event.0,
        (limit, if filter.is_some() { Some(&wants) } else { None }),
        (&reads as &dyn Meter, reads.scans()),
    );
    let Some(found) = unless_absent(found.await)? else {
        return Err(
            Fault::bad_input("`around` is not an event of this room that you may see").into()
        );
    };
    let (before, after) = (found.before, found.after);
    reads.keep(std::slice::from_ref(&found.event)).await?;
    reads.keep(&before.events).await?;
    reads.keep(&after.events).await?;
    Ok(TimelineConnection {
        room: room.matrix_id().clone(),
        has_previous: before.has_more,
        has_next: after.has_more,
        start: before.resume,
        end: after.resume,
        events: before.events.into_iter().chain([found.event]).chain(after.events).collect(),
        position: after.position,
        as_of: room.as_of(),
        begins: before.begins,
    })
}

/// The last message of the room that the viewer may see: `newest` if the viewer may see that.
pub(crate) async fn last_message(
    context: &Context<'_>,
    room: &Room,
    newest: Option<RowKey>,
) -> Result<Option<RoomEvent>> {
    let viewer = session(context).viewpoint()?;
    let wants =
        |event: &TimelineEvent| room.filter().is_none_or(|filter| filter.wants(&event.event().pdu));
    let seen = {
        let view = app(context).models.view();
        let Some(found) = view.room(room.matrix_id()) else { return Ok(None) };
        let row = newest.map(|key| found.row(key)).transpose();
        let row = row.map_err(|error| Fault::internal(&error.to_string()))?.flatten();
        let until = room.as_of();
        let was_there = |row: &TimelineRow| until.is_none_or(|until| row.key.position <= until);
        let row = row.filter(|row| was_there(row) && found.sight(&viewer).sees(row.sequence));
        row.map(|row| row.key)
    };
    let events = if let Some(key) = seen {
        reads(context).pause().await?;
        unless_absent(app(context).models.events_at(room.matrix_id(), &[key]).await)?
            .filter(|events| events.iter().all(wants))
    } else {
        None
    };
    let events = if events.is_some() {
        events
    } else {
        // The viewer may not see it, or it is not wanted: search for the latest one that they may
        // see.
        let is_message =
            |event: &TimelineEvent| Relation::stands_alone(&event.event().pdu) && wants(event);
        let (anchor, until) = (Anchor::End, room.as_of());
        let wanted = Wanted { anchor, limit: 1, filter: Some(&is_message), until };
        let page = reads(context).timeline(app(context), room.matrix_id(), &viewer, wanted).await?;
        unless_absent(page)?.map(|page| page.events)
    };
    reads(context).keep(events.as_deref().unwrap_or_default()).await?;
    let event = events.and_then(|mut events| events.pop());
    let event = event.and_then(|event| RoomEvent::of_timeline(&event));
    Ok(event.map(|event| event.shown_as_of(room.as_of())))
}

/// The event that holds the slot with this type and an empty state key.
pub(crate) async fn slot(
    context: &Context<'_>,
    room: &Room,
    event_type: &str,
) -> Result<Option<RoomEvent>> {
    let wanted = StateArguments {
        event_type: Some(event_type),
        state_key: Some(""),
        first: None,
        after: None,
    };
    Ok(state(context, room, wanted).await?.into_first())
}

/// The arguments of a room's state.
pub(crate) struct StateArguments<'a> {
    pub(crate) event_type: Option<&'a str>,
    pub(crate) state_key: Option<&'a str>,
    pub(crate) first: Option<i32>,
    /// The cursor of a slot.
    pub(crate) after: Option<&'a str>,
}

/// The character between the type and the state key of a slot in its cursor. Types do not contain it.
const IN_SLOT: char = '\n';

/// The key of the slot that an event holds.
pub(crate) fn slot_key(event: &RoomEvent) -> String {
    let pdu = event.as_pdu();
    format!("{}{IN_SLOT}{}", pdu.kind, pdu.state_key.as_deref().unwrap_or_default())
}

/// A page of the events that hold the state of the room, by type and state key.
pub(crate) async fn state(
    context: &Context<'_>,
    room: &Room,
    arguments: StateArguments<'_>,
) -> Result<Page<RoomEvent>> {
    let limit = page_size("first", arguments.first, PAGE_MAX)?;
    let (reads, mut keys) = (reads(context), Vec::new());
    let slot = |after: &str| {
        let slot = key(after)?;
        let (kind, state_key) = slot.split_once(IN_SLOT).ok_or_else(not_of_this_list)?;
        Ok::<_, Fault>((kind.to_owned(), state_key.to_owned()))
    };
    let mut after = arguments.after.map(slot).transpose()?;
    let has_previous = after.is_some();
    // In a sync, the state is of its position too: later changes are on the stream.
    let at = room.as_of().unwrap_or(Position(u64::MAX));
    loop {
        // The models are released between the steps.
        reads.pause().await?;
        let wanted = WantedSlots {
            kind: arguments.event_type,
            state_key: arguments.state_key,
            after: after.as_ref().map(|(kind, key)| (&**kind, &**key)),
            at,
            limit: limit + 1 - keys.len(),
        };
        let page = room.look(context, Access::Inside, |room| Some(room.slots(wanted)))?;
        let Some(page) = page else { break };
        reads.look_at_rows(page.looked)?;
        let models = &app(context).models;
        let held = models.held_at(room.matrix_id(), &page.slots, at, &reads).await;
        keys.extend(unless_absent(held)?.unwrap_or_default());
        after = page.resume;
        if after.is_none() || keys.len() > limit {
            break;
        }
    }
    let events = app(context).models.events_at(room.matrix_id(), &keys).await;
    let events = unless_absent(events)?.unwrap_or_default();
    reads.keep(&events).await?;
    let events = events.iter().filter_map(RoomEvent::of_timeline).collect();
    Ok(Page::read(events, limit, has_previous, slot_key))
}
