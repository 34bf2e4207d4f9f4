//! Imports: conversations from IRC, and exported logs.

mod irc;
mod log;
pub(crate) mod unfinished;

pub use self::irc::ImportPart;
pub(crate) use self::{
    irc::{carry_out, import_irc},
    log::import_log,
};
