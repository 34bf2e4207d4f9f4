//! Bounds on the resources of a user, and what one user costs another.

pub(crate) mod abuse;
mod budget;
pub(crate) mod costly;
mod interference;
mod memory;
mod paces;
mod starving;
