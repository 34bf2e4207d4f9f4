//! IRC logs as commands: who spoke, joined, left and changed names, with the original times.
//!
//! The way of a line: [`Source`] finds the log files and reads their lines, [`mod@line`] says what a
//! line means, [`clock`] when it was, and [`Replay`] turns it into [`Step`]s for the command layer.
//!
//! **Invariant:** every line ends in exactly one [`Category`] of the [`Summary`].
//! **Invariant:** the same input gives the same steps with the same command IDs, so an import that
//! runs twice adds nothing.
//! **Invariant:** no input makes it panic, and no line makes it stop.

pub mod clock;
pub mod line;
pub mod nick;
pub mod text;

mod command;
mod dialect;
mod drive;
mod people;
mod replay;
mod scene;
mod source;
mod spool;
mod summary;

#[cfg(test)]
mod tests;

pub use self::{
    command::{Command, MessageKind, Step},
    drive::replay_all,
    replay::{Options, Replay},
    source::{Lines, LogFile, Source, SourceError},
    summary::{COMPLAINTS_LISTED_MAX, Category, Complaint, Complaints, Implied, Summary},
};
