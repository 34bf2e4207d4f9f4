//! Users, devices and what is only for you.

pub(crate) mod account_items;
pub(crate) mod user;
pub(crate) mod viewer;
