//! The lines as JSON. Field names and their order are part of the format.

use base64::{Engine, engine::general_purpose::STANDARD};
use rookery_log::{
    CommandId, Commit, Epoch, Hash, LoggedEvent, Millis, Position, Record, Revision, StreamId,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The version that this program writes. Every older version stays readable.
pub const FORMAT: u32 = 1;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeaderLine {
    pub(super) rookery: String,
    pub(super) format: u32,
    pub(super) epoch: String,
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FooterLine {
    pub(super) records: u64,
    pub(super) hash: String,
    pub(super) epoch: String,
}

/// A line between them.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordLine<'a> {
    epoch: String,
    position: Position,
    stream: String,
    revision: Revision,
    command: Option<String>,
    previous: String,
    hash: String,
    received: Millis,
    checksum: String,
    #[serde(borrow)]
    events: Vec<EventLine<'a>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EventLine<'a> {
    id: String,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    envelope: Option<&'a RawValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    envelope_base64: Option<String>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    content: Option<&'a RawValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content_base64: Option<String>,
}

impl<'a> RecordLine<'a> {
    pub(super) fn new(record: &'a Record) -> Self {
        let events = record.commit.events.iter().map(|event| {
            let (envelope, envelope_base64) = embed(&event.envelope);
            let (content, content_base64) = embed(&event.content);
            EventLine { id: event.id.clone(), envelope, envelope_base64, content, content_base64 }
        });
        Self {
            epoch: record.epoch.to_string(),
            position: record.position,
            stream: record.commit.stream.as_str().to_owned(),
            revision: record.revision,
            command: record.commit.command.map(|id| hex(&id.0)),
            previous: record.previous.to_string(),
            hash: record.hash.to_string(),
            received: record.commit.received,
            checksum: contents_checksum(record),
            events: events.collect(),
        }
    }

    /// The record, or the name of the invalid field. Does not check the hash.
    pub(super) fn into_record(self) -> Result<Record, &'static str> {
        let checksum = self.checksum.clone();
        let record = self.into_unchecked()?;
        (contents_checksum(&record) == checksum).then_some(record).ok_or("checksum")
    }

    fn into_unchecked(self) -> Result<Record, &'static str> {
        let command = match self.command {
            Some(command) => Some(CommandId(unhex(&command).ok_or("command")?)),
            None => None,
        };
        Ok(Record {
            epoch: epoch(&self.epoch).ok_or("epoch")?,
            position: self.position,
            revision: self.revision,
            previous: Hash(unhex(&self.previous).ok_or("previous")?),
            hash: Hash(unhex(&self.hash).ok_or("hash")?),
            commit: Commit {
                stream: StreamId::parse(&self.stream).ok_or("stream")?,
                command,
                received: self.received,
                events: self
                    .events
                    .into_iter()
                    .map(EventLine::into_event)
                    .collect::<Result<_, _>>()?,
            },
        })
    }
}

impl EventLine<'_> {
    fn into_event(self) -> Result<LoggedEvent, &'static str> {
        let envelope = unembed(self.envelope, self.envelope_base64.as_deref()).ok_or("envelope")?;
        let content = unembed(self.content, self.content_base64.as_deref()).ok_or("content")?;
        Ok(LoggedEvent { id: self.id, envelope, content })
    }
}

/// BLAKE3 over the contents, which the hash of a record does not cover.
fn contents_checksum(record: &Record) -> String {
    let mut hasher = blake3::Hasher::new();
    for event in &record.commit.events {
        hasher.update(&(event.content.len() as u64).to_le_bytes());
        hasher.update(&event.content);
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

pub(super) fn epoch(text: &str) -> Option<Epoch> {
    unhex(text).map(|bytes| Epoch(u64::from_be_bytes(bytes)))
}

pub(super) fn hash(text: &str) -> Option<Hash> {
    unhex(text).map(Hash)
}

/// The bytes as JSON if that restores them exactly, on one line; else as base64.
fn embed(bytes: &[u8]) -> (Option<&RawValue>, Option<String>) {
    let raw = (bytes.first() == Some(&b'{') && !bytes.contains(&b'\n') && !bytes.contains(&b'\r'))
        .then(|| serde_json::from_slice::<&RawValue>(bytes).ok())
        .flatten()
        .filter(|raw| raw.get().as_bytes() == bytes);
    (raw, raw.is_none().then(|| STANDARD.encode(bytes)))
}

fn unembed(raw: Option<&RawValue>, base64: Option<&str>) -> Option<bytes::Bytes> {
    match (raw, base64) {
        (Some(raw), None) => Some(bytes::Bytes::copy_from_slice(raw.get().as_bytes())),
        (None, Some(base64)) => STANDARD.decode(base64).ok().map(Into::into),
        _ => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let digit = |value: u8| char::from(b"0123456789abcdef"[usize::from(value)]);
        text.extend([digit(byte >> 4), digit(byte & 15)]);
        text
    })
}

fn unhex<const LEN: usize>(text: &str) -> Option<[u8; LEN]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * LEN {
        return None;
    }
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; LEN];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = (value(pair[0])? << 4) | value(pair[1])?;
    }
    Some(bytes)
}
