//! The public directory of rooms.

mod listed;
mod pages;

pub(crate) use self::listed::ListedRooms;
pub use self::pages::{PublicRoomCursor, PublicRooms};
