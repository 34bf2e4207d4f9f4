//! Streamed answers, read as they arrive.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::clients::http::Request;

/// How long a test waits for an expected message.
const PATIENCE: Duration = Duration::from_secs(30);

/// A client in the middle of an answer.
#[derive(Debug)]
pub(crate) struct Streaming {
    pub(crate) connection: TcpStream,
    pub(crate) head: String,
    /// Received text that was not taken yet.
    text: String,
    undecoded: Vec<u8>,
}

impl Streaming {
    /// Sends a request and reads the head of its answer.
    pub(crate) async fn open(address: SocketAddr, request: Request) -> Self {
        let mut connection = TcpStream::connect(address).await.unwrap();
        connection.write_all(&request.bytes()).await.unwrap();
        let mut this =
            Self { connection, head: String::new(), text: String::new(), undecoded: Vec::new() };
        let end = loop {
            if let Some(end) = this.undecoded.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end;
            }
            assert!(this.receive().await, "no head: {:?}", this.undecoded);
        };
        let rest = this.undecoded.split_off(end + 4);
        this.head = String::from_utf8(std::mem::replace(&mut this.undecoded, rest)).unwrap();
        this
    }

    async fn receive(&mut self) -> bool {
        let mut buffer = vec![0; 16 * 1024];
        let read = timeout(PATIENCE, self.connection.read(&mut buffer)).await.unwrap();
        let read = read.unwrap_or(0);
        self.undecoded.extend_from_slice(&buffer[..read]);
        read > 0
    }

    /// Removes complete chunks. Source: RFC 9112, section 7.1.
    fn decode(&mut self) {
        if !self.head.contains("transfer-encoding: chunked") {
            self.text += &String::from_utf8(std::mem::take(&mut self.undecoded)).unwrap();
            return;
        }
        while let Some(line) = self.undecoded.windows(2).position(|bytes| bytes == b"\r\n") {
            let size = std::str::from_utf8(&self.undecoded[..line]).unwrap();
            let size = usize::from_str_radix(size, 16).unwrap();
            let Some(chunk) = self.undecoded.get(line + 2..line + 2 + size) else { return };
            self.text.push_str(std::str::from_utf8(chunk).unwrap());
            self.undecoded.drain(..(line + 4 + size).min(self.undecoded.len()));
            if size == 0 {
                return;
            }
        }
    }

    /// Reads until `end` has arrived, and returns the text up to there.
    pub(crate) async fn until(&mut self, end: &str) -> String {
        loop {
            self.decode();
            if let Some(at) = self.text.find(end) {
                let rest = self.text.split_off(at + end.len());
                return std::mem::replace(&mut self.text, rest);
            }
            assert!(self.receive().await, "{end:?} did not come: {:?}", self.text);
        }
    }

    /// Reads until the server ends.
    pub(crate) async fn rest(&mut self) -> String {
        while self.receive().await {}
        self.decode();
        std::mem::take(&mut self.text)
    }
}
