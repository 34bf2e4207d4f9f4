//! The read receipts of a room, as its members see them.
//!
//! **Invariant:** only joined users see receipts, and nobody sees the private one of another user.

use rookery_domain::{EventId, OwnedUserId, RoomId, UserId};
use rookery_log::Position;
use rookery_projection::ReadMark;

use super::RoomView;
use crate::{Meter, Reader, TimelineError};

/// Receipts that are checked before the models are released.
const LOOKED_MAX: usize = if cfg!(test) { 2 } else { 1_000 };

/// The public receipts of users, newest first.
pub type Receipts = Vec<(OwnedUserId, ReadMark)>;

impl Reader {
    /// Up to `limit` public receipts of the joined members, newest first, after that of a given user.
    /// Empty unless `viewer` has joined. `None` if the given user has no receipt.
    ///
    /// # Errors
    /// [`TimelineError::Exhausted`] if the budget of the request is used up.
    pub async fn receipts(
        &self,
        room: &RoomId,
        viewer: &UserId,
        (after, limit): (Option<&UserId>, usize),
        meter: &dyn Meter,
    ) -> Result<Option<Receipts>, TimelineError> {
        let (mut found, mut before) = (Vec::new(), Position(u64::MAX));
        if let Some(after) = after {
            let view = self.view();
            let room = view.room(room).filter(|room| room.reads(viewer));
            let mark =
                room.and_then(|room| Some(room.read_marks(after)?.public.as_ref()?.position));
            let Some(mark) = mark else { return Ok(None) };
            before = mark;
        }
        loop {
            meter.turn().await?;
            let looked = {
                let view = self.view();
                let room = view.room(room).filter(|room| room.reads(viewer));
                room.map_or(0, |room| page(&room, &mut before, limit, &mut found))
            };
            meter.take_rows(looked)?;
            if looked < LOOKED_MAX || found.len() >= limit {
                return Ok(Some(found));
            }
        }
    }
}

/// Finds some receipts, and moves `before` on. Returns how many were checked.
fn page(room: &RoomView<'_>, before: &mut Position, limit: usize, found: &mut Receipts) -> usize {
    let mut looked = 0;
    for (user, mark, joined) in room.public_marks_before(*before).take(LOOKED_MAX) {
        looked += 1;
        *before = mark.position;
        if joined {
            found.push((user.to_owned(), mark.clone()));
            if found.len() >= limit {
                break;
            }
        }
    }
    looked
}

impl<'a> RoomView<'a> {
    /// The last event that a member has read, as far as `viewer` may know.
    #[must_use]
    pub fn read_up_to(&self, user: &UserId, viewer: &UserId) -> Option<&'a EventId> {
        let marks = self.read_marks(user).filter(|_| self.reads(viewer))?;
        let mark = if user == viewer { marks.furthest() } else { marks.public.as_ref() };
        mark.map(|mark| &*mark.event_id)
    }
}
