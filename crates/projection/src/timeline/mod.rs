//! Timelines: every event of a room in its place, and the current state of the room.

mod cursor;
mod fold;
mod meter;
mod page;
mod row;
mod slots;
mod store;

pub use self::{
    cursor::{CursorError, TimelineCursor},
    meter::{EVENT_UNIT_BYTES, Meter, ROWS_OF_A_UNIT, Scans, Unmetered},
    page::{Anchor, Begins, TimelineError, TimelineEvent, TimelinePage, Wanted},
    row::{Flags, RowKey, TimelineRow},
};
pub(crate) use self::{
    fold::{RoomTimeline, TimelineReader},
    page::{EventFilter, Pager, is_visible, resolve},
    store::BlockStore,
};
