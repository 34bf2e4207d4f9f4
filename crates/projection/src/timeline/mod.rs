//! Timelines: every event of a room in its place, and the current state of the room.

mod fold;
mod row;
mod slots;
mod store;

pub(crate) use self::{fold::RoomTimeline, store::BlockStore};
pub use self::{
    fold::TimelineReader,
    row::{Flags, RowKey, TimelineRow},
    slots::{Resolved, Slots},
};
