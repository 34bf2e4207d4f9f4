//! The ports of the write side: its questions to the read side and for keys, and its receipts for
//! events of other servers.
//!
//! **Invariant:** nothing here does I/O or decides anything.

mod all;
mod calls;
mod events;
mod keys;
mod memberships;
mod receipt;

pub use self::{
    all::{LastActions, LoggedIn, Ports},
    calls::CallLookup,
    events::EventLookup,
    keys::{ServerKeys, TrustedKeys},
    memberships::{Memberships, RoomCounts},
    receipt::{Receipt, Received},
};
