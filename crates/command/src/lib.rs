//! The write side: load, decide, append.
//!
//! **Invariant:** a command is appended only under a guard on the revision its decision was made
//! at; caches and the order of locks make that cheap, never correct.
//! **Invariant:** nothing here knows GraphQL, a log engine or a read model; what a command needs
//! of the read side comes through [`Ports`].

mod account;
mod actions;
mod aggregate;
mod backfill;
mod bounds;
mod cache;
mod cell;
mod commands;
mod creation;
mod erase;
mod error;
mod events;
mod federation;
mod filter;
mod guesses;
mod handle;
mod memberships;
mod ports;
mod process;
mod profile;
mod rates;
mod referred;
mod renames;
mod room_aliases;
mod rooms;
mod snapshot;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
mod upgrade;

pub use self::{
    account::{Marked, ReadMark},
    backfill::{Backfill, NoOtherServers},
    commands::{Actor, CommandOptions, Commands, Outcome, Retry},
    error::HandleError,
    events::EventLookup,
    federation::{
        HELD_BYTES_MAX, HELD_PER_ROOM_BYTES_MAX, HELD_PER_ROOM_MAX, HeldBack, Receipt, Received,
        ServerKeys, TrustedKeys,
    },
    filter::{DeletedFilter, StoredFilter},
    memberships::{Memberships, RoomCounts},
    ports::{LastActions, LoggedIn, Ports},
    process::ProcessStatus,
    profile::{ProfileChange, ProfileOutcome, StartedProfile},
    rates::{ActionKind, ActionRates},
    rooms::Started,
    upgrade::Upgraded,
};
