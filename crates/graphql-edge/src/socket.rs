//! GraphQL over WebSocket: the subprotocol graphql-transport-ws.
//!
//! Source: "GraphQL over WebSocket Protocol" (`graphql-ws` 6, PROTOCOL.md).

mod connection;
mod gauge;
mod link;
mod meter;
mod outgoing;
mod patience;
mod protocol;
mod spelling;
mod subprotocol;
mod upgrade;

pub use self::gauge::SocketGauge;
pub(crate) use self::upgrade::upgrade;
