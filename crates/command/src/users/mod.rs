//! Changes of users to their own data, and rate limits of users.

pub(crate) mod account;
pub(crate) mod filter;
pub(crate) mod preferences;
pub(crate) mod profile;
pub(crate) mod rates;
pub(crate) mod renames;
pub(crate) mod reserved;
