//! A WebSocket client with minimal cost, and graphql-transport-ws on it.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use crate::{
    Error,
    frame::{self, CLOSE, Message, PING, TEXT, text},
};

/// An open WebSocket.
pub(crate) struct Socket {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// Bytes before this index were returned already.
    read: usize,
}

/// The bytes of the message that starts an operation.
pub(crate) fn subscribe(id: &str, document: &str, variables: &Value) -> Vec<u8> {
    let payload = json!({ "query": document, "variables": variables });
    text(&json!({ "id": id, "type": "subscribe", "payload": payload }).to_string())
}

impl Socket {
    /// Connects to the WebSocket at `address`.
    ///
    /// # Errors
    /// If there is none.
    pub(crate) async fn connect(address: &str) -> Result<Self, Error> {
        Self::upgrade(TcpStream::connect(address).await?).await
    }

    /// Connects, and logs in with `token`.
    ///
    /// # Errors
    /// If the server does not acknowledge it.
    pub(crate) async fn open(address: &str, token: &str) -> Result<Self, Error> {
        Self::connect(address).await?.log_in(token).await
    }

    /// As [`Self::open`], with such a small kernel buffer that the server notices a client that
    /// does not read.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(crate) async fn open_small(address: &str, token: &str) -> Result<Self, Error> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(4 * 1024)?;
        let stream = socket.connect(address.parse::<SocketAddr>()?).await?;
        Self::upgrade(stream).await?.log_in(token).await
    }

    async fn upgrade(stream: TcpStream) -> Result<Self, Error> {
        stream.set_nodelay(true)?;
        let mut socket = Self { stream, buffer: Vec::with_capacity(512), read: 0 };
        let upgrade = "GET /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: \
                       websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \
                       AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: \
                       graphql-transport-ws\r\n\r\n";
        socket.stream.write_all(upgrade.as_bytes()).await?;
        let head = loop {
            if let Some(head) = memchr::memmem::find(&socket.buffer, b"\r\n\r\n") {
                break head;
            }
            socket.fill().await?;
        };
        if !socket.buffer.starts_with(b"HTTP/1.1 101") {
            let text = String::from_utf8_lossy(&socket.buffer).into_owned();
            return Err(format!("the server does not upgrade: {text}").into());
        }
        socket.read = head + 4;
        Ok(socket)
    }

    async fn log_in(mut self, token: &str) -> Result<Self, Error> {
        let payload = json!({ "Authorization": format!("Bearer {token}") });
        let init = json!({ "type": "connection_init", "payload": payload });
        self.send(&text(&init.to_string())).await?;
        let answer = self.next().await?;
        if memchr::memmem::find(answer, b"connection_ack").is_none() {
            return Err(String::from_utf8_lossy(answer).into());
        }
        Ok(self)
    }

    /// Sends the bytes of [`text`] or [`subscribe`].
    ///
    /// # Errors
    /// If the connection is broken.
    pub(crate) async fn send(&mut self, frame: &[u8]) -> Result<(), Error> {
        Ok(self.stream.write_all(frame).await?)
    }

    /// The payload of the next text. Answers pings.
    ///
    /// # Errors
    /// If the socket is closed.
    pub(crate) async fn next(&mut self) -> Result<&[u8], Error> {
        loop {
            let message = frame::message(&mut self.buffer[self.read..])?;
            let Some(Message { opcode, begin, end, next }) = message else {
                self.fill().await?;
                continue;
            };
            let (begin, end) = (self.read + begin, self.read + end);
            self.read += next;
            match opcode {
                TEXT => return Ok(&self.buffer[begin..end]),
                CLOSE => {
                    let reason = String::from_utf8_lossy(&self.buffer[begin..end]);
                    return Err(format!("the server closed the socket: {reason}").into());
                }
                PING => {
                    let pong = frame::pong(&self.buffer[begin..end]);
                    self.send(&pong).await?;
                }
                _ => {}
            }
        }
    }

    /// The connection, and the bytes read from it but not returned yet.
    ///
    /// # Errors
    /// If the runtime does not release the socket.
    pub(crate) fn into_parts(mut self) -> Result<(std::net::TcpStream, Vec<u8>), Error> {
        self.buffer.drain(..self.read);
        Ok((self.stream.into_std()?, self.buffer))
    }

    async fn fill(&mut self) -> Result<(), Error> {
        self.buffer.drain(..self.read);
        self.read = 0;
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            return Err("the server closed the connection".into());
        }
        Ok(())
    }
}
