//! IRC logs as commands: who spoke, joined, left and changed names, with the original times.
//!
//! The way of a line: [`Source`] finds the log files and reads their lines, a [`Dialect`] says what a
//! line means, a clock when it was, and [`Replay`] turns it into [`Step`](crate::Step)s for the command layer.
//!
//! **Invariant:** every line ends in exactly one [`Category`](crate::Category) of the [`Summary`](crate::Summary).
//! **Invariant:** the same lines give the same steps with the same command IDs, so an import that
//! runs twice adds nothing.
//! **Invariant:** no input makes it panic, and no line makes it stop.

mod dialect;
mod line;
mod mapping;
mod replay;
mod source;

#[cfg(test)]
mod tests;

pub(crate) use self::replay::room_command;
pub use self::{
    dialect::Dialect,
    line::{encoding::Legacy, nick::Nick, stamp::time_zone},
    mapping::{Mapping, MappingError},
    replay::{MAPPED_MARK, Options, Replay, replay_all, settle_networks},
    source::{Channel, Lines, LogFile, Source, SourceError, SourceOptions},
};
