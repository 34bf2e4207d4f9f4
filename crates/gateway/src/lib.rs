//! The GraphQL schema, our own HTTP and WebSocket transport, and the pages.

pub mod pages;
pub mod schema;
pub mod transport;
