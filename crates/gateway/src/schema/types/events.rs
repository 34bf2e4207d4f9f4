//! Events of rooms, and what came of them.

pub(crate) mod event;
pub(crate) mod redacted;
pub(crate) mod relations;
