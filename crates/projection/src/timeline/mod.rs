//! Timelines: every event of a room in its place, and the current state of the room.

mod fold;
mod row;
mod rows;
mod slots;
mod store;

pub(crate) use self::{
    fold::RoomTimeline,
    rows::RowList,
    store::{BlockRef, BlockStore},
};
pub use self::{
    row::{Flags, RowKey, TimelineRow},
    rows::TimelineReader,
    slots::{Resolved, Slots},
};
