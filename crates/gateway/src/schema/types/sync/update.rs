//! The changes of a room that a client knows.
//!
//! **Invariant:** an extended copy is complete: the missed events and the gap, if there is one,
//! join the copy; and every changed slot of the state is present with its last event.

use std::{collections::BTreeSet, sync::Arc};

use async_graphql::{Context, Object, Result};
use rookery_domain::{Filter, OwnedEventId};
use rookery_log::Position;
use rookery_projection::{RowKey, TimelineRow};
use rookery_view::TimelineEvent;
use tokio::sync::OnceCell;

use crate::schema::{
    context::{PAGE_MAX, app, page_size, session, unless_absent},
    reads::reads,
    types::{
        errors::fault::Fault,
        events::event::RoomEvent,
        rooms::{
            pages::RoomStateConnection,
            room::{Access, Room},
            timeline::{self, TimelineArguments, TimelineConnection},
        },
        values::{
            connection::{Page, key, not_of_this_list},
            scalars::CursorScalar,
        },
    },
};

/// Events that are read before others get a turn.
const READ_AT_ONCE: usize = 256;

/// The changes of a room since a position.
pub(crate) struct Since {
    /// The position of the answer.
    pub(crate) at: Position,
    /// The events between, in the order of the timeline.
    pub(crate) rows: Vec<TimelineRow>,
}

/// A room of a sync, with the changes for your copy of it.
pub(crate) struct RoomUpdate {
    pub(crate) room: Room,
    /// `None` if the copy has to be replaced.
    since: Option<Arc<Since>>,
    limit: usize,
    /// Read once, on first use.
    last: OnceCell<Last>,
    changes: OnceCell<Vec<RowKey>>,
}

/// The last of the missed events, and whether there are more.
struct Last {
    events: Vec<TimelineEvent>,
    has_more: bool,
}

impl RoomUpdate {
    /// A new copy of the room.
    pub(crate) fn new(room: Room, limit: usize) -> Self {
        Self { room, since: None, limit, last: OnceCell::new(), changes: OnceCell::new() }
    }

    /// Makes it extend the client's copy by the missed events.
    pub(crate) fn extends(&mut self, since: Since) {
        self.since = Some(Arc::new(since));
    }

    /// The last of the missed events that the client wants.
    async fn last(&self, context: &Context<'_>, since: &Since) -> Result<&Last> {
        self.last.get_or_try_init(|| self.read_last(context, since)).await
    }

    async fn read_last(&self, context: &Context<'_>, since: &Since) -> Result<Last> {
        let filter = self.room.filter().map(|filter| &**filter);
        // As on the stream, late events are only for clients that ask for them.
        let includes_late = filter.is_some_and(|filter| filter.include_late);
        let rows = since.rows.iter().filter(|row| includes_late || !row.flags.is_late());
        let mut rows: Vec<_> = rows.copied().collect();
        let filter = filter.filter(|filter| !filter.wants_every_event());
        if filter.is_none() {
            let end = rows.len().saturating_sub(self.limit + 1);
            rows.drain(..end);
        }
        let mut events = read(context, &rows).await?;
        events.retain(|event| wants(filter, event));
        let first = events.len().saturating_sub(self.limit);
        Ok(Last { has_more: first > 0, events: events.split_off(first) })
    }

    /// Whether the viewer is still in the room.
    fn is_shown(&self, context: &Context<'_>) -> Result<bool> {
        self.room.look(context, Access::Inside, |_| true)
    }
}

fn wants(filter: Option<&Filter>, event: &TimelineEvent) -> bool {
    filter.is_none_or(|filter| filter.wants(&event.event().pdu))
}

async fn read(context: &Context<'_>, rows: &[TimelineRow]) -> Result<Vec<TimelineEvent>> {
    let reads = reads(context);
    let mut events = Vec::with_capacity(rows.len());
    for some in rows.chunks(READ_AT_ONCE) {
        reads.pause().await?;
        let read = app(context).models.events(some).await;
        let read = read.map_err(|error| Fault::unavailable(&error.to_string()))?;
        reads.keep(&read).await?;
        reads.look_at(read.len())?;
        events.extend(read);
    }
    Ok(events)
}

