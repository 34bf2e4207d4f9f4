//! The GraphQL schema of Rookery, its shared execution, and the pages: what the edge (`rookery-graphql-edge`) serves.

mod calls;
mod consumers;
mod ephemeral;
mod graphql;
pub mod pages;
pub mod schema;
mod sharing;
mod tokens;
mod webhooks;

pub use self::{
    calls::{CallTimers, DueCall},
    consumers::consumers,
    ephemeral::{end_with_sessions, ephemeral, keep_ephemeral},
    graphql::router,
    tokens::Tokens,
    webhooks::webhooks,
};
// The server owns it and passes it on.
pub use rookery_ephemeral::Ephemeral;
pub use rookery_webhooks::HookRates;
