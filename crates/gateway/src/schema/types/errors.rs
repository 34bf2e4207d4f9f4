//! Refusals, which are data, and faults, which are errors.

pub(crate) mod fault;
pub(crate) mod refusal;
