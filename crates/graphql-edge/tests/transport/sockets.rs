//! Operations over WebSocket.

mod limits;
mod protocol;
mod revoked;
