//! Streamed answers over HTTP.

mod distinct;
pub(crate) mod limits;
mod multipart;
pub(crate) mod single;
