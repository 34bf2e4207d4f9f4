//! Events of rooms, and their relations.

pub(crate) mod content;
pub mod event;
mod fields;
mod message;
pub mod power_levels;
pub mod redacted;
pub mod relations;
mod state;
pub mod typed;

pub use self::message::MessageKindEnum;
