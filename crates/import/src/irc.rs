//! IRC logs as commands: messages, joins, leaves and changes of names, with the original times.
//!
//! The path of a line: [`Source`] finds the log files and reads their lines, a [`Dialect`] parses a line, a clock
//! finds its time, and [`Replay`] turns it into [`Step`](crate::Step)s for the command layer.
//!
//! **Invariant:** every line ends in exactly one [`Category`](crate::Category) of the [`Summary`](crate::Summary).
//! **Invariant:** the same lines give the same steps with the same command IDs, so a second import adds nothing.
//! **Invariant:** no input causes a panic, and no line stops the import.

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
