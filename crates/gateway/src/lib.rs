//! The GraphQL schema, our own HTTP and WebSocket transport, and the pages.

pub mod pages;
pub mod schema;
mod tokens;
pub mod transport;

pub use tokens::Tokens;
