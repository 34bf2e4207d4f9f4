//! Work on a whole log: verifying, compacting, importing.

pub(crate) mod compact;
pub(crate) mod examine;
pub(crate) mod import;
pub(crate) mod swap;
pub(crate) mod verify;
