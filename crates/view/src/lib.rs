//! The read models as one viewer may see them.
//!
//! A [`Reader`] answers questions that need the log. A [`View`] locks the models and answers from
//! memory at one position.
//!
//! **Invariant:** only this crate decides who may read what; it applies the rules of `domain`.
//! **Invariant:** no answer changes anything: this crate appends no commit and writes no file.

mod directory;
mod known;
mod past;
mod read;
mod reader;
mod rooms;
mod sight;
#[cfg(test)]
mod tests;
mod timeline;
mod users;
mod view;

pub use self::{
    directory::{PublicRoomCursor, PublicRooms},
    past::{Moved, PastRoom},
    read::{Around, EventAt},
    reader::Reader,
    rooms::{
        CLOSED_MAX, ClosedRoom, Closing, Missed, RoomView, Seen, SlotsPage, WantedRooms,
        WantedSlots,
    },
    sight::{Sight, Viewer},
    timeline::{
        Anchor, Begins, CursorError, EVENT_UNIT_BYTES, Meter, ROWS_OF_A_UNIT, Scans,
        TimelineCursor, TimelineError, TimelineEvent, TimelinePage, Unmetered, Wanted,
    },
    view::{EventPlace, RoomsPage, View},
};
