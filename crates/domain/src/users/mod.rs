//! The data of one user: account data, profile, filters.

pub(crate) mod account;
pub(crate) mod account_data;
pub(crate) mod elsewhere;
pub(crate) mod filter;
pub(crate) mod ignored;
pub(crate) mod preferences;
pub(crate) mod profile;
