//! The GraphQL schema of Rookery and its shared execution: what the edge (`rookery-graphql-edge`) serves.

// The merged objects of the schema nest their futures once for each object.
#![recursion_limit = "256"]

mod consumers;
mod graphql;
pub mod schema;
mod sharing;
mod tokens;
mod webhooks;

pub use self::{consumers::consumers, graphql::router, tokens::Tokens, webhooks::webhooks};
// The server owns it and passes it on.
pub use rookery_ephemeral::Ephemeral;
pub use rookery_webhooks::HookRates;
