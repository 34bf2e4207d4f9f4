//! Streamed answers over HTTP: event streams and multipart answers.

pub(crate) mod delivery;
pub(crate) mod multipart;
pub(crate) mod sse;
