//! Timelines as clients request them: with a filter, with events of other servers, with the last
//! message.

use rookery_domain::{
    EventId, Filter, OwnedEventId, Pdu, Relation, RelationKind, RoomId, TimelineEventType, UserId,
};
use rookery_log::{Millis, Position};
use rookery_projection::{RowKey, TimelineRow};

use super::{
    Anchor, Backfill, Begins, Meter, Scans, TimelineError, TimelineEvent, TimelinePage, Wanted,
};
use crate::{Around, Reader, Viewer};

/// The events of a timeline that a page keeps.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kept<'a> {
    /// Those that this filter accepts.
    pub filter: Option<&'a Filter>,
    /// The messages of the thread that this event began.
    pub of_thread: Option<&'a EventId>,
    /// Only events that existed after the commit at this position.
    pub until: Option<Position>,
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

/// How long a page waits until the models show events of other servers.
const STALE_AFTER: std::time::Duration = std::time::Duration::from_secs(1);

impl Reader {
    /// A page of a room's timeline, as `viewer` sees it. A room that the viewer may not see has an
    /// empty one. With `backfill`, a page that goes back beyond the events of this server asks other
    /// servers for older ones.
    ///
    /// # Errors
    /// [`TimelineError`].
    pub async fn shown_timeline(
        &self,
        room: &RoomId,
        viewer: &UserId,
        (anchor, limit, kept): (Anchor, usize, Kept<'_>),
        backfill: Option<&dyn Backfill>,
        within: (&dyn Meter, &Scans),
    ) -> Result<TimelinePage, TimelineError> {
        let page = self.kept_timeline(room, viewer, (anchor, limit, kept), within).await?;
        let is_short = page.begins == Begins::Missing && page.events.len() < limit;
        // Events may be missing before these too.
        let stated = page.events.iter().filter(|event| event.row.flags.is_stated());
        let stated: Vec<_> = stated.map(|event| event.event().pdu.event_id.clone()).collect();
        let may_lack = is_short || !stated.is_empty();
        let reads = || self.view().room(room).is_some_and(|room| room.reads(viewer));
        let Some(backfill) = backfill.filter(|_| anchor.is_backward() && may_lack && reads())
        else {
            return Ok(page);
        };
        if self.fetch_older(room, (stated, limit), backfill).await? {
            // The earlier reads of the request do not have the new events.
            let within = (within.0, &Scans::default());
            return self.kept_timeline(room, viewer, (anchor, limit, kept), within).await;
        }
        Ok(page)
    }

    /// A page of the events on this server.
    async fn kept_timeline(
        &self,
        room: &RoomId,
        viewer: &UserId,
        (anchor, limit, kept): (Anchor, usize, Kept<'_>),
        within: (&dyn Meter, &Scans),
    ) -> Result<TimelinePage, TimelineError> {
        let wants = |event: &TimelineEvent| kept.has(&event.event().pdu);
        let filter: Option<super::EventFilter<'_>> =
            if kept.is_all() { None } else { Some(&wants) };
        let wanted = Wanted { anchor, limit, filter, until: kept.until };
        let viewer = Viewer::User(viewer.to_owned());
        match self.timeline_within(room, &viewer, wanted, within).await {
            Ok(page) => {
                within.0.show(&page.events).await?;
                Ok(page)
            }
            Err(TimelineError::NoSuchRoom) => {
                Ok(TimelinePage { begins: Begins::NotVisible, ..TimelinePage::default() })
            }
            Err(error) => Err(error),
        }
    }

    /// Asks other servers for events before these ones, or before the oldest one of the room, and
    /// waits until the models have them. Returns `false` if none came.
    async fn fetch_older(
        &self,
        room: &RoomId,
        (mut oldest, limit): (Vec<OwnedEventId>, usize),
        backfill: &dyn Backfill,
    ) -> Result<bool, TimelineError> {
        if oldest.is_empty() {
            let first = {
                let view = self.view();
                view.room(room).map(|room| room.first_row()).transpose()?.flatten()
            };
            let first = self.events(first.as_slice()).await?;
            oldest.extend(first.iter().map(|event| event.event().pdu.event_id.clone()));
        }
        let Some(position) = backfill.fetch_before(room, &oldest, limit).await? else {
            return Ok(false);
        };
        self.wait_for(position, STALE_AFTER).await?;
        Ok(true)
    }

    /// Asks other servers for the events at the moment `at`, if it lies before the oldest event of the
    /// room here, and waits until the models have them.
    ///
    /// # Errors
    /// [`TimelineError`].
    pub async fn reach_back(
        &self,
        room: &RoomId,
        viewer: &UserId,
        at: Millis,
        backfill: &dyn Backfill,
    ) -> Result<(), TimelineError> {
        let first = {
            let view = self.view();
            let found = view.room(room).filter(|room| room.reads(viewer));
            found.map(|room| room.first_row()).transpose()?.flatten()
        };
        let Some(first) = self.events(first.as_slice()).await?.pop() else { return Ok(()) };
        let pdu = &first.event().pdu;
        let is_here = u64::from(pdu.origin_server_ts.0) <= at.0;
        if is_here || pdu.kind == TimelineEventType::RoomCreate {
            return Ok(());
        }
        if let Some(position) = backfill.fetch_back_to(room, at).await? {
            self.wait_for(position, STALE_AFTER).await?;
        }
        Ok(())
    }

    /// An event with up to `limit` events on either side, among those that the filter accepts.
    ///
    /// # Errors
    /// [`TimelineError::NoSuchEvent`] also for an event that `viewer` may not see.
    pub async fn shown_around(
        &self,
        room: &RoomId,
        viewer: &UserId,
        event: &EventId,
        (limit, filter): (usize, Option<&Filter>),
        within: (&dyn Meter, &Scans),
    ) -> Result<Around, TimelineError> {
        let kept = Kept { filter, ..Kept::default() };
        let wants = |event: &TimelineEvent| kept.has(&event.event().pdu);
        let filter: Option<super::EventFilter<'_>> =
            if kept.is_all() { None } else { Some(&wants) };
        let viewer = Viewer::User(viewer.to_owned());
        let found = self.around_within(room, &viewer, event, (limit, filter), within).await?;
        within.0.show(std::slice::from_ref(&found.event)).await?;
        within.0.show(&found.before.events).await?;
        within.0.show(&found.after.events).await?;
        Ok(found)
    }

    /// The last message of the room that `viewer` may see: `newest` if they may see that.
    ///
    /// # Errors
    /// [`TimelineError`].
    pub async fn last_message(
        &self,
        room: &RoomId,
        viewer: &UserId,
        (newest, kept): (Option<RowKey>, Kept<'_>),
        within: (&dyn Meter, &Scans),
    ) -> Result<Option<TimelineEvent>, TimelineError> {
        let viewer = Viewer::User(viewer.to_owned());
        let seen = {
            let view = self.view();
            let Some(found) = view.room(room) else { return Ok(None) };
            let row = newest.map(|key| found.row(key)).transpose()?.flatten();
            let was_there =
                |row: &TimelineRow| kept.until.is_none_or(|until| row.key.position <= until);
            let row = row.filter(|row| was_there(row) && found.sight(&viewer).sees(row.sequence));
            row.map(|row| (row, view.ignored(&viewer)))
        };
        if let Some((row, ignored)) = seen {
            within.0.turn().await?;
            let events = self.events(&[row]).await?;
            let is_shown = |pdu: &Pdu| kept.has(pdu) && !ignored.hide(pdu);
            if events.iter().all(|event| is_shown(&event.event().pdu)) {
                within.0.show(&events).await?;
                return Ok(events.into_iter().next());
            }
        }
        // The viewer may not see it, or it is not wanted: search for the latest one that they may
        // see.
        let is_message = |event: &TimelineEvent| {
            let pdu = &event.event().pdu;
            Relation::stands_alone(pdu) && kept.has(pdu)
        };
        let (anchor, until) = (Anchor::End, kept.until);
        let wanted = Wanted { anchor, limit: 1, filter: Some(&is_message), until };
        let mut page = self.timeline_within(room, &viewer, wanted, within).await?;
        within.0.show(&page.events).await?;
        Ok(page.events.pop())
    }
}
