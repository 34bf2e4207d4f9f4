//! Users and their devices.

pub(crate) mod admin;
pub(crate) mod devices;
pub(crate) mod imported;
pub(crate) mod name;
pub(crate) mod outgoing;
pub(crate) mod webhooks;
