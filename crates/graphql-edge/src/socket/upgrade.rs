//! From a request to a WebSocket (RFC 6455, section 4.2).

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use axum::response::Response;
use hyper_util::rt::TokioIo;
use rookery_graphql_documents::{ESCAPED_MAX, Refusal, code};
use std::sync::Arc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::handshake::server::create_response_with_body;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::connection::Connection as Socket;
use super::link::Link;
use super::meter::Metered;
use super::outgoing::FRAME_BYTES_MAX;
use super::protocol::Told;
use super::spelling::spelled;
use super::subprotocol::Subprotocol;
use crate::connection::connections::Connection;
use crate::connection::unsent::Unsent;
use crate::http::endpoint::peer;
use crate::http::media::Media;
use crate::http::respond::{Manner, respond};
use crate::http::router::Transport;
use crate::port::auth::{Authenticator, credentials};
use crate::port::frame::Frames;
use crate::port::options::SocketOptions;

/// How many bytes are read from a socket at a time: most sockets are idle, and most messages are
/// short.
const READ_BUFFER_BYTES: usize = 1024;

/// Turns a request into a WebSocket, and serves it until it ends.
pub(crate) async fn upgrade<E: Frames, A: Authenticator>(
    transport: Arc<Transport<E, A>>,
    mut request: Request,
) -> Response {
    let mut response = match create_response_with_body(&request, Body::empty) {
        Ok(response) => response,
        Err(error) => {
            let invalid = transport.options.invalid_status;
            let manner = Manner::new(request.headers(), Media::Json, invalid);
            return respond(refusal(&error).into(), manner, None).await;
        }
    };
    let connection = Connection::of(request.extensions()).cloned();
    let lasting = match connection.as_ref().map(Connection::lasting).transpose() {
        Ok(lasting) => lasting,
        Err(refusal) => {
            let invalid = transport.options.invalid_status;
            let manner = Manner::new(request.headers(), Media::Json, invalid);
            return respond(refusal.into(), manner, None).await;
        }
    };
    let subprotocol = Subprotocol::offered(request.headers());
    if let Some(name) = subprotocol.name() {
        let name = HeaderValue::from_static(name);
        response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, name);
    }
    response.extensions_mut().extend(spelled().await);
    let upgrading = hyper::upgrade::on(&mut request);
    let (parts, _body) = request.into_parts();
    let peer = peer(&parts);
    // A header without a bearer token is reported to the client in the protocol's own way.
    let told = credentials(&parts.headers).map(Told::from);
    let unsent = Unsent::of(&parts.extensions).cloned().unwrap_or_default();
    drop(parts);
    tokio::spawn(async move {
        let upgraded = match upgrading.await {
            Ok(upgraded) => upgraded,
            Err(error) => return tracing::debug!(%error, "a connection became no socket"),
        };
        let _counted = transport.options.sockets.enter();
        let options = &transport.options.socket;
        let wire = Metered::new(TokioIo::new(upgraded), message_bytes_max(options));
        let socket =
            WebSocketStream::from_raw_socket(wire, Role::Server, Some(config(options))).await;
        let link = Link::new(socket, subprotocol, options);
        Socket::new(transport, link, (connection, unsent), (peer, told)).serve().await;
        drop(lasting);
    });
    response
}

fn config(options: &SocketOptions) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(FRAME_BYTES_MAX)
        .max_message_size(Some(ESCAPED_MAX * options.frame_bytes_max))
        .max_frame_size(Some(ESCAPED_MAX * options.frame_bytes_max))
}

fn refusal(error: &Error) -> Refusal {
    let message = format!("This is not an opening handshake of a WebSocket: {error}.");
    Refusal::new(code::BAD_REQUEST, message)
}

/// The bytes that a message may take on the wire: twice its text, to leave room for the headers of
/// its frames.
fn message_bytes_max(options: &SocketOptions) -> usize {
    2 * ESCAPED_MAX * options.frame_bytes_max + READ_BUFFER_BYTES
}
