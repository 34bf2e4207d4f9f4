//! Events of rooms, and their relations.

pub(crate) mod event;
pub(crate) mod redacted;
pub(crate) mod relations;
