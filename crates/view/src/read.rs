//! Reading events: pages of timelines, single events, replaced state.

use std::{collections::BTreeMap, sync::Arc};

use rookery_domain::{EventId, RoomId};
use rookery_log::{Position, ReadError};
use rookery_projection::{Committed, RowKey, TimelineRow};

use crate::{
    Anchor, EventPlace, Meter, ROWS_OF_A_UNIT, Reader, Scans, Sight, TimelineError, TimelineEvent,
    TimelinePage, Unmetered, Viewer, Wanted,
    timeline::{EventFilter, Pager, is_visible, resolve},
};

/// The place of an event in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventAt {
    /// Its commit.
    pub position: Position,
    /// Its index there.
    pub index: usize,
}

/// An event with the events before and after it.
#[derive(Clone, Debug)]
pub struct Around {
    /// The event.
    pub event: TimelineEvent,
    /// The events before it.
    pub before: TimelinePage,
    /// The events after it.
    pub after: TimelinePage,
}

impl Reader {
    /// A page of a room's timeline, as `viewer` sees it.
    ///
    /// # Errors
    /// [`TimelineError`].
    pub async fn timeline(
        &self,
        room: &RoomId,
        viewer: &Viewer,
        wanted: Wanted<'_>,
    ) -> Result<TimelinePage, TimelineError> {
        self.timeline_within(room, viewer, wanted, (&Unmetered, &Scans::default())).await
    }

    /// Like [`Self::timeline`], within the budget `meter` of a request. `scans` holds its earlier
    /// reads.
    ///
    /// # Errors
    /// [`TimelineError`].
    pub async fn timeline_within(
        &self,
        room: &RoomId,
        viewer: &Viewer,
        wanted: Wanted<'_>,
        (meter, scans): (&dyn Meter, &Scans),
    ) -> Result<TimelinePage, TimelineError> {
        let ignored = self.view().ignored(viewer);
        let pager = Pager {
            models: &self.models,
            followings: &self.followings,
            room,
            viewer,
            meter,
            scans,
        };
        if ignored.is_empty() {
            return pager.page(wanted).await;
        }
        let filter = wanted.filter;
        let is_shown = |event: &TimelineEvent| {
            !ignored.hide(&event.event().pdu) && filter.is_none_or(|filter| filter(event))
        };
        pager.page(Wanted { filter: Some(&is_shown), ..wanted }).await
    }

    /// An event with up to `limit` events on either side, among those that `filter` accepts.
    ///
    /// # Errors
    /// [`TimelineError::NoSuchEvent`] also for an event that `viewer` may not see.
    pub async fn around(
        &self,
        room: &RoomId,
        viewer: &Viewer,
        event: &EventId,
        limit: usize,
        filter: Option<EventFilter<'_>>,
    ) -> Result<Around, TimelineError> {
        let within: (&dyn Meter, _) = (&Unmetered, &Scans::default());
        self.around_within(room, viewer, event, (limit, filter), within).await
    }

