//! Work on a data directory as a whole: comparing, checking, compacting, saving.

pub(crate) mod compaction;
pub(crate) mod contents;
pub(crate) mod reconcile;
pub(crate) mod salvage;
pub(crate) mod signing;
pub(crate) mod tokens;
