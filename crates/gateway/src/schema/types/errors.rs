//! Refusals, which are data, and faults, which are errors.

mod code;
pub(crate) mod fault;
pub(crate) mod payload;
pub(crate) mod refusal;