    /// Like [`around`](Self::around), within the budget of a request, with its earlier reads.
    ///
    /// # Errors
    /// As [`around`](Self::around).
    pub async fn around_within(
        &self,
        room: &RoomId,
        viewer: &Viewer,
        event: &EventId,
        (limit, filter): (usize, Option<EventFilter<'_>>),
        within: (&dyn Meter, &Scans),
    ) -> Result<Around, TimelineError> {
        let no_such_event = || TimelineError::NoSuchEvent(event.to_owned());
        let (place, found) = self.event(event, viewer).await?.ok_or_else(no_such_event)?;
        if place.room_id != room {
            return Err(no_such_event());
        }
        let key = found.row.key;
        let page = |anchor| {
            let wanted = Wanted { anchor, limit, filter, until: None };
            self.timeline_within(room, viewer, wanted, within)
        };
        let before = page(Anchor::Before(key)).await?;
        let after = page(Anchor::After(key)).await?;
        Ok(Around { event: found, before, after })
    }

    /// An event by its ID, if `viewer` may see it.
    ///
    /// # Errors
    /// [`TimelineError`] if the log or a file of the models cannot be read.
    pub async fn event(
        &self,
        event: &EventId,
        viewer: &Viewer,
    ) -> Result<Option<(EventPlace, TimelineEvent)>, TimelineError> {
        let Some(place) = self.view().event(event)? else { return Ok(None) };
        let commits = self.models.commits(vec![place.position]).await?;
        let Some(commit) = commits.get(&place.position) else { return Ok(None) };
        let Some(found) = commit.room_event(place.index) else { return Ok(None) };
        let key = RowKey::of(&found.pdu, place.position, place.index);
        let row = {
            let view = self.view();
            let Some(room) = view.room(&place.room_id) else { return Ok(None) };
            let row = room.row(key)?.filter(|_| !view.ignored(viewer).hide(&found.pdu));
            row.filter(|row| is_visible(row, &room.sight(viewer)))
        };
        let event = row.and_then(|row| TimelineEvent::new(row, Arc::clone(commit)));
        Ok(event.map(|event| (place, event)))
    }

    /// The redaction of an event of `room`, which is at `index` of the commit at `position`. `None`
    /// if it was not redacted, or if `viewer` may not see the redaction.
    ///
    /// # Errors
    /// [`TimelineError`] if the log or a file of the models cannot be read.
    pub async fn redacted_by(
        &self,
        room: &RoomId,
        viewer: &Viewer,
        (position, index): (Position, u16),
    ) -> Result<Option<TimelineEvent>, TimelineError> {
        let ignored = self.view().ignored(viewer);
        let row = {
            let view = self.view();
            let room = view.room(room).ok_or(TimelineError::NoSuchRoom)?;
            let key = room.redaction(position, index);
            let row = key.map(|key| room.row(key)).transpose()?.flatten();
            row.filter(|row| is_visible(row, &room.sight(viewer)))
        };
        let event = self.events(row.as_slice()).await?.pop();
        Ok(event.filter(|event| !ignored.hide(&event.event().pdu)))
    }

    /// The event at the place `at` in the log, with its place in the timeline of `room`. The caller
    /// has decided that the viewer may see it: it holds a slot of the state, which a soft-failed
    /// event may do.
    ///
    /// # Errors
    /// [`TimelineError`] if the log or a file of the models cannot be read.
    pub async fn event_at(
        &self,
        room: &RoomId,
        at: EventAt,
    ) -> Result<Option<TimelineEvent>, TimelineError> {
        let commits = self.models.commits(vec![at.position]).await?;
        let Some(commit) = commits.get(&at.position) else { return Ok(None) };
        let Some(found) = commit.room_event(at.index) else { return Ok(None) };
        let key = RowKey::of(&found.pdu, at.position, at.index);
        let row = self.view().room(room).map(|room| room.row(key)).transpose()?.flatten();
        Ok(row.and_then(|row| TimelineEvent::new(row, Arc::clone(commit))))
    }

    /// The event before the one at `key` in the timeline, among those that the viewer may see and
    /// that existed when it arrived. State that was superseded on arrival does not count, because
    /// streams leave it out. `None` if there is no event before it.
    ///
    /// # Errors
    /// [`TimelineError`] if the log or a file of the models cannot be read.
    pub async fn event_before(
        &self,
        room: &RoomId,
        viewer: &Viewer,
        key: RowKey,
    ) -> Result<Option<TimelineEvent>, TimelineError> {
        self.event_before_within(room, viewer, key, &Unmetered).await
    }

    /// Like [`event_before`](Self::event_before), within the budget of a request.
    ///
    /// # Errors
    /// As [`event_before`](Self::event_before).
    pub async fn event_before_within(
        &self,
        room: &RoomId,
        viewer: &Viewer,
        key: RowKey,
        meter: &dyn Meter,
    ) -> Result<Option<TimelineEvent>, TimelineError> {
        let (row, ignored) = {
            let view = self.view();
            let row = view.room(room).map(|room| room.row(key)).transpose()?.flatten();
            (row, view.ignored(viewer))
        };
        let Some(row) = row else { return Ok(None) };
        let mut from = row.key;
        loop {
            let before = self.row_before(room, viewer, (row, from), meter).await?;
            let Some(before) = before else { return Ok(None) };
            let event = self.events(&[before]).await?.pop();
            let is_hidden = |event: &TimelineEvent| ignored.hide(&event.event().pdu);
            if !event.as_ref().is_some_and(is_hidden) {
                return Ok(event);
            }
            from = before.key;
        }
    }

    async fn row_before(
        &self,
        room: &RoomId,
        viewer: &Viewer,
        (row, from): (TimelineRow, RowKey),
        meter: &dyn Meter,
    ) -> Result<Option<TimelineRow>, TimelineError> {
        const CHUNK_ROWS: usize = 64;
        let counts = |other: &&TimelineRow, sight: &Sight<'_>| {
            other.sequence < row.sequence
                && !other.flags.is_superseded()
                && is_visible(other, sight)
        };
        let mut key = from;
        loop {
            if !meter.pause().await || !meter.look_at(CHUNK_ROWS / ROWS_OF_A_UNIT) {
                return Err(TimelineError::Exhausted);
            }
            // The models are released between the chunks.
            let view = self.view();
            let room = view.room(room).ok_or(TimelineError::NoSuchRoom)?;
            let sight = room.sight(viewer);
            let rows = room.rows_before(Some(key), CHUNK_ROWS)?;
            if let Some(found) = rows.iter().find(|row| counts(row, &sight)) {
                return Ok(Some(*found));
            }
            match rows.last() {
                Some(last) if rows.len() == CHUNK_ROWS => key = last.key,
                _ => return Ok(None),
            }
        }
    }

