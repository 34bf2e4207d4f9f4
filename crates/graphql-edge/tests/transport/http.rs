//! Requests over HTTP that get one answer.

mod faults;
pub(crate) mod files;
mod persisted;
mod requests;
