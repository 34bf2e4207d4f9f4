//! The read models: the log, folded.
//!
//! The log is folded into [`Models`]: what is small and hot lies in memory and is saved in
//! snapshots, what only grows lies in files. [`ReadModels`] keeps them up to date. What a viewer may
//! see of them is decided in the crate `view`; who is told of a commit, in the crate `delivery`.
//!
//! **Invariant:** models hold nothing that does not follow from the log: deleting their directory
//! loses nothing but the time to rebuild them.
//! **Invariant:** the checkpoint moves after the rows.
//! **Invariant:** this crate knows no viewer.

mod commits;
mod core;
mod digest;
mod models;
mod observer;
mod options;
mod rebuild;
mod retry;
mod runtime;
mod storage;
#[cfg(test)]
mod tests;
mod timeline;
mod unread;

pub use self::{
    commits::{Committed, Unreadable, cost, decode},
    digest::{Difference, Digests},
    models::{
        Directory, Filters, Member, MembershipChange, Models, Parked, Place, Powers, Reactions,
        ReadMark, ReadMarks, ReadersOfRooms, Related, Relating, RoomMembers, RoomsOfUsers,
        SETTINGS, StreamKey, Summary, Thread, VisibilityChange,
    },
    observer::Observer,
    options::Options,
    rebuild::{Progress, RebuildError, Rebuilt},
    retry::RetryError,
    runtime::{ReadModels, Stale},
    storage::{OpenError, SnapshotError, remove_old, roll_back},
    timeline::{Flags, Resolved, RowKey, Slots, TimelineReader, TimelineRow},
    unread::Unread,
};
