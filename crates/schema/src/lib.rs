//! The types of the GraphQL schema, with the context of their resolvers.
//!
//! A type translates an answer of the other crates; it decides nothing. Queries, mutations and
//! subscriptions, which use these types, are in `rookery-gateway`.
//!
//! **Invariant:** identifiers are parsed here, once; inside, a room ID is a room ID.
//! **Invariant:** an expected refusal is data; a fault is an error with a code and no internals.
//! **Invariant:** no type knows the operation that returns it.

#![expect(clippy::unused_async, reason = "async-graphql takes resolvers that are async")]
#![expect(
    clippy::missing_errors_doc,
    clippy::must_use_candidate,
    reason = "one crate calls these functions, and their errors are faults and refusals"
)]

pub mod context;
pub mod entrances;
pub mod ice;
pub mod marks;
mod operating;
pub mod reads;
pub mod types;
