//! Pages of a room's timeline, and its state.

mod anchor;

use std::sync::Arc;

use async_graphql::{Context, Enum, Object, Result, SimpleObject};
use rookery_domain::{Filter, OwnedEventId, OwnedRoomId};
use rookery_log::Position;
use rookery_projection::RowKey;
use rookery_view::{Anchor, Around, Begins, Kept, TimelineEvent, TimelinePage, WantedState};

use self::anchor::anchor;
use super::room::Room;
use crate::{
    context::{PAGE_MAX, app, page_size, session},
    reads::reads,
    types::{
        errors::fault::Fault,
        events::event::RoomEvent,
        values::{
            connection::{Page, key, not_of_this_list},
            list::List,
            scalars::{CursorScalar, DateTime, EventIdScalar, PositionScalar},
        },
    },
};

/// Events on a page, by default.
pub const PAGE_DEFAULT: usize = 50;

/// The arguments of a timeline.
pub struct TimelineArguments {
    /// How many events, scrolling forward.
    pub first: Option<i32>,
    /// Events after this cursor.
    pub after: Option<CursorScalar>,
    /// How many events, scrolling back.
    pub last: Option<i32>,
    /// Events before this cursor.
    pub before: Option<CursorScalar>,
    /// An event, with events on its two sides.
    pub around: Option<EventIdScalar>,
    /// A moment; `first` or `last` says on which side of it the page is.
    pub at: Option<DateTime>,
    /// The filter for events.
    pub filter: Option<Arc<Filter>>,
    /// Whether to ask other servers for older events.
    pub backfill: bool,
    /// Only the messages of the thread that this event began.
    pub of_thread: Option<OwnedEventId>,
}

impl TimelineArguments {
    /// The last events.
    pub fn last(last: Option<i32>) -> Self {
        Self {
            first: None,
            after: None,
            last,
            before: None,
            around: None,
            at: None,
            filter: None,
            backfill: false,
            of_thread: None,
        }
    }
}

