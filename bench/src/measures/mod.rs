//! Measurements, and their form on the output.

pub(crate) mod phase;
pub(crate) mod report;
pub(crate) mod stamp;
pub(crate) mod stats;
