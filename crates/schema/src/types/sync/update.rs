//! The changes of a room that a client knows.

use async_graphql::{Context, Object, Result};
use rookery_domain::OwnedEventId;
use rookery_projection::RowKey;
use rookery_view::{LastMissed, MissedEvents};
use tokio::sync::OnceCell;

use crate::{
    context::{PAGE_MAX, app, page_size, session, unless_absent},
    reads::reads,
    types::{
        errors::fault::Fault,
        events::event::RoomEvent,
        rooms::{
            pages::RoomStateConnection,
            room::Room,
            timeline::{self, TimelineArguments, TimelineConnection},
        },
        values::{
            connection::{Page, key, not_of_this_list},
            scalars::CursorScalar,
        },
    },
};

/// A room of a sync, with the changes for your copy of it.
pub(crate) struct RoomUpdate {
    pub(crate) room: Room,
    /// `None` if the copy has to be replaced.
    missed: Option<MissedEvents>,
    limit: usize,
    /// Read once, on first use.
    last: OnceCell<LastMissed>,
    changes: OnceCell<Vec<RowKey>>,
}

impl RoomUpdate {
    /// A room with the events that the client has missed; without them, a new copy.
    pub(crate) fn new(room: Room, limit: usize, missed: Option<MissedEvents>) -> Self {
        Self { room, missed, limit, last: OnceCell::new(), changes: OnceCell::new() }
    }

    /// The last of the missed events that the client wants.
    async fn last(&self, context: &Context<'_>, missed: &MissedEvents) -> Result<&LastMissed> {
        let read = || async {
            let (viewer, reads) = (session(context).viewer()?, reads(context));
            let wanted = (self.room.filter().map(|filter| &**filter), self.limit);
            let room = (&**self.room.matrix_id(), viewer);
            let last = app(context).models.last_missed(room, missed, wanted, &reads).await;
            Ok::<_, Fault>(reads.found(last)?.unwrap_or_default())
        };
        Ok(self.last.get_or_try_init(read).await?)
    }

    /// The events that hold the changed slots, by type and state key.
    async fn changes(&self, context: &Context<'_>, missed: &MissedEvents) -> Result<&[RowKey]> {
        let read = || async {
            let (viewer, reads) = (session(context).viewer()?, reads(context));
            let room = (&**self.room.matrix_id(), viewer);
            let changes = app(context).models.missed_state(room, missed, &reads).await;
            Ok::<_, Fault>(reads.found(changes)?.unwrap_or_default())
        };
        Ok(self.changes.get_or_try_init(read).await?)
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
        self.missed.is_none()
    }

    /// The latest events: those that you missed, at most `timelineLimit` of them; for a replaced
    /// copy, the end of the timeline.
    async fn timeline(&self, context: &Context<'_>) -> Result<TimelineConnection> {
        let Some(missed) = &self.missed else {
            let last = i32::try_from(self.limit).ok();
            let arguments = TimelineArguments::last(last);
            return Box::pin(timeline::page(context, &self.room, arguments)).await;
        };
        let LastMissed { events, has_more } = self.last(context, missed).await?;
        Ok(TimelineConnection::missed(&self.room, events.clone(), *has_more))
    }

    /// If you missed more events than are here: scroll back from this cursor until you meet your
    /// copy. Null if there is no gap, and if the copy is replaced.
    async fn gap(&self, context: &Context<'_>) -> Result<Option<CursorScalar>> {
        let Some(missed) = &self.missed else { return Ok(None) };
        let LastMissed { events, has_more } = self.last(context, missed).await?;
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
        let Some(missed) = &self.missed else {
            return Ok(RoomStateConnection(Page::default()));
        };
        let after = after.as_deref().map(key).transpose()?;
        let after: Option<OwnedEventId> =
            after.map(TryInto::try_into).transpose().map_err(|_| not_of_this_list())?;
        let changes = self.changes(context, missed).await?;
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
