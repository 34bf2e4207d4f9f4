//! The bare reference of a fan-out: a WebSocket server that sends the same bytes to all clients.
//!
//! It runs in its own process, so that its processor time and memory are separate from those of the
//! load generator. It sends each line of its standard input.

use std::io::BufRead;

use futures_util::{SinkExt, StreamExt};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Builder,
    sync::broadcast,
};
use tokio_tungstenite::{
    accept_hdr_async_with_config,
    tungstenite::{
        Message, Utf8Bytes,
        handshake::server::{Request, Response},
        http::HeaderValue,
        protocol::WebSocketConfig,
    },
};

use crate::{Error, server::ANNOUNCEMENT};

/// The argument that makes this program the bare server.
pub(crate) const ARGUMENT: &str = "--bare-broadcast";

/// Messages that may queue up for the slowest listener.
const BACKLOG: usize = 65_536;

/// The least buffer for the messages of clients.
const READ_BUFFER_BYTES: usize = 4 * 1024;

/// Prints its address, and serves until its standard input ends.
///
/// # Errors
/// If it cannot listen.
pub(crate) fn serve_lines() -> Result<(), Error> {
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let (messages, _) = broadcast::channel(BACKLOG);
    eprintln!("{ANNOUNCEMENT}{}", listener.local_addr()?);
    let source = messages.clone();
    runtime.spawn(async move { accept(&listener, &source).await });
    for line in std::io::stdin().lock().lines() {
        // Without listeners the send has no receiver.
        let _nobody = messages.send(Utf8Bytes::from(line?));
    }
    Ok(())
}

async fn accept(listener: &TcpListener, messages: &broadcast::Sender<Utf8Bytes>) {
    while let Ok((stream, _)) = listener.accept().await {
        let messages = messages.subscribe();
        tokio::spawn(async move {
            // A listener that has gone is ignored.
            let _gone = serve(stream, messages).await;
        });
    }
}

async fn serve(
    stream: TcpStream,
    mut messages: broadcast::Receiver<Utf8Bytes>,
) -> Result<(), Error> {
    stream.set_nodelay(true)?;
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES);
    let mut socket = accept_hdr_async_with_config(stream, agree, Some(config)).await?;
    loop {
        let mut next = tokio::select! {
            text = messages.recv() => Some(text?),
            _closed = socket.next() => return Ok(()),
        };
        // One write sends all available messages.
        while let Some(text) = next {
            socket.feed(Message::Text(text)).await?;
            next = messages.try_recv().ok();
        }
        socket.flush().await?;
    }
}

/// Accepts the protocol that the client names.
#[expect(clippy::result_large_err, clippy::unnecessary_wraps, reason = "the library's signature")]
fn agree(
    _: &Request,
    mut response: Response,
) -> Result<Response, tokio_tungstenite::tungstenite::handshake::server::ErrorResponse> {
    let protocol = HeaderValue::from_static("graphql-transport-ws");
    response.headers_mut().insert("sec-websocket-protocol", protocol);
    Ok(response)
}
