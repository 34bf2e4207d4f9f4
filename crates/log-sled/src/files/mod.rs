//! The small files beside the engine's: the format, how far the log reaches, and whether content was erased.

pub(crate) mod anchor;
pub(crate) mod head;
pub(crate) mod marker;
pub(crate) mod meta;
pub(crate) mod sealed;
