//! The earlier activity of rooms that have become active since a position.
//!
//! **Invariant:** the models are released after a bounded number of rows.

use std::{collections::HashMap, io, ops::ControlFlow};

use rookery_domain::{OwnedRoomId, RoomId, UserId};
use rookery_log::Position;

use super::since::{LookBack, SCANNED_ROWS_MAX};
use crate::{Meter, ROWS_OF_A_UNIT, Reader, TimelineError};

/// The last activity before a position, for rooms that have been active since; `None` where that is
/// too far back.
#[derive(Clone, Debug, Default)]
pub struct Moved(HashMap<OwnedRoomId, Option<Position>>);

impl Moved {
    /// The earlier activity of a room; calls `find` for one that was not checked.
    pub(crate) fn of(
        &self,
        room: &RoomId,
        find: impl FnOnce() -> io::Result<Option<Position>>,
    ) -> io::Result<Option<Position>> {
        self.0.get(room).map_or_else(find, |before| Ok(*before))
    }
}

impl Reader {
    /// The last activity before `WantedRooms::at` of the rooms of `user` that have been active
    /// after it, among those that `wants` accepts.
    ///
    /// # Errors
    /// [`TimelineError`] if a file of the models cannot be read, or if the budget of the request is
    /// used up.
    pub async fn moved_since(
        &self,
        user: &UserId,
        at: Position,
        wants: &(dyn Fn(&RoomId) -> bool + Send + Sync),
        meter: &dyn Meter,
    ) -> Result<Moved, TimelineError> {
        let mut moved = Moved::default();
        // A room that becomes active meanwhile has few new rows; the reader of the page checks it.
        let rooms = self.view().rooms_after(user, at, wants);
        for room in rooms {
            let mut look = LookBack::default();
            loop {
                if !meter.pause().await || !meter.look_at(look.chunk().div_ceil(ROWS_OF_A_UNIT)) {
                    return Err(TimelineError::Exhausted);
                }
                let view = self.view();
                let Some(found) = view.room(&room) else { break };
                if let ControlFlow::Break(whole) = look.step(&found, at, SCANNED_ROWS_MAX)? {
                    let before = look.since.before.filter(|_| whole);
                    moved.0.insert(room, before);
                    break;
                }
            }
        }
        Ok(moved)
    }
}
