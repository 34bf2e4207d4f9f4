//! The grammar of the command line. Other modules carry out its commands.

mod commands;
mod flags;
mod irc;

pub use self::{
    commands::{
        Command, ImportKind, Invocation, LogCommand, RoomCommand, ServiceCommand, TurnCommand,
        UserCommand, parse,
    },
    flags::Flags,
    irc::IrcArguments,
};
