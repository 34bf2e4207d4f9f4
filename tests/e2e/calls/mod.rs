//! Calls between two users.

mod ending;
mod racing;
mod ringing;
mod signals;
mod talk;