/// A page of a timeline, in the order of the timeline.
pub struct TimelineConnection {
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
pub struct TimelineEdge {
    /// The place.
    cursor: CursorScalar,
    /// The event.
    node: RoomEvent,
}

/// The place of a page in the timeline.
#[derive(SimpleObject)]
#[expect(clippy::struct_excessive_bools, reason = "two are of Relay, two of the timeline")]
#[graphql(name = "TimelinePageInfo")]
pub struct TimelinePageInfo {
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
pub enum TimelineStart {
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
    pub fn missed(room: &Room, events: Vec<TimelineEvent>, has_previous: bool) -> Self {
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
pub async fn page(
    context: &Context<'_>,
    room: &Room,
    arguments: TimelineArguments,
) -> Result<TimelineConnection> {
    let filter = arguments.filter.clone().or_else(|| room.filter().cloned());
    if let Some(event) = &arguments.around {
        let TimelineArguments { first, after, last, before, at, .. } = &arguments;
        if after.is_some() || before.is_some() || at.is_some() {
            let message = "do not combine `around` with `after`, `before` or `at`";
            return Err(Fault::bad_input(message).into());
        }
        return around(context, room, event, first.or(*last), filter.as_deref()).await;
    }
    if let (Some(at), true) = (&arguments.at, arguments.backfill) {
        let (app, viewer) = (app(context), session(context).viewer()?);
        let reached = app.models.reach_back(room.matrix_id(), viewer, at.0, &*app.backfill);
        reads(context).found(reached.await)?;
    }
    let (anchor, limit) = anchor(context, room, &arguments).await?;
    let TimelineArguments { backfill, of_thread, .. } = arguments;
    let (viewer, reads) = (session(context).viewer()?, reads(context));
    let kept =
        Kept { filter: filter.as_deref(), of_thread: of_thread.as_deref(), until: room.as_of() };
    let app = app(context);
    let backfill = backfill.then_some(&*app.backfill);
    let wanted = (anchor, limit, kept);
    let page =
        app.models.shown_timeline(room.matrix_id(), viewer, wanted, backfill, reads.within());
    let page = reads.found(page.await)?.unwrap_or_default();
    Ok(TimelineConnection::of(room, page, anchor))
}

async fn around(
    context: &Context<'_>,
    room: &Room,
    event: &EventIdScalar,
    limit: Option<i32>,
    filter: Option<&Filter>,
) -> Result<TimelineConnection> {
    let limit = page_size("first", limit, PAGE_DEFAULT / 2)?;
    let (viewer, reads) = (session(context).viewer()?, reads(context));
    let wanted = (limit, filter);
    let models = &app(context).models;
    let found = models.shown_around(room.matrix_id(), viewer, &event.0, wanted, reads.within());
    let Some(Around { event, before, after }) = reads.found(found.await)? else {
        return Err(
            Fault::bad_input("`around` is not an event of this room that you may see").into()
        );
    };
    Ok(TimelineConnection {
        room: room.matrix_id().clone(),
        has_previous: before.has_more,
        has_next: after.has_more,
        start: before.resume,
        end: after.resume,
        events: before.events.into_iter().chain([event]).chain(after.events).collect(),
        position: after.position,
        as_of: room.as_of(),
        begins: before.begins,
    })
}

/// The last message of the room that the viewer may see: `newest` if the viewer may see that.
pub async fn last_message(
    context: &Context<'_>,
    room: &Room,
    newest: Option<RowKey>,
) -> Result<Option<RoomEvent>> {
    let (viewer, reads) = (session(context).viewer()?, reads(context));
    let filter = room.filter().map(|filter| &**filter);
    let kept = Kept { filter, of_thread: None, until: room.as_of() };
    let models = &app(context).models;
    let wanted = (newest, kept);
    let found = models.last_message(room.matrix_id(), viewer, wanted, reads.within()).await;
    let event = reads.found(found)?.flatten();
    let event = event.and_then(|event| RoomEvent::of_timeline(&event));
    Ok(event.map(|event| event.shown_as_of(room.as_of())))
}

/// The event that holds the slot with this type and an empty state key.
pub async fn slot(
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
    Ok(Box::pin(state(context, room, wanted)).await?.into_first())
}

/// The arguments of a room's state.
pub struct StateArguments<'a> {
    /// Only this type.
    pub event_type: Option<&'a str>,
    /// Only this state key.
    pub state_key: Option<&'a str>,
    /// How many events.
    pub first: Option<i32>,
    /// The cursor of a slot.
    pub after: Option<&'a str>,
}

/// The character between the type and the state key of a slot in its cursor. Types do not contain it.
const IN_SLOT: char = '\n';

/// The key of the slot that an event holds.
pub fn slot_key(event: &RoomEvent) -> String {
    let pdu = event.as_pdu();
    format!("{}{IN_SLOT}{}", pdu.kind, pdu.state_key.as_deref().unwrap_or_default())
}

/// A page of the events that hold the state of the room, by type and state key.
pub async fn state(
    context: &Context<'_>,
    room: &Room,
    arguments: StateArguments<'_>,
) -> Result<Page<RoomEvent>> {
    let limit = page_size("first", arguments.first, PAGE_MAX)?;
    let slot = |after: &str| {
        let slot = key(after)?;
        let (kind, state_key) = slot.split_once(IN_SLOT).ok_or_else(not_of_this_list)?;
        Ok::<_, Fault>((kind.to_owned(), state_key.to_owned()))
    };
    let after = arguments.after.map(slot).transpose()?;
    let (viewer, reads) = (session(context).viewer()?, reads(context));
    let wanted = WantedState {
        kind: arguments.event_type,
        state_key: arguments.state_key,
        after: after.as_ref(),
        as_of: room.as_of(),
        limit: limit + 1,
    };
    let events = app(context).models.state(room.matrix_id(), viewer, wanted, &reads).await;
    let events = reads.found(events)?.unwrap_or_default();
    let events = events.iter().filter_map(RoomEvent::of_timeline).collect();
    Ok(Page::read(events, limit, after.is_some(), slot_key))
}
