//! The port of the event log, which is the only source of truth.
//!
//! This crate defines a log and its promises. Engines live in crates of their own.
//!
//! **Invariant:** nothing here knows the meaning of an event: an event is an ID, an envelope and
//! content.
//! **Invariant:** nothing here does I/O.

mod chain;
pub mod contract;
mod counted;
mod log;
mod memory;
mod page;
mod position;
mod record;
mod rounds;
mod seal;
mod stream;

pub use self::{
    chain::{Hash, chain_hash},
    counted::{CountedLog, ReadCounts},
    log::{
        APPENDS_IN_FLIGHT_BYTES_MAX, AppendError, Appended, Appending, Backlog, ErasableLog,
        EraseError, EventLog, Guard, Head, ReadError, Scope, Unavailable,
    },
    memory::MemoryLog,
    page::{PAGE_BYTES_MAX, PAGE_MAX, PageBytes, fill_page, is_last_page},
    position::{Epoch, Position, PositionToken, SealedPosition},
    record::{COMMIT_BYTES_MAX, COMMIT_EVENTS_MAX, Commit, LoggedEvent, Millis, Record},
    rounds::Rounds,
    seal::{ParseTokenError, Sealed, TokenKey, TokenKind},
    stream::{CommandId, EventKey, Revision, StreamId, StreamKind},
};
