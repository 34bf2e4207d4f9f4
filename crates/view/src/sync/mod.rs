//! A user's list of rooms at one position, and its changes since another.

mod cursor;
mod initial;
mod missed;
mod rooms;

pub use self::{
    cursor::{MalformedCursor, SyncCursor, SyncPlace},
    initial::{INVITES_MAX, InitialSync, SyncError, SyncedRoom, TIMELINE_DEFAULT, WantedSync},
    missed::{LastMissed, MissedEvents},
    rooms::{CLOSED_MAX, ClosedRoom, Missed, WantedRooms},
};