    /// Reads the commits of the next questions, so that each of them finds its commit in memory.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub async fn read_ahead(&self, positions: Vec<Position>) -> Result<(), ReadError> {
        self.models.commits(positions).await.map(drop)
    }

    /// The commits at these positions. The caller decides who may see them.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub async fn commits(
        &self,
        positions: Vec<Position>,
    ) -> Result<BTreeMap<Position, Arc<Committed>>, ReadError> {
        self.models.commits(positions).await
    }

    /// Fetches the events of rows, in their order. The caller has decided who may see them.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub async fn events(&self, rows: &[TimelineRow]) -> Result<Vec<TimelineEvent>, ReadError> {
        resolve(&self.models, rows).await
    }

    /// Fetches the events at these places of `room`, for example of
    /// [`RoomView::state_all`](crate::RoomView::state_all).
    ///
    /// # Errors
    /// [`TimelineError`] if the log or a file of the models cannot be read.
    pub async fn events_at(
        &self,
        room: &RoomId,
        keys: &[RowKey],
    ) -> Result<Vec<TimelineEvent>, TimelineError> {
        let rows = {
            let view = self.view();
            let room = view.room(room).ok_or(TimelineError::NoSuchRoom)?;
            room.rows(keys)?
        };
        Ok(self.events(&rows).await?)
    }

    /// The state event that `event` replaced. `None` if `event` is not state, replaced nothing, or
    /// if `viewer` may not see the replaced content.
    ///
    /// # Errors
    /// [`TimelineError`] if the log or a file of the models cannot be read.
    pub async fn replaced_by(
        &self,
        room: &RoomId,
        event: &TimelineEvent,
        viewer: &Viewer,
    ) -> Result<Option<TimelineEvent>, TimelineError> {
        let Some(key) = event.row.replaced else { return Ok(None) };
        let replaced = self.events_at(room, &[key]).await?.pop();
        let view = self.view();
        let sight = view.room(room).map(|room| room.sight(viewer));
        Ok(replaced.filter(|replaced| {
            sight
                .is_some_and(|sight| sight.sees_replaced(event.row.sequence, replaced.row.sequence))
        }))
    }
}
