//! Registration and login, and the bounds on both.

pub(crate) mod failures;
pub(crate) mod login;
pub(crate) mod turns;
