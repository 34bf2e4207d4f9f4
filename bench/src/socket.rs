//! A WebSocket client that costs next to nothing, and graphql-transport-ws on it.
//!
//! Frames of the client are masked with zeros, which is allowed and needs no work.
//!
//! Source: RFC 6455, section 5.2.

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::Error;

/// Longest frame that is read.
const FRAME_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The bit of the first byte that says that the message ends with this frame.
const FINAL: u8 = 0x80;
/// The bit of the second byte that says that the payload is masked.
const MASKED: u8 = 0x80;
/// A length that says that the real one follows in two bytes.
const LENGTH_16: u8 = 0x7e;
/// A length that says that the real one follows in eight bytes.
const LENGTH_64: u8 = 0x7f;

/// An open WebSocket.
pub(crate) struct Socket {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// What lies before was given out.
    read: usize,
}

/// The header of a frame: opcode, where its payload begins, and where it ends.
#[derive(Debug, PartialEq)]
struct Frame {
    opcode: u8,
    begin: usize,
    end: usize,
}

/// The bytes of a text frame.
pub(crate) fn text(payload: &str) -> Vec<u8> {
    frame(1, payload.as_bytes())
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
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut socket = Self { stream, buffer: Vec::with_capacity(2 * 1024), read: 0 };
        let upgrade = "GET /graphql HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: \
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

    /// Connects, and logs in with `token`.
    ///
    /// # Errors
    /// If the server does not acknowledge it.
    pub(crate) async fn open(address: &str, token: &str) -> Result<Self, Error> {
        let mut socket = Self::connect(address).await?;
        let payload = json!({ "Authorization": format!("Bearer {token}") });
        let init = json!({ "type": "connection_init", "payload": payload });
        socket.send(&text(&init.to_string())).await?;
        let answer = socket.next().await?;
        if memchr::memmem::find(answer, b"connection_ack").is_none() {
            return Err(String::from_utf8_lossy(answer).into());
        }
        Ok(socket)
    }

    /// Sends bytes that [`text`] or [`subscribe`] made.
    ///
    /// # Errors
    /// If the connection is broken.
    pub(crate) async fn send(&mut self, frame: &[u8]) -> Result<(), Error> {
        Ok(self.stream.write_all(frame).await?)
    }

    /// The payload of the next text frame. Answers pings.
    ///
    /// # Errors
    /// If the socket is closed.
    pub(crate) async fn next(&mut self) -> Result<&[u8], Error> {
        loop {
            let Some(Frame { opcode, begin, end }) = header(&self.buffer[self.read..])? else {
                self.fill().await?;
                continue;
            };
            let (begin, end) = (self.read + begin, self.read + end);
            self.read = end;
            match opcode {
                1 => return Ok(&self.buffer[begin..end]),
                8 => {
                    let reason = String::from_utf8_lossy(&self.buffer[begin..end]);
                    return Err(format!("the server closed the socket: {reason}").into());
                }
                9 => {
                    let pong = frame(10, &self.buffer[begin..end]);
                    self.send(&pong).await?;
                }
                _ => {}
            }
        }
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

fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![FINAL | opcode];
    match payload.len() {
        length @ 0..126 => bytes.push(MASKED | u8::try_from(length).unwrap_or(0)),
        length @ 126..65_536 => {
            bytes.push(MASKED | LENGTH_16);
            bytes.extend(u16::try_from(length).unwrap_or(0).to_be_bytes());
        }
        length => {
            bytes.push(MASKED | LENGTH_64);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}

/// Reads the header of an unmasked frame; none if it is not all there, payload included.
fn header(bytes: &[u8]) -> Result<Option<Frame>, Error> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    let (length, begin) = match second & !MASKED {
        LENGTH_16 => match rest {
            [a, b, ..] => (usize::from(u16::from_be_bytes([*a, *b])), 4),
            _ => return Ok(None),
        },
        LENGTH_64 => match rest.first_chunk::<8>() {
            Some(length) => (usize::try_from(u64::from_be_bytes(*length))?, 10),
            None => return Ok(None),
        },
        length => (usize::from(length), 2),
    };
    if length > FRAME_BYTES_MAX || first & FINAL == 0 {
        return Err("a frame is too long, or in parts".into());
    }
    let end = begin + length;
    Ok((bytes.len() >= end).then_some(Frame { opcode: first & 0xf, begin, end }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_is_read_once_all_of_its_frame_is_there() {
        let short = [0x81, 2, b'h', b'i', 0x81];
        let expected = Frame { opcode: 1, begin: 2, end: 4 };
        assert_eq!(header(&short).ok(), Some(Some(expected)));
        assert_eq!(header(&short[..3]).ok(), Some(None));
        let mut long = vec![0x81, 126, 1, 0];
        long.extend([b'x'; 256]);
        assert_eq!(header(&long).ok(), Some(Some(Frame { opcode: 1, begin: 4, end: 260 })));
    }

    #[test]
    fn frame_says_its_length_in_the_shortest_form() {
        assert_eq!(frame(1, b"hi"), [0x81, 0x82, 0, 0, 0, 0, b'h', b'i']);
        assert_eq!(frame(1, &[b'x'; 300])[..4], [0x81, 0xfe, 1, 44]);
    }
}
