//! The command line: what can be said, not what is done about it.

mod commands;
mod flags;
mod irc;

pub use self::{
    commands::{Command, ImportKind, Invocation, LogCommand, RoomCommand, UserCommand, parse},
    flags::Flags,
    irc::IrcArguments,
};
