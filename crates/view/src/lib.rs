//! The read models as one viewer may see them.
//!
//! A [`Reader`] answers questions that need the log. A [`View`] locks the models and answers from
//! memory at one position.
//!
//! **Invariant:** only this crate decides who may read what; it applies the rules of `domain`.
//! **Invariant:** no answer changes anything: this crate appends no commit and writes no file.

mod access;
mod account;
mod calls;
mod directory;
mod following;
mod known;
mod past;
mod profiles;
mod read;
mod reader;
mod relations;
mod rooms;
mod sight;
mod sync;
#[cfg(test)]
mod tests;
mod timeline;
mod token;
mod users;
mod view;

pub use self::{
    access::{Access, NotJoined},
    account::{DataEntry, UnreadCounts, WantedData},
    calls::{PastCalls, RoomCall},
    directory::{
        AliasElsewhere, CURSOR_ELSEWHERE_BYTES_MAX, NoAnswer, OtherServers, PublicRoomCursor,
        PublicRooms, RoomsElsewhere, WantedElsewhere,
    },
    following::{
        FollowPlace, FollowedCommit, FollowedRoom, FollowedSince, Followings, RoomFollower,
        invites_elsewhere,
    },
    past::{Moved, PastRoom},
    read::{Around, EventAt},
    reader::Reader,
    relations::{Reacted, Subject, ThreadSeen},
    rooms::{
        Closing, Moment, Receipts, RoomMember, RoomSnapshot, RoomView, Seen, Slot, SlotsPage,
        WantedMembers, WantedSlots, WantedState,
    },
    sight::{Sight, Viewer},
    sync::{
        CLOSED_MAX, ClosedRoom, INVITES_MAX, InitialSync, LastMissed, MalformedCursor, Missed,
        MissedEvents, SyncCursor, SyncError, SyncPlace, SyncedRoom, TIMELINE_DEFAULT, WantedRooms,
        WantedSync,
    },
    timeline::{
        Anchor, Backfill, Begins, CursorError, EVENT_UNIT_BYTES, Kept, Meter, Moments,
        NoOtherServers, ROWS_OF_A_UNIT, Scans, TimelineCursor, TimelineError, TimelineEvent,
        TimelinePage, Unmetered, Wanted,
    },
    view::{EventPlace, RoomsPage, View},
};
