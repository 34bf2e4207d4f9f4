//! Answers over HTTP that go on.

mod distinct;
pub(crate) mod limits;
mod multipart;
pub(crate) mod single;
