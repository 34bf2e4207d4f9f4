//! The events of a room that a client has missed since an earlier position.

use std::ops::ControlFlow;

use rookery_domain::{Membership, RoomId, UserId};
use rookery_log::Position;
use rookery_projection::MembershipChange;

use super::since::LookBack;
use crate::{Meter, Missed, ROWS_OF_A_UNIT, Reader, RoomView, TimelineError};

/// When a client may have missed more events of a room than this, a new snapshot is cheaper.
const MISSED_EVENTS_MAX: usize = 1_000;

impl Reader {
    /// The events between `since` and `at` that a client of `user` with the room as of `since` has
    /// missed.
    ///
    /// # Errors
    /// [`TimelineError`] if a file of the models cannot be read, or if the budget of the request is
    /// used up.
    pub async fn missed(
        &self,
        room: &RoomId,
        user: &UserId,
        (since, at): (Position, Position),
        meter: &dyn Meter,
    ) -> Result<Missed, TimelineError> {
        let was_in = self.view().room(room).is_some_and(|found| found.was_in(user, since, at));
        if !was_in {
            return Ok(Missed::TooMuch);
        }
        let mut look = LookBack::default();
        loop {
            if !meter.pause().await || !meter.look_at(look.chunk().div_ceil(ROWS_OF_A_UNIT)) {
                return Err(TimelineError::Exhausted);
            }
            let view = self.view();
            let Some(found) = view.room(room) else { return Ok(Missed::TooMuch) };
            if let ControlFlow::Break(whole) = look.step(&found, since, MISSED_EVENTS_MAX)? {
                let mut rows = look.since.rows;
                if !whole || rows.len() > MISSED_EVENTS_MAX {
                    return Ok(Missed::TooMuch);
                }
                rows.retain(|row| {
                    row.key.position <= at && !row.flags.is_hidden() && !row.flags.is_past()
                });
                return Ok(Missed::Events(rows));
            }
        }
    }
}

impl RoomView<'_> {
    /// Whether `user` was joined at `since` and the whole time up to `at`.
    fn was_in(&self, user: &UserId, since: Position, at: Position) -> bool {
        let was_out = |change: &MembershipChange| {
            since < change.position
                && change.position <= at
                && change.membership != Membership::Join
        };
        let history = self.history(user);
        let first = history.partition_point(|change| change.position <= since);
        self.membership_at(user, since) == Membership::Join && !history[first..].iter().any(was_out)
    }
}
