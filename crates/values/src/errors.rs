//! Refusals, which are data, and faults, which are errors.

mod code;
pub mod fault;
pub mod payload;
pub mod refusal;
