//! What users change about themselves, and how often users may act.

pub(crate) mod account;
pub(crate) mod filter;
pub(crate) mod profile;
pub(crate) mod rates;
pub(crate) mod renames;
