//! GraphQL over WebSocket: the subprotocol graphql-transport-ws.
//!
//! Source: "GraphQL over WebSocket Protocol" (`graphql-ws` 6, PROTOCOL.md).

mod connection;
mod link;
mod protocol;

use std::sync::Arc;

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequestParts as _, Request};
use axum::response::{IntoResponse as _, Response};

use super::Transport;
use super::auth::{Authenticator, bearer};
use super::frame::Frames;
use super::http::peer;
use connection::Connection;

/// The name of the subprotocol.
const SUBPROTOCOL: &str = "graphql-transport-ws";

/// What is read from a socket at a time, in bytes: most sockets are idle most of the time.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// Turns a request into a WebSocket, and serves it until it ends.
pub(super) async fn upgrade<E: Frames, A: Authenticator>(
    transport: Arc<Transport<E, A>>,
    request: Request,
) -> Response {
    let (mut parts, _body) = request.into_parts();
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    let peer = peer(&parts);
    // A header that is no bearer token is told to the client in the protocol's own way.
    let token = bearer(&parts.headers).map(|token| token.map(str::to_owned));
    let options = &transport.options.socket;
    upgrade
        .protocols([SUBPROTOCOL])
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(options.queue_bytes_max)
        .max_message_size(options.frame_bytes_max)
        .max_frame_size(options.frame_bytes_max)
        .on_upgrade(move |socket| Connection::new(transport, socket, peer, token).serve())
}
