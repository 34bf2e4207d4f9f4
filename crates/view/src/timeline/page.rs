//! Pages of a timeline, as one viewer sees it.
//!
//! **Invariant:** an event that the viewer may not see never ends a page early: it is skipped.
//! **Invariant:** the work of one call is bounded; the rest continues from `resume`.

use std::{io, sync::Arc};

use rookery_domain::{OwnedEventId, RoomEvent, RoomId, TimelineEventType};
use rookery_log::{Position, ReadError, Unavailable};
use rookery_projection::{Committed, ReadModels, RowKey, Stale, TimelineRow};

use super::{
    EVENT_UNIT_BYTES, Meter, ROWS_OF_A_UNIT, Scans,
    meter::{Scanned, StepKey},
};
use crate::{Followings, Sight, View, Viewer};

/// How many rows one call visits at most.
const SCANNED_ROWS_MAX: usize = 20_000;

/// How many events one call reads for a filter at most.
const FILTERED_EVENTS_MAX: usize = 2_000;

/// Rows of the first step of a read with a filter. It does not depend on the limit, so reads with
/// different limits take the same steps.
const FILTERED_ROWS: usize = 64;

/// About how many bytes of events a step with a filter reads at most.
const STEP_BYTES: usize = 1 << 20;

/// The begin and the direction of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// The last events.
    End,
    /// The first events.
    Start,
    /// The events before this one, without it.
    Before(RowKey),
    /// The events after this one, without it.
    After(RowKey),
}

impl Anchor {
    pub(super) fn is_backward(self) -> bool {
        matches!(self, Self::End | Self::Before(_))
    }

    pub(super) fn key(self) -> Option<RowKey> {
        match self {
            Self::Before(key) | Self::After(key) => Some(key),
            Self::End | Self::Start => None,
        }
    }

    fn resume(self, key: RowKey) -> Self {
        if self.is_backward() { Self::Before(key) } else { Self::After(key) }
    }
}

/// A filter of events.
pub(crate) type EventFilter<'a> = &'a (dyn Fn(&TimelineEvent) -> bool + Send + Sync);

/// The request of a page.
pub struct Wanted<'a> {
    /// The begin and the direction.
    pub anchor: Anchor,
    /// The greatest number of events.
    pub limit: usize,
    /// The filter for visible events; all of them without one.
    pub filter: Option<EventFilter<'a>>,
    /// Only events that existed after the commit at this position.
    pub until: Option<Position>,
}

/// An event in its place in the timeline.
#[derive(Clone, Debug)]
pub struct TimelineEvent {
    /// Its row.
    pub row: TimelineRow,
    /// Its commit.
    pub committed: Arc<Committed>,
}

impl TimelineEvent {
    pub(crate) fn new(row: TimelineRow, committed: Arc<Committed>) -> Option<Self> {
        committed.room_event(row.key.index.into())?;
        Some(Self { row, committed })
    }

    /// The event.
    ///
    /// # Panics
    /// Never: it is checked when this is made.
    #[must_use]
    pub fn event(&self) -> &RoomEvent {
        self.committed.room_event(self.row.key.index.into()).expect("checked when it was made")
    }
}

/// A page of a timeline.
#[derive(Clone, Debug, Default)]
pub struct TimelinePage {
    /// The events in the order of the timeline, whatever the direction was.
    pub events: Vec<TimelineEvent>,
    /// Whether there is more in this direction (or may be, if the work was bounded).
    pub has_more: bool,
    /// Where to continue in this direction; `None` if no event with a place was visited.
    pub resume: Option<RowKey>,
    /// The position of the models.
    pub position: Position,
    /// The part of the timeline before the page.
    pub begins: Begins,
}

/// The part of the timeline before the first event of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Begins {
    /// More events that the viewer may see, or there may be.
    #[default]
    More,
    /// Nothing: this is the start of the room.
    Created,
    /// Events that the viewer may not see.
    NotVisible,
    /// Events that this server does not have.
    Missing,
}

