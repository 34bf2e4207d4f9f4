//! Calls about rooms.

pub(super) mod creation;
pub(super) mod directory;
pub(super) mod members;
pub(super) mod membership;
pub(super) mod sending;
mod settings;
pub(super) mod state;
