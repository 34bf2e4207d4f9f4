//! What a client shows first, what it has missed since, and where its stream goes on.

mod cursor;
mod initial;
mod update;

pub(crate) use self::{
    cursor::SyncCursor,
    initial::{
        INVITES_MAX, InitialSync, PAGE_DEFAULT as ROOMS_DEFAULT, SyncArguments, TIMELINE_DEFAULT,
    },
};
