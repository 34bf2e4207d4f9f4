//! When rooms that have become active since a position were active before it.
//!
//! **Invariant:** the models are let go after a bounded number of rows.

use std::{collections::HashMap, io, ops::ControlFlow};

use rookery_domain::{OwnedRoomId, RoomId, UserId};
use rookery_log::Position;

use super::since::{LookBack, SCANNED_ROWS_MAX};
use crate::{Meter, ROWS_OF_A_UNIT, Reader, TimelineError};

/// When rooms were active before a position, of those that have been active since; none where that lies too far back.
#[derive(Clone, Debug, Default)]
pub struct Moved(HashMap<OwnedRoomId, Option<Position>>);

impl Moved {
    /// When a room was active before; asks `find` about one that was not looked at.
    pub(crate) fn of(
        &self,
        room: &RoomId,
        find: impl FnOnce() -> io::Result<Option<Position>>,
    ) -> io::Result<Option<Position>> {
        self.0.get(room).map_or_else(find, |before| Ok(*before))
    }
}

impl Reader {
    /// When the rooms of `user` that have become active after `WantedRooms::at` were active before that, of those that
    /// `wants` lets pass.
    ///
    /// # Errors
    /// [`TimelineError`] if a file of the models cannot be read, or if the request may look at no more.
    pub async fn moved_since(
        &self,
        user: &UserId,
        at: Position,
        wants: &(dyn Fn(&RoomId) -> bool + Send + Sync),
        meter: &dyn Meter,
    ) -> Result<Moved, TimelineError> {
        let mut moved = Moved::default();
        // What becomes active meanwhile has had little since, and is looked at by whoever asks for the page.
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
