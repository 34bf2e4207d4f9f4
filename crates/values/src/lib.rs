//! General values of the GraphQL schema: scalars, lists, texts, pages, refusals and faults.
//!
//! **Invariant:** an identifier is parsed here, once; inside, a room ID is a room ID.
//! **Invariant:** an expected refusal is data; a fault is an error with a code and no internals.
//! **Invariant:** nothing here knows a room, an event or a user as an object of the schema.

#![expect(
    clippy::missing_errors_doc,
    clippy::must_use_candidate,
    reason = "crates of the schema alone call these functions, and their errors are faults and refusals"
)]

pub mod connection;
pub mod eager;
pub mod errors;
mod interface;
pub mod list;
pub mod node_id;
pub mod rate_limit;
pub mod scalars;
pub mod text;

pub use self::interface::interface;
