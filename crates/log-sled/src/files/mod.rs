//! The small files beside the engine's: the format, the known end of the log, and the marks of
//! erased content and of a clean stop.

pub(crate) mod anchor;
pub(crate) mod cached;
pub(crate) mod head;
pub(crate) mod marker;
pub(crate) mod meta;
pub(crate) mod sealed;
pub(crate) mod stopped;
