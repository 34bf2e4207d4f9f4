//! A program that consumes and acknowledges, over one socket.

use memchr::memmem::find;
use serde_json::{Value, json};

use crate::{
    Error,
    server::Server,
    socket::{self, Socket},
};

const CONSUME: &str = "subscription($name: String!, $max: Int, $from: PlaceInput) {
    consume(name: $name, max: $max, from: $from) { position batch caughtUp events { __typename
        ... on RoomEvent {
            eventId type sequence text sentAt sender { userId } room { roomId } } } } }";

const ACKNOWLEDGE: &str = "mutation($input: AcknowledgeInput!) { acknowledge(input: $input) {
    position refusal { code message } } }";

const RESET: &str = "mutation($input: ResetConsumerInput!) { resetConsumer(input: $input) {
    position refusal { code message } } }";

/// Most events of a batch.
const BATCH_MAX: u64 = 256;

/// A connection of a consumer.
pub(super) struct Consumer {
    socket: Socket,
    name: String,
    asked: u64,
    was_reset: bool,
}

/// A part of a consumer's stream.
pub(super) struct Chunk {
    pub(super) position: String,
    pub(super) events: u64,
    pub(super) bytes: u64,
    pub(super) caught_up: bool,
    has_batch: bool,
}

impl Consumer {
    /// Consumes as `name`. If that consumer is new, it begins at `from`, or now.
    ///
    /// # Errors
    /// If the server refuses the socket.
    pub(super) async fn open(
        server: &Server,
        token: &str,
        name: &str,
        from: Value,
    ) -> Result<Self, Error> {
        let mut socket = Socket::open(server.address(), token).await?;
        let variables = json!({ "name": name, "max": BATCH_MAX, "from": from });
        socket.send(&socket::subscribe("consume", CONSUME, &variables)).await?;
        Ok(Self { socket, name: name.to_owned(), asked: 0, was_reset: false })
    }

    /// The next chunk. Dropping the future may lose one.
    ///
    /// # Errors
    /// If the server ends the stream, or refuses an acknowledgement.
    pub(super) async fn next(&mut self) -> Result<Chunk, Error> {
        loop {
            let frame = self.socket.next().await?;
            // Acknowledgements of batches from before a reset come too late.
            if self.was_reset && is_too_late(frame) {
                continue;
            }
            if let Some(chunk) = chunk(frame)? {
                return Ok(chunk);
            }
        }
    }

    /// Acknowledges a chunk. The answer comes later; [`Self::next`] reads it.
    ///
    /// # Errors
    /// If the connection is broken.
    pub(super) async fn acknowledge(&mut self, chunk: &Chunk) -> Result<(), Error> {
        if !chunk.has_batch {
            return Ok(());
        }
        let input = json!({ "name": self.name, "position": chunk.position });
        self.ask(ACKNOWLEDGE, input).await
    }

    /// Acknowledges a chunk, and waits for the answer.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub(super) async fn settle(&mut self, chunk: &Chunk) -> Result<(), Error> {
        if !chunk.has_batch {
            return Ok(());
        }
        self.acknowledge(chunk).await?;
        loop {
            let frame = self.socket.next().await?;
            if chunk_of(frame).is_none() && find(frame, br#""acknowledge":{"#).is_some() {
                return refused(frame);
            }
        }
    }

    /// Begins again at the beginning.
    ///
    /// # Errors
    /// If the connection is broken.
    pub(super) async fn begin_again(&mut self) -> Result<(), Error> {
        self.was_reset = true;
        let input = json!({ "name": self.name, "to": { "beginning": true } });
        self.ask(RESET, input).await
    }

    async fn ask(&mut self, document: &str, input: Value) -> Result<(), Error> {
        self.asked += 1;
        let id = self.asked.to_string();
        self.socket.send(&socket::subscribe(&id, document, &json!({ "input": input }))).await
    }
}

/// The chunk in a frame, if there is one.
fn chunk(frame: &[u8]) -> Result<Option<Chunk>, Error> {
    let Some(body) = chunk_of(frame) else {
        refused(frame)?;
        return Ok(None);
    };
    let position = text(body, br#""position":""#).ok_or("a chunk has no position")?;
    let events = memchr::memmem::find_iter(body, br#""__typename":"#).count() as u64;
    Ok(Some(Chunk {
        position,
        events,
        bytes: frame.len() as u64,
        caught_up: find(body, br#""caughtUp":true"#).is_some(),
        has_batch: find(body, br#""batch":null"#).is_none(),
    }))
}

fn chunk_of(frame: &[u8]) -> Option<&[u8]> {
    let at = find(frame, br#""consume":{"#)?;
    Some(&frame[at..])
}

/// The text after `key`, up to the next quotation mark.
fn text(body: &[u8], key: &[u8]) -> Option<String> {
    let rest = &body[find(body, key)? + key.len()..];
    let end = memchr::memchr(b'"', rest)?;
    String::from_utf8(rest[..end].to_vec()).ok()
}

/// Whether the frame refuses an acknowledgement because its batch is not outstanding.
fn is_too_late(frame: &[u8]) -> bool {
    chunk_of(frame).is_none() && find(frame, br#""code":"POSITION_NOT_DELIVERED""#).is_some()
}

/// Fails if the frame is an error or a refusal.
fn refused(frame: &[u8]) -> Result<(), Error> {
    let is_refused = find(frame, br#""errors":["#).is_some()
        || find(frame, br#""type":"error""#).is_some()
        || find(frame, br#""refusal":{"#).is_some();
    if is_refused { Err(String::from_utf8_lossy(frame).into()) } else { Ok(()) }
}
