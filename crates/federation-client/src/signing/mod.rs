//! Signed requests between servers.
//!
//! Source: Matrix server-server specification, "Authentication: Request Authentication".

mod header;
mod request;

pub use self::header::{HeaderError, XMatrix};
pub use self::request::{Signed, sign_request, verify_as_sent, verify_request};
