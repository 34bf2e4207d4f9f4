//! The commands of clients as mutations of the GraphQL schema: one for each command, with one input and one payload.
//!
//! **Invariant:** an identifier is parsed here, once; a refusal is data in the payload.

#![expect(clippy::unused_async, reason = "async-graphql takes resolvers that are async")]

mod accounts;
mod acted;
mod calls;
mod entered;
mod ephemeral;
mod members;
mod messages;
mod mutation;
mod outgoing_webhooks;
mod rooms;
mod webhooks;

pub use self::mutation::Mutation;
