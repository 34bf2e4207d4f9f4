//! Users, devices and the viewer's own data.

pub(crate) mod account_items;
pub(crate) mod pages;
pub(crate) mod user;
pub(crate) mod viewer;
