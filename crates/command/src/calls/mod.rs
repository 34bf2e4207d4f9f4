//! Calls: the part of the write side that concerns several rooms.
//!
//! The rules of one room are in `rookery-domain`. That a user has one call at a time, in all rooms,
//! is decided here: see [`Claims`].

mod claims;
mod end;
mod place;

pub(crate) use self::{claims::Claims, place::new_party};
