//! Calls to other Matrix servers: where a server is, signed requests, bounds, typed answers.
//!
//! Source: Matrix server-server specification.
//!
//! **Invariant:** nothing here knows a room or a log. Events in answers stay the bytes that came.
//! **Invariant:** nothing is sent to a server that an operator excludes, or to an address that may not be reached.

mod client;
pub mod clock;
pub mod discovery;
pub mod own;
pub mod paths;
pub mod signing;

pub use self::client::*;
