//! The bare reference of a fan-out: a WebSocket server that sends the same bytes to everybody.

use std::{net::SocketAddr, thread};

use futures_util::{SinkExt, StreamExt};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Builder,
    sync::{broadcast, oneshot},
};
use tokio_tungstenite::{
    accept_hdr_async,
    tungstenite::{
        Message, Utf8Bytes,
        handshake::server::{Request, Response},
        http::HeaderValue,
    },
};

use crate::Error;

/// Messages that may wait for the slowest listener.
const BACKLOG: usize = 65_536;

/// A server on threads of its own. It ends when this is dropped and its listeners have gone.
pub(crate) struct Broadcast {
    messages: broadcast::Sender<Utf8Bytes>,
    address: SocketAddr,
    /// Dropped, it ends the server.
    _stop: oneshot::Sender<()>,
}

impl Broadcast {
    /// Starts a server.
    ///
    /// # Errors
    /// If it cannot listen.
    pub(crate) fn start() -> Result<Self, Error> {
        let runtime = Builder::new_multi_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        let (messages, _) = broadcast::channel(BACKLOG);
        let (stop, stopped) = oneshot::channel::<()>();
        let source = messages.clone();
        thread::Builder::new().name("broadcast".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(&listener, &source) => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Self { messages, address, _stop: stop })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Sends a text to everybody.
    pub(crate) fn send(&self, text: &Utf8Bytes) {
        // Without listeners there is nobody to tell.
        let _nobody = self.messages.send(text.clone());
    }
}

async fn accept(listener: &TcpListener, messages: &broadcast::Sender<Utf8Bytes>) {
    while let Ok((stream, _)) = listener.accept().await {
        let messages = messages.subscribe();
        tokio::spawn(async move {
            // A listener that has gone is not missed.
            let _gone = serve(stream, messages).await;
        });
    }
}

async fn serve(
    stream: TcpStream,
    mut messages: broadcast::Receiver<Utf8Bytes>,
) -> Result<(), Error> {
    stream.set_nodelay(true)?;
    let mut socket = accept_hdr_async(stream, agree).await?;
    loop {
        let mut next = tokio::select! {
            text = messages.recv() => Some(text?),
            _closed = socket.next() => return Ok(()),
        };
        // All that is ready goes out in one write.
        while let Some(text) = next {
            socket.feed(Message::Text(text)).await?;
            next = messages.try_recv().ok();
        }
        socket.flush().await?;
    }
}

/// Agrees to the protocol that the client names.
#[expect(clippy::result_large_err, clippy::unnecessary_wraps, reason = "the library's signature")]
fn agree(
    _: &Request,
    mut response: Response,
) -> Result<Response, tokio_tungstenite::tungstenite::handshake::server::ErrorResponse> {
    let protocol = HeaderValue::from_static("graphql-transport-ws");
    response.headers_mut().insert("sec-websocket-protocol", protocol);
    Ok(response)
}