impl RoomUpdate {
    /// The events that hold the changed slots, by type and state key.
    async fn read_changes(&self, context: &Context<'_>, since: &Since) -> Result<Vec<RowKey>> {
        let mut slots = BTreeSet::new();
        for event in read(context, &since.rows).await? {
            let changes = event.event().state_changes();
            slots.extend(changes.map(|it| (it.kind.into_owned(), it.state_key.to_owned())));
        }
        let reads = reads(context);
        reads.look_at_rows(slots.len())?;
        if !self.is_shown(context)? {
            return Ok(Vec::new());
        }
        let models = &app(context).models;
        let held = models.held_at(self.room.matrix_id(), &slots, since.at, &reads).await;
        Ok(unless_absent(held)?.unwrap_or_default())
    }
}

/// A room of a sync, with the changes for your copy of it.
#[Object]
impl RoomUpdate {
    /// The room, as of the position of the sync.
    async fn room(&self) -> Room {
        self.room.clone()
    }

    /// Whether to discard your copy of the room: you have none, you were not in the room all the
    /// time, or you have missed more than 1,000 events. Otherwise add the data here to it.
    async fn is_replacement(&self) -> bool {
        self.since.is_none()
    }

    /// The latest events: those that you missed, at most `timelineLimit` of them; for a replaced
    /// copy, the end of the timeline.
    async fn timeline(&self, context: &Context<'_>) -> Result<TimelineConnection> {
        let Some(since) = &self.since else {
            let last = i32::try_from(self.limit).ok();
            return timeline::page(context, &self.room, TimelineArguments::last(last)).await;
        };
        if !self.is_shown(context)? {
            return Ok(TimelineConnection::missed(&self.room, Vec::new(), false));
        }
        let Last { events, has_more } = self.last(context, since).await?;
        Ok(TimelineConnection::missed(&self.room, events.clone(), *has_more))
    }

    /// If you missed more events than are here: scroll back from this cursor until you meet your
    /// copy. Null if there is no gap, and if the copy is replaced.
    async fn gap(&self, context: &Context<'_>) -> Result<Option<CursorScalar>> {
        let Some(since) = &self.since else { return Ok(None) };
        let Last { events, has_more } = self.last(context, since).await?;
        let first = events.first().filter(|_| *has_more).and_then(RoomEvent::of_timeline);
        Ok(first.map(|event| event.cursor_in(app(context))))
    }

    /// The state that changed since: for each type and state key the event that holds it now, for
    /// any filter. Empty if the copy is replaced: read the state of the room.
    async fn state_changes(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, from 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to continue.")] after: Option<String>,
    ) -> Result<RoomStateConnection> {
        let limit = page_size("first", first, PAGE_MAX)?;
        let Some(since) = &self.since else {
            return Ok(RoomStateConnection(Page::default()));
        };
        let after = after.as_deref().map(key).transpose()?;
        let after: Option<OwnedEventId> =
            after.map(TryInto::try_into).transpose().map_err(|_| not_of_this_list())?;
        session(context).viewer()?;
        let changes = self.changes.get_or_try_init(|| self.read_changes(context, since)).await?;
        let start = match &after {
            None => 0,
            Some(after) => {
                let view = app(context).models.view();
                let place =
                    view.event(after).map_err(|error| Fault::internal(&error.to_string()))?;
                let is_it = |key: &RowKey| {
                    place.as_ref().is_some_and(|place| {
                        (place.position, place.index) == (key.position, key.index.into())
                    })
                };
                let found = changes.iter().position(is_it);
                1 + found.ok_or_else(not_of_this_list)?
            }
        };
        let held = &changes[start..changes.len().min(start + limit + 1)];
        let events = app(context).models.events_at(self.room.matrix_id(), held).await;
        let events = unless_absent(events)?.unwrap_or_default();
        reads(context).keep(&events).await?;
        let events = events.iter().filter_map(RoomEvent::of_timeline);
        let events = events.map(|event| event.shown_as_of(self.room.as_of())).collect();
        let key = |event: &RoomEvent| event.as_pdu().event_id.to_string();
        Ok(RoomStateConnection(Page::read(events, limit, after.is_some(), key)))
    }
}
