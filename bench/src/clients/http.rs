//! An HTTP/1.1 client with minimal cost: it shares the machine with the server.
//!
//! **Invariant:** the bytes of a request are built before the clock runs.

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::Error;

/// Longest accepted answer.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The bytes of a GraphQL request.
pub(crate) fn request(token: &str, document: &str, variables: &Value) -> Vec<u8> {
    let body = json!({ "query": document, "variables": variables }).to_string();
    format!(
        "POST /graphql HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nAccept: \
         application/json\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The bytes of a request for a page.
pub(crate) fn page(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes()
}

/// A connection that is kept open.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects to `address`.
    ///
    /// # Errors
    /// If nobody listens there.
    pub(crate) async fn open(address: &str) -> Result<Self, Error> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(8 * 1024) })
    }

    /// Sends a request and returns the body of its answer.
    ///
    /// # Errors
    /// If the answer is malformed, or not a success.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<&[u8], Error> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if let Some((head, end)) = answer(&self.buffer)? {
                if !self.buffer.starts_with(b"HTTP/1.1 200") || self.buffer.len() != end {
                    let text = String::from_utf8_lossy(&self.buffer);
                    return Err(format!("the server answered: {text}").into());
                }
                return Ok(&self.buffer[head..end]);
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err("the server closed the connection".into());
            }
        }
    }

    /// Runs a document that has to succeed and returns its `data`.
    ///
    /// # Errors
    /// If it does not.
    pub(crate) async fn run(
        &mut self,
        token: &str,
        document: &str,
        variables: &Value,
    ) -> Result<Value, Error> {
        let body = self.ask(&request(token, document, variables)).await?;
        let mut answer: Value = serde_json::from_slice(body)?;
        if answer.get("errors").is_some() {
            return Err(format!("the server answered: {answer}").into());
        }
        Ok(answer["data"].take())
    }
}

/// Start and end of the body, once the answer is complete.
fn answer(bytes: &[u8]) -> Result<Option<(usize, usize)>, Error> {
    let Some(head) = memchr::memmem::find(bytes, b"\r\n\r\n") else { return Ok(None) };
    let lines = bytes[..head].split(|byte| *byte == b'\n');
    let length = lines
        .filter_map(|line| std::str::from_utf8(line).ok()?.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse::<usize>().ok())
        .filter(|length| *length <= ANSWER_BYTES_MAX)
        .ok_or("the answer has no length, or is too long")?;
    let begin = head + 4;
    Ok((bytes.len() >= begin + length).then_some((begin, begin + length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answer_ends_where_its_length_says() {
        let bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
        assert_eq!(answer(bytes).ok(), Some(Some((38, 43))));
        assert_eq!(answer(&bytes[..40]).ok(), Some(None));
        assert_eq!(answer(&bytes[..20]).ok(), Some(None));
    }

    #[test]
    fn answer_without_a_length_is_refused() {
        assert!(answer(b"HTTP/1.1 200 OK\r\n\r\nhello").is_err());
    }
}
