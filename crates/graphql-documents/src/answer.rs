//! Answers of requests: outcomes, and refusals with their codes.

pub(crate) mod fault;
pub(crate) mod outcome;
pub(crate) mod refusal;
pub(crate) mod text;
