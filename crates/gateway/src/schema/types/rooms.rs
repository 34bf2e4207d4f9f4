//! Rooms, their members and their timelines.

pub(crate) mod face;
pub(crate) mod invite;
pub(crate) mod join_rule;
pub(crate) mod members;
pub(crate) mod room;
pub(crate) mod timeline;
