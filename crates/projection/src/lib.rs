//! The read side: projector runtime, read models, catch-up-then-follow reading.
//!
//! The log is folded into [`ReadModels`]: what is small and hot lies in memory and is saved in
//! snapshots, what only grows lies in files. Whoever shows a page takes a [`View`]; whoever
//! follows has a [`Follower`].
//!
//! **Invariant:** models hold nothing that does not follow from the log: deleting their directory
//! loses nothing but the time to rebuild them.
//! **Invariant:** the checkpoint moves after the rows.

mod committed;
mod content;
mod core;
mod digest;
mod feed;
mod follower;
mod gathered;
mod generation;
mod known;
mod listed;
mod models;
mod open;
mod options;
mod pages;
mod past;
mod public_rooms;
mod read;
mod rebuild;
mod restated;
mod retry;
mod room_view;
mod router;
mod runtime;
mod save;
mod shortcut;
mod sight;
mod snapshot;
mod sync;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod timeline;
mod unread;
mod users;
mod view;

pub use rookery_domain::{HistoryVisibility, Membership, Profile};

pub use self::{
    committed::{Committed, Unreadable},
    digest::{Difference, Digests},
    feed::{Closing, Delivery, EventAt, FeedItem, Skipped},
    follower::{Batch, FollowError, Follower},
    generation::{remove_old, roll_back},
    models::{
        Member, MembershipChange, Parked, Powers, Reactions, ReadMark, ReadMarks, Seen, Summary,
        Thread, VisibilityChange,
    },
    open::OpenError,
    options::Options,
    past::{Moved, PastRoom},
    public_rooms::{PublicRoomCursor, PublicRooms},
    read::Around,
    rebuild::{Progress, RebuildError, Rebuilt},
    retry::RetryError,
    room_view::{RoomView, SlotsPage, WantedSlots},
    router::{DeliveryCounters, Page, Subscription, Turn},
    runtime::{ReadModels, Stale},
    sight::{Sight, Viewer},
    snapshot::SnapshotError,
    sync::{CLOSED_MAX, ClosedRoom, Missed, WantedRooms},
    timeline::{
        Anchor, Begins, CursorError, EVENT_UNIT_BYTES, Flags, Meter, ROWS_OF_A_UNIT, RowKey, Scans,
        TimelineCursor, TimelineError, TimelineEvent, TimelinePage, TimelineRow, Unmetered, Wanted,
    },
    unread::Unread,
    view::{EventPlace, RoomsPage, View},
};
