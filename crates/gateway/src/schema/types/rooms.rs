//! Rooms, their members and their timelines.

mod by;
pub(crate) mod invite;
pub(crate) mod join_rule;
pub(crate) mod members;
pub(crate) mod pages;
pub(crate) mod permissions;
pub(crate) mod preferences;
pub(crate) mod room;
pub(crate) mod timeline;
