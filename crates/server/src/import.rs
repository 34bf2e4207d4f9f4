//! Imports: conversations from IRC, and logs that were exported.

mod irc;
mod log;

pub(crate) use self::{irc::import_irc, log::import_log};
