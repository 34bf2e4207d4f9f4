//! The GraphQL schema, our own HTTP and WebSocket transport, and the pages.

mod ephemeral;
pub mod pages;
pub mod schema;
mod security;
mod sharing;
mod tokens;
pub mod transport;

pub use self::{
    ephemeral::{end_with_sessions, ephemeral, keep_ephemeral},
    security::{Refused, SecurityLog},
    tokens::Tokens,
};
// The server holds it and hands it around.
pub use rookery_ephemeral::Ephemeral;
