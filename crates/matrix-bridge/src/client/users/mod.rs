//! Calls about users, and about the server.

pub(super) mod account;
pub(super) mod account_data;
pub(super) mod ephemeral;
pub(super) mod profile;
pub(super) mod server;
