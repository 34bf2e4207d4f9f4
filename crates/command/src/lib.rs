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
mod ports;
mod process;
mod rooms;
mod stream;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
mod users;

pub use rookery_actions::{ActionKind, ActionRates};

pub use self::{
    commands::{Actor, CommandOptions, Commands, Retry},
    elsewhere::{BegunAction, Drafted, RemoteActions},
    error::HandleError,
    execute::{Command, Outcome},
    federation::{
        EARLY_BYTES_MAX, EARLY_PER_SERVER_BYTES_MAX, HELD_BYTES_MAX, HELD_PER_ROOM_BYTES_MAX,
        HELD_PER_ROOM_MAX, HELD_PER_SERVER_BYTES_MAX, HeldBack, HeldEvent, Receipt, Received,
        STATED_BYTES_MAX, STATED_EVENTS_MAX, ServerKeys, StateIds, StatedState, TrustedKeys,
    },
    ports::{
        LastActions, LoggedIn, Ports,
        calls::CallLookup,
        events::EventLookup,
        memberships::{Memberships, RoomCounts},
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
