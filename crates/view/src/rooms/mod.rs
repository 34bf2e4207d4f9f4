//! Rooms at one position: their settings, state and members, as one viewer may see them.

mod closing;
mod elsewhere;
mod invites;
mod members;
mod naming;
mod receipts;
mod room;
mod seen;
mod servers;
mod snapshot;
mod state;

pub use self::{
    closing::Closing,
    members::{RoomMember, WantedMembers},
    receipts::Receipts,
    room::{RoomView, SlotsPage, WantedSlots},
    seen::Seen,
    snapshot::{Moment, RoomSnapshot},
    state::{Slot, WantedState},
};
pub(crate) use self::{members::profile_of, room::SlotWalk};
