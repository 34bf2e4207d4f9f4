//! One operation, from its parameters to its outcome, over any protocol.

pub(crate) mod charge;
pub(crate) mod execute;
pub(crate) mod operations;
pub(crate) mod prepare;
pub(crate) mod refused;
mod validated;
