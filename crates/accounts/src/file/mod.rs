//! The file of the accounts: its tables, its values, its disk, and transactions.

pub(crate) mod change;
pub(crate) mod disk;
pub(crate) mod format;
pub(crate) mod overlay;
pub(crate) mod storage;
pub(crate) mod store;
