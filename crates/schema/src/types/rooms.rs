//! Rooms, their members and their timelines.

mod by;
pub mod closed;
pub mod directory;
pub mod invite;
pub mod join_rule;
pub mod members;
pub mod pages;
pub mod permissions;
pub mod preferences;
pub mod room;
pub mod timeline;
pub mod typing;
