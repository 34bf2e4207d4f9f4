//! Rooms at one position: their settings, state and members, and a user's list of them.

mod closing;
mod room;
mod seen;
mod sync;

pub(crate) use self::room::SlotWalk;
pub use self::{
    closing::Closing,
    room::{RoomView, SlotsPage, WantedSlots},
    seen::Seen,
    sync::{CLOSED_MAX, ClosedRoom, Missed, WantedRooms},
};
