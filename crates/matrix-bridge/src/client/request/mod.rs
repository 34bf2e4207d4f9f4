//! The parts of requests.

pub(super) mod acting;
pub(super) mod body;
