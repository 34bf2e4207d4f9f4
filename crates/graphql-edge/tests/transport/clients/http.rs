//! HTTP by hand, so that tests can break every rule.

use std::fmt::Write as _;
use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn code(&self) -> String {
        self.json()["errors"][0]["extensions"]["code"].as_str().unwrap_or("none").to_owned()
    }
}

/// Sends bytes and reads until the server closes: the head of the answer as text, and the body.
pub(crate) async fn raw_bytes(address: SocketAddr, request: &[u8]) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let mut received = Vec::new();
    // The server may answer and close before everything is written.
    let (_, read) = tokio::join!(writer.write_all(request), reader.read_to_end(&mut received));
    let head = received.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    let head = head.unwrap_or_else(|| panic!("{read:?}: {received:?}"));
    let body = received.split_off(head + 4);
    (String::from_utf8(received).unwrap(), body)
}

/// Sends bytes and reads until the server closes.
pub(crate) async fn raw(address: SocketAddr, request: &[u8]) -> Answer {
    let (head, body) = raw_bytes(address, request).await;
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head, body: String::from_utf8(body).unwrap() }
}

pub(crate) struct Request {
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Request {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { method: "GET", path: path.into(), headers: Vec::new(), body: Vec::new() }
    }

    pub(crate) fn post(body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let request = Self { method: "POST", path: "/graphql".into(), headers: Vec::new(), body };
        request.header("Content-Type", "application/json")
    }

    pub(crate) fn query(query: &str) -> Self {
        Self::post(json!({ "query": query }).to_string())
    }

    pub(crate) fn method(mut self, method: &'static str) -> Self {
        self.method = method;
        self
    }

    /// Sets a header; without a value, removes it.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(found, _)| *found != name);
        if !value.is_empty() {
            self.headers.push((name, value.to_owned()));
        }
        self
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.body
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut request =
            format!("{} {} HTTP/1.1\r\nHost: rookery.test\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            write!(request, "{name}: {value}\r\n").unwrap();
        }
        write!(request, "Content-Length: {}\r\nConnection: close\r\n\r\n", self.body.len())
            .unwrap();
        let mut request = request.into_bytes();
        request.extend_from_slice(&self.body);
        request
    }

    pub(crate) async fn send(self, address: SocketAddr) -> Answer {
        raw(address, &self.bytes()).await
    }
}
