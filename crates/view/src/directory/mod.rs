//! The public directory of rooms.

mod elsewhere;
mod listed;
mod pages;

pub(crate) use self::listed::ListedRooms;
pub use self::{
    elsewhere::{
        AliasElsewhere, CURSOR_ELSEWHERE_BYTES_MAX, NoAnswer, OtherServers, RoomsElsewhere,
        WantedElsewhere,
    },
    pages::{PublicRoomCursor, PublicRooms},
};
