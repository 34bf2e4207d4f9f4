//! Typing and presence: what is true now and is never kept.
//!
//! [`Ephemeral`] holds who types where and who is there; a [`Connection`] is one open socket of a
//! device; a [`Reader`] learns of changes. Everything is a state and nothing a message: a reader
//! that is slow learns the latest state, once.
//!
//! **Invariant:** nothing here reaches the log or a file; a restart forgets it all.
//! **Invariant:** the rules ([`state`](self), typing, presence) read no clock: the time is an argument.
//! **Invariant:** whoever is told nothing is not woken: an idle reader costs nothing when strangers
//! type.

mod due;
mod ephemeral;
mod presence;
mod readers;
mod state;
#[cfg(test)]
mod tests;
mod time;
mod typing;

pub use self::{
    ephemeral::{Connection, Ephemeral},
    presence::{LINGER, POLL_COUNTS, Presence, STATUS_BYTES_MAX, Shown, TOLD_EVERY},
    readers::{Audience, Changes, Listening, Reader},
    time::Now,
    typing::{TYPING_DEFAULT, TYPING_MAX, TYPING_ROOMS_MAX},
};
