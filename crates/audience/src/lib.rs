//! Typing, presence and signals of calls, tied to the read models and to the log.
//!
//! **Invariant:** the read models decide the audience; this crate keeps no membership of its own.
//! **Invariant:** a session, a membership or a call that ends has neither typing nor signals.

pub mod calls;
mod ephemeral;

pub use self::ephemeral::{end_with_sessions, ephemeral, keep_ephemeral};
