//! Rooms: their state, their members and their events.

mod creation;
mod folding;
mod membership;
mod messages;
pub(crate) mod power;
mod redaction;
mod relations;
mod settings;
mod upgrade;
mod visibility;
