//! Calls that have ended.

use std::collections::HashSet;

use rookery_domain::{Call, CallId, EventId, RoomId, UserId};
use rookery_log::Position;
use rookery_projection::{RowKey, TimelineRow};

use super::RoomCall;
use crate::{
    Meter, ROWS_OF_A_UNIT, Reader, TimelineError, Unmetered, Viewer, timeline::is_visible,
};

/// Past calls that are read at a time.
const CHUNK_ROWS: usize = 32;

/// How many of the last calls of a room are looked at for the one that an event ended.
const ENDS_LOOKED: usize = 4_096;

/// How many of the last calls of a room are read for one with a given ID.
const IDS_LOOKED: usize = 64;

/// A page of past calls, newest first.
#[derive(Clone, Debug, Default)]
pub struct PastCalls {
    /// The calls.
    pub calls: Vec<RoomCall>,
    /// Whether there may be more.
    pub has_more: bool,
}

impl Reader {
    /// Up to `limit` past calls of a room before the one whose invite is at `before`, as `viewer`
    /// may see them, newest first.
    ///
    /// # Errors
    /// [`TimelineError`].
    pub async fn past_calls(
        &self,
        room: &RoomId,
        viewer: &UserId,
        (before, limit): (Option<RowKey>, usize),
        meter: &dyn Meter,
    ) -> Result<PastCalls, TimelineError> {
        let (mut page, mut from) = (PastCalls::default(), before);
        loop {
            if !meter.pause().await || !meter.look_at(CHUNK_ROWS.div_ceil(ROWS_OF_A_UNIT)) {
                return Err(TimelineError::Exhausted);
            }
            let rows = self.past_rows(room, from)?;
            let is_last = rows.len() < CHUNK_ROWS;
            from = rows.last().map(|row| row.key);
            for call in self.shown(room, viewer, rows, meter).await? {
                if page.calls.len() == limit {
                    page.has_more = true;
                    return Ok(page);
                }
                page.calls.push(call);
            }
            if is_last {
                return Ok(page);
            }
        }
    }

    /// The past call that the event at this place ended, if `viewer` may see it. It is one of the
    /// last calls of its room.
    ///
    /// # Errors
    /// [`TimelineError`].
    pub async fn call_ended_at(
        &self,
        room: &RoomId,
        (position, index): (Position, usize),
        call: &CallId,
        viewer: &UserId,
    ) -> Result<Option<RoomCall>, TimelineError> {
        let is_end = |row: &TimelineRow| {
            let end = row.replaced.map(|end| (end.position, usize::from(end.index)));
            end == Some((position, index))
        };
        self.recent(room, call, viewer, (ENDS_LOOKED, &is_end)).await
    }

    /// A call of a room with this ID, if `viewer` may see it: an active one, or one of the last ones.
    ///
    /// # Errors
    /// [`TimelineError`].
    pub async fn call(
        &self,
        room: &RoomId,
        call: &CallId,
        viewer: &UserId,
    ) -> Result<Option<RoomCall>, TimelineError> {
        let active = self.view().call_for(room, call, viewer);
        match active {
            Some(active) => Ok(Some(active)),
            None => self.recent(room, call, viewer, (IDS_LOOKED, &|_| true)).await,
        }
    }

    /// The call that this event placed, if `viewer` may see it.
    ///
    /// # Errors
    /// [`TimelineError`].
    pub async fn call_by_invite(
        &self,
        invite: &EventId,
        viewer: &UserId,
    ) -> Result<Option<RoomCall>, TimelineError> {
        let found = self.event(invite, &Viewer::User(viewer.to_owned())).await?;
        let Some((place, event)) = found else { return Ok(None) };
        let room = &place.room_id;
        let active = self.view().call_placed_by(room, invite, viewer);
        if active.is_some() {
            return Ok(active);
        }
        let row = {
            let view = self.view();
            let key = view.models().room(room);
            let past = key.and_then(|key| view.models().past_calls(key));
            past.map(|past| past.row(event.row.key)).transpose()?.flatten()
        };
        Ok(self.shown(room, viewer, row.into_iter().collect(), &Unmetered).await?.pop())
    }

    /// The newest call with this ID among the last rows, of those that fit.
    async fn recent(
        &self,
        room: &RoomId,
        call: &CallId,
        viewer: &UserId,
        (looked, fits): (usize, &(dyn Fn(&TimelineRow) -> bool + Sync)),
    ) -> Result<Option<RoomCall>, TimelineError> {
        let mut from = None;
        for _ in 0..looked / CHUNK_ROWS {
            let rows = self.past_rows(room, from)?;
            let is_last = rows.len() < CHUNK_ROWS;
            from = rows.last().map(|row| row.key);
            let rows = rows.into_iter().filter(fits).collect();
            let shown = self.shown(room, viewer, rows, &Unmetered).await?;
            let found = shown.into_iter().find(|shown| shown.call.id == *call);
            if found.is_some() || is_last {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn past_rows(
        &self,
        room: &RoomId,
        before: Option<RowKey>,
    ) -> Result<Vec<TimelineRow>, TimelineError> {
        let view = self.view();
        let room = view.models().room(room).ok_or(TimelineError::NoSuchRoom)?;
        let past = view.models().past_calls(room);
        Ok(past.map(|past| past.before(before, CHUNK_ROWS)).transpose()?.unwrap_or_default())
    }

    /// The calls of rows, in their order, without those that `viewer` may not see.
    async fn shown(
        &self,
        room: &RoomId,
        viewer: &UserId,
        mut rows: Vec<TimelineRow>,
        meter: &dyn Meter,
    ) -> Result<Vec<RoomCall>, TimelineError> {
        let ignored = {
            let view = self.view();
            let of_room = view.room(room).ok_or(TimelineError::NoSuchRoom)?;
            let sight = of_room.sight(&Viewer::User(viewer.to_owned()));
            let ends: Vec<_> = rows.iter().filter_map(|row| row.replaced).collect();
            let ends = of_room.rows(&ends)?.into_iter().filter(|end| is_visible(end, &sight));
            let ends: HashSet<_> = ends.map(|end| end.key).collect();
            let sees_end = |row: &TimelineRow| row.replaced.is_some_and(|it| ends.contains(&it));
            rows.retain(|row| sight.sees(row.sequence) && sees_end(row));
            view.ignored_by(viewer)
        };
        if !meter.look_at(rows.len()) {
            return Err(TimelineError::Exhausted);
        }
        let places = rows.iter().filter_map(|row| Some((row.key, row.replaced?)));
        let positions = places.flat_map(|(invite, end)| [invite.position, end.position]);
        let commits = self.commits(positions.collect()).await?;
        let event = |key: RowKey| commits.get(&key.position)?.room_event(key.index.into());
        let calls = rows.iter().filter_map(|row| {
            let call = Call::past(event(row.key)?, event(row.replaced?)?)?;
            Some(RoomCall { room_id: room.to_owned(), call, invite: row.key })
        });
        Ok(calls.filter(|call| !call.is_ignored(viewer, &ignored)).collect())
    }
}
