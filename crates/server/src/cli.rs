//! The grammar of the command line. Other modules carry out its commands.

mod commands;
mod federation;
mod flags;
mod irc;

pub use self::{
    commands::{
        Command, ImportKind, Invocation, LogCommand, RoomCommand, ServiceCommand, TurnCommand,
        UserCommand, parse,
    },
    federation::{FederationCommand, ServerCommand},
    flags::Flags,
    irc::IrcArguments,
};
