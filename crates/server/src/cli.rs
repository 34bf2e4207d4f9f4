//! The command line: what can be said, not what is done about it.

mod commands;
mod flags;

pub use self::{
    commands::{Command, ImportKind, Invocation, LogCommand, RoomCommand, UserCommand, parse},
    flags::Flags,
};
