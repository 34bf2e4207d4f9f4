//! Users, devices and the viewer's own data.

pub mod account_data;
pub mod account_items;
pub mod consumers;
pub mod pages;
pub mod presence;
pub mod user;
pub mod viewer;
