//! Timelines: every event of a room in its place, and the current state of the room.

mod cursor;
mod fold;
mod page;
mod row;
mod slots;
mod store;

pub use self::{
    cursor::{CursorError, TimelineCursor},
    page::{Anchor, Begins, TimelineError, TimelineEvent, TimelinePage, Wanted},
    row::{Flags, RowKey, TimelineRow},
};
pub(crate) use self::{
    fold::{RoomTimeline, TimelineReader},
    page::{EventFilter, Pager, is_visible, resolve},
    store::BlockStore,
};
