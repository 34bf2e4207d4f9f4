//! The read models: the log, folded.
//!
//! The log is folded into [`Models`]. Small, frequently used data is in memory and saved in
//! snapshots; data that only grows is in files. [`ReadModels`] keeps them up to date. The crate
//! `view` decides which of it a viewer may see. The crate `delivery` decides which users get a
//! commit.
//!
//! **Invariant:** models hold only data that follows from the log: deleting their directory costs
//! only the time to rebuild them.
//! **Invariant:** the checkpoint moves after the rows.
//! **Invariant:** this crate knows no viewer.

mod calls;
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
    commits::{Committed, Unreadable, decode},
    digest::{Difference, Digests},
    models::{
        DataPlace, Directory, Filters, Member, MemberSince, MembershipChange, Models, Parked,
        Place, Preferences, Reactions, ReadMark, ReadMarks, ReadersOfRooms, Related, Relating,
        RoomMembers, RoomsOfUser, RoomsOfUsers, StreamKey, Summary, Thread, VisibilityChange,
    },
    observer::Observer,
    options::Options,
    rebuild::{Progress, RebuildError, Rebuilt},
    retry::Retried,
    runtime::{ReadModels, Stale},
    storage::{OpenError, SnapshotError, remove_old, roll_back},
    timeline::{Flags, Resolved, RowKey, Slots, TimelineReader, TimelineRow},
    unread::Unread,
};
