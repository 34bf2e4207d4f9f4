//! The write side: load, decide, append.
//!
//! **Invariant:** a command is appended only under a guard on the event its decision was built on.
//! Caches and the order of locks make that cheap; they do not make it correct.
//! **Invariant:** nothing here knows GraphQL, a log engine or a read model. Commands get data of
//! the read side through [`Ports`].

mod actions;
mod calls;
mod commands;
mod elsewhere;
mod error;
mod execute;
mod federation;
mod process;
mod rooms;
mod stream;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
mod users;

pub use rookery_actions::{ActionKind, ActionRates};

pub use rookery_ports::{
    CallLookup, EventLookup, LastActions, LoggedIn, Memberships, Ports, Receipt, Received,
    RoomCounts, ServerKeys, TrustedKeys,
};

pub use self::{
    commands::{Actor, CommandOptions, Commands, Retry},
    elsewhere::{BegunAction, Drafted, RemoteActions},
    error::HandleError,
    execute::{Command, Outcome},
    federation::{
        EARLY_BYTES_MAX, EARLY_PER_SERVER_BYTES_MAX, HELD_BYTES_MAX, HELD_PER_ROOM_BYTES_MAX,
        HELD_PER_ROOM_MAX, HELD_PER_SERVER_BYTES_MAX, HeldBack, HeldEvent, PAST_EVENTS_MAX,
        PastPage, STATED_BYTES_MAX, STATED_EVENTS_MAX, StateIds, StatedPast, StatedState,
        TakenPast,
    },
    process::ProcessStatus,
    rooms::{
        Started,
        departure::{Departure, DepartureError},
    },
    users::{
        account::ReadMark,
        profile::{ProfileChange, StartedProfile},
    },
};
