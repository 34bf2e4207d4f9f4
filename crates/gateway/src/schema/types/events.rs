//! Events of rooms, and their relations.

mod content;
pub(crate) mod event;
mod fields;
mod message;
pub(crate) mod power_levels;
pub(crate) mod redacted;
pub(crate) mod relations;
mod state;
pub(crate) mod typed;

pub(crate) use self::message::MessageKindEnum;
