//! The data for a client's first screen, the changes since then, and the position for its stream.

mod cursor;
mod initial;
mod update;

pub(crate) use self::{
    cursor::SyncCursor,
    initial::{
        INVITES_MAX, InitialSync, PAGE_DEFAULT as ROOMS_DEFAULT, SyncArguments, TIMELINE_DEFAULT,
    },
};
