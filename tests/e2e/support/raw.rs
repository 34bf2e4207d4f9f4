//! HTTP requests that no client library would write.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use serde_json::Value;

use crate::server::Server;

/// Longest wait for an answer: longer than any deadline of the server.
const ANSWER_MAX: Duration = Duration::from_mins(1);

/// An answer, unparsed.
pub(crate) struct Raw {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Raw {
    /// The body, and the code of its first error.
    pub(crate) fn code(&self) -> String {
        let body: Value = serde_json::from_str(&self.body).expect("the body is JSON");
        let code = body["errors"][0]["extensions"]["code"].as_str();
        code.unwrap_or_else(|| panic!("no error with a code: {body}")).to_owned()
    }
}

/// A connection after writing `bytes`.
pub(crate) fn write(server: &Server, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).expect("the server takes connections");
    stream.set_read_timeout(Some(ANSWER_MAX)).expect("a timeout");
    // The server may have enough before all is written.
    stream.write_all(bytes).ok();
    stream
}

/// Reads until the server closes the connection.
pub(crate) fn read(mut stream: TcpStream) -> Raw {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).ok();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Raw { status, head: head.to_owned(), body: body.to_owned() }
}

/// Whether the server ends the connection, instead of leaving it open until the test gives up.
pub(crate) fn is_ended(mut stream: TcpStream) -> bool {
    stream.read_to_end(&mut Vec::new()).is_ok()
}

/// Sends one request to `/graphql` and reads the answer.
pub(crate) fn send(server: &Server, method: &str, headers: &[&str], body: &[u8]) -> Raw {
    let mut request = format!("{method} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    if !headers.iter().any(|header| header.starts_with("Transfer-Encoding")) {
        request += &format!("Content-Length: {}\r\n", body.len());
    }
    for header in headers {
        request += &format!("{header}\r\n");
    }
    let mut bytes = format!("{request}\r\n").into_bytes();
    bytes.extend_from_slice(body);
    read(write(server, &bytes))
}

/// Posts a body as JSON.
pub(crate) fn post(server: &Server, body: &[u8]) -> Raw {
    send(server, "POST /graphql", &["Content-Type: application/json"], body)
}
