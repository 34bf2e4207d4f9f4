//! The speakers: they send to Rookery over HTTP, each on its own connection, or to the bare server.

use std::{io::Write, process::ChildStdin, time::Duration};

use memchr::memmem::find;
use serde_json::{Value, json};

use crate::{
    Error,
    http::{self, Connection},
    stamp::{self, Stamped},
};

/// The mutation that every client sends.
pub(crate) const SEND: &str = "mutation($input: SendMessageInput!) { sendMessage(input: $input) {
    event { eventId } position refusal { code message } } }";

/// A speaker that sends the same text again and again, each time with the current time in it.
pub(crate) struct Speaker {
    voice: Voice,
    message: Stamped,
    /// The number of listeners to each message.
    pub(crate) listeners: u64,
}

enum Voice {
    Member(Connection),
    Bare(ChildStdin),
}

impl Speaker {
    /// A member of `room`.
    ///
    /// # Errors
    /// If nobody listens at `address`.
    pub(crate) async fn member(
        address: &str,
        token: &str,
        room: &str,
        listeners: usize,
    ) -> Result<Self, Error> {
        let body = format!("Has anybody seen the screwdriver that lay here? {}", stamp::UNSENT);
        let input = json!({ "input": { "roomId": room, "body": body } });
        let message = Stamped::new(http::request(token, SEND, &input))?;
        let voice = Voice::Member(Connection::open(address).await?);
        Ok(Self { voice, message, listeners: listeners as u64 })
    }

    /// A speaker that makes the bare server send `text`.
    ///
    /// # Errors
    /// If there is no mark in it.
    pub(crate) fn bare(lines: ChildStdin, text: &str, listeners: usize) -> Result<Self, Error> {
        let message = Stamped::new(format!("{text}\n").into())?;
        Ok(Self { voice: Voice::Bare(lines), message, listeners: listeners as u64 })
    }

    /// Sends a message with `time` in it.
    ///
    /// # Errors
    /// If it was refused.
    pub(crate) async fn say(&mut self, time: Duration) -> Result<(), Error> {
        let message = self.message.at(time);
        match &mut self.voice {
            Voice::Member(connection) => accepted(connection.ask(message).await?),
            Voice::Bare(lines) => Ok(lines.write_all(message)?),
        }
    }
}

/// The variables of [`SEND`].
pub(crate) fn input(room: &str) -> Value {
    let body = "Has anybody seen the screwdriver that lay on the second shelf this morning?";
    json!({ "input": { "roomId": room, "body": body } })
}

/// Checks that the message was accepted.
///
/// # Errors
/// Quotes the answer if it was not.
pub(crate) fn accepted(answer: &[u8]) -> Result<(), Error> {
    if find(answer, br#""refusal":null"#).is_some() {
        return Ok(());
    }
    Err(format!("not sent: {}", String::from_utf8_lossy(answer)).into())
}