/// A page cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TimelineError {
    /// There is no such room.
    #[error("there is no such room")]
    NoSuchRoom,
    /// There is no such event in this room, or the viewer may not see it.
    #[error("there is no such event in this room: {0}")]
    NoSuchEvent(OwnedEventId),
    /// The budget of the request is used up.
    #[error("the request may look at no more")]
    Exhausted,
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// A file of the models cannot be read; a rebuild repairs it.
    #[error("a file of the read models cannot be read, run a rebuild: {0}")]
    Models(#[from] io::Error),
    /// Events of other servers cannot be stored.
    #[error("events of other servers cannot be stored: {0}")]
    Backfill(#[from] Unavailable),
    /// The models do not show the events of other servers in time.
    #[error(transparent)]
    Stale(#[from] Stale),
}

/// Reads pages.
pub(crate) struct Pager<'a> {
    pub(crate) models: &'a ReadModels,
    pub(crate) followings: &'a Followings,
    pub(crate) room: &'a RoomId,
    pub(crate) viewer: &'a Viewer,
    /// The budget of the request.
    pub(crate) meter: &'a dyn Meter,
    /// The earlier reads of the request.
    pub(crate) scans: &'a Scans,
}

/// The visible rows of a chunk, and how the scan continues.
struct Chunk {
    seen: Vec<TimelineRow>,
    scanned: usize,
    resume: Option<RowKey>,
    placed: Option<RowKey>,
    position: Position,
}

impl Pager<'_> {
    pub(crate) async fn page(&self, wanted: Wanted<'_>) -> Result<TimelinePage, TimelineError> {
        let Wanted { mut anchor, limit, filter, until } = wanted;
        let from_start = anchor == Anchor::Start;
        let mut page = TimelinePage::default();
        let (mut scanned, mut read) = (0, 0);
        let mut chunk_rows = if filter.is_some() { FILTERED_ROWS } else { limit + 1 };
        loop {
            // Without a filter, one event beyond the page shows that there is more.
            let enough = if filter.is_some() { usize::MAX } else { limit + 1 - page.events.len() };
            let chunk = self.step(anchor, (chunk_rows, enough), until).await?;
            page.position = chunk.position;
            let at_end = chunk.rows < chunk_rows;
            scanned += chunk.rows;
            read += chunk.seen;
            for event in &chunk.events {
                if filter.is_some_and(|filter| !filter(event)) {
                    continue;
                }
                if page.events.len() == limit {
                    page.has_more = true;
                    break;
                }
                page.events.push(event.clone());
            }
            if page.has_more {
                // The row beyond the page was visited, but belongs to the next one.
                page.resume = page.events.last().map(|event| event.row.key).or(anchor.key());
                break;
            }
            // History that is fetched later comes before the rows of events without places.
            page.resume = chunk.placed.or(page.resume);
            if at_end {
                break;
            }
            if scanned >= SCANNED_ROWS_MAX || (filter.is_some() && read >= FILTERED_EVENTS_MAX) {
                page.has_more = true;
                page.resume = chunk.resume.or(page.resume);
                break;
            }
            if let Some(resume) = chunk.resume {
                anchor = anchor.resume(resume);
            }
            chunk_rows = if filter.is_some() {
                let event_bytes = chunk.len_bytes() / chunk.events.len().max(1);
                let fit = STEP_BYTES / event_bytes.max(1);
                (chunk_rows * 2).min(fit).clamp(16, 256)
            } else {
                (chunk_rows * 2).clamp(64, 1_024)
            };
        }
        if anchor.is_backward() {
            page.events.reverse();
        }
        if from_start || (anchor.is_backward() && !page.has_more) {
            page.begins = self.beginning().await?;
        }
        Ok(page)
    }

    /// The rows after an anchor and the first of their events, from earlier reads of the request
    /// where possible.
    async fn step(
        &self,
        anchor: Anchor,
        (rows, enough): (usize, usize),
        until: Option<Position>,
    ) -> Result<Arc<Scanned>, TimelineError> {
        let take = |units: usize| {
            if self.meter.look_at(units) { Ok(()) } else { Err(TimelineError::Exhausted) }
        };
        if !self.meter.pause().await {
            return Err(TimelineError::Exhausted);
        }
        let key = StepKey::new(self.room, anchor, (rows, enough), until);
        if let Some(step) = self.scans.get(&key) {
            take(step.rows.div_ceil(ROWS_OF_A_UNIT))?;
            return Ok(step);
        }
        let chunk = self.chunk(anchor, rows, until)?;
        take(chunk.scanned.div_ceil(ROWS_OF_A_UNIT))?;
        let seen = &chunk.seen[..chunk.seen.len().min(enough)];
        let events = resolve(self.models, seen).await?;
        let Chunk { seen, scanned, resume, placed, position } = chunk;
        let step = Scanned { events, seen: seen.len(), rows: scanned, resume, placed, position };
        take(step.events.len() + step.len_bytes() / EVENT_UNIT_BYTES)?;
        let step = Arc::new(step);
        self.scans.keep(key, &step);
        Ok(step)
    }

    /// The part of the timeline before the first event that this server has of the room.
    async fn beginning(&self) -> Result<Begins, TimelineError> {
        let (row, is_visible) = {
            let view = View::of(self.models, self.followings);
            let room = view.room(self.room).ok_or(TimelineError::NoSuchRoom)?;
            let Some(row) = room.first_row()? else { return Ok(Begins::Missing) };
            let is_visible = is_visible(&row, &room.sight(self.viewer));
            let may_ask = match self.viewer {
                Viewer::Server => true,
                Viewer::User(user) => room.reads(user),
            };
            if !is_visible && !(may_ask && (row.flags.is_past() || row.flags.is_stated())) {
                return Ok(Begins::NotVisible);
            }
            (row, is_visible)
        };
        let event = resolve(self.models, &[row]).await?.pop();
        let creates = event.is_some_and(|it| it.event().pdu.kind == TimelineEventType::RoomCreate);
        // The viewer may see older events than those that they may not see.
        Ok(match (creates, is_visible) {
            (true, true) => Begins::Created,
            (true, false) => Begins::NotVisible,
            (false, _) => Begins::Missing,
        })
    }

    fn chunk(
        &self,
        anchor: Anchor,
        limit: usize,
        until: Option<Position>,
    ) -> Result<Chunk, TimelineError> {
        let view = View::of(self.models, self.followings);
        let room = view.room(self.room).ok_or(TimelineError::NoSuchRoom)?;
        let rows = if anchor.is_backward() {
            room.rows_before(anchor.key(), limit)?
        } else {
            room.rows_after(anchor.key(), limit)?
        };
        let sight = room.sight(self.viewer);
        let was_there = |row: &TimelineRow| until.is_none_or(|until| row.key.position <= until);
        let seen = rows.iter().filter(|row| was_there(row) && is_visible(row, &sight));
        let seen = seen.copied().collect();
        let resume = rows.last().map(|row| row.key);
        let placed = rows.iter().rev().find(|row| !row.flags.is_outlier()).map(|row| row.key);
        Ok(Chunk { seen, scanned: rows.len(), resume, placed, position: view.position() })
    }
}

/// Whether the event of a row is visible to the owner of `sight`.
pub(crate) fn is_visible(row: &TimelineRow, sight: &Sight<'_>) -> bool {
    !row.flags.is_hidden() && sight.sees(row.sequence)
}

/// Fetches the events of rows, in their order.
pub(crate) async fn resolve(
    models: &ReadModels,
    rows: &[TimelineRow],
) -> Result<Vec<TimelineEvent>, ReadError> {
    let commits = models.commits(rows.iter().map(|row| row.key.position).collect()).await?;
    let events = rows
        .iter()
        .filter_map(|row| TimelineEvent::new(*row, Arc::clone(commits.get(&row.key.position)?)));
    Ok(events.collect())
}
