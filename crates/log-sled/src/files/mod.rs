//! The small files beside the engine's: the format, the known end of the log, and the mark of
//! erased content.

pub(crate) mod anchor;
pub(crate) mod cached;
pub(crate) mod head;
pub(crate) mod marker;
pub(crate) mod meta;
pub(crate) mod sealed;
