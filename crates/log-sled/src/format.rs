//! The bytes of stored records, format versions 1 and 2.
//!
//! A record: version (1 byte), CRC-32 of the rest (4), layout (1), epoch (8), position (8),
//! revision (8), durable (8), hash of the previous record (32), own hash (32), and then data that
//! depends on the layout. Layout 0: the body. Layout 1: the number of chunks (4), the length of the
//! body (4), its CRC-32 (4). Layout 2: the number of the first chunk (4), then as in layout 1,
//! where chunks count from 0.
//!
//! A chunk: version (1), CRC-32 of the rest (4), position (8), number of the chunk (4), bytes. The
//! body is the postcard encoding of stream, command, time received, and events. Numbers of fixed
//! size are little-endian.
//!
//! Only layout 2 uses version 2. When an event of a large record is erased, the record gets new
//! chunks beside the old ones. Its value then selects the valid chunks in one step.
//!
//! `durable` is the end of the log on stable storage when the record was written. A gap at or below
//! it cannot come from a crash, so it is damage. A gap above it was never acknowledged.
//!
//! **Invariant:** every record of these versions stays readable; see `tests/golden`.

use std::{ops::Range, sync::Arc};

use bytes::{Buf, Bytes};
use rookery_log::{
    CommandId, Commit, Epoch, Hash, LoggedEvent, Millis, Position, Record, Revision, StreamId,
};
use serde::{Deserialize, Serialize, de::IntoDeserializer};

/// The version of new records, except records of layout [`MOVED`].
pub(crate) const VERSION: u8 = 1;

/// The newest version that is known.
const VERSION_MAX: u8 = 2;

/// Longest value that goes into the engine, in bytes.
///
/// A leaf of the engine's tree holds up to 17 values, and the engine may rewrite it whole when it
/// cleans up. Above 131,020 bytes a leaf would go to `blobs/`, which is never synced. 17 values of
/// this length stay below. (Up to about 12 KiB it takes a clean-up at a bad moment to get there.)
pub(crate) const VALUE_BYTES_MAX: usize = 7 * 1024;

const SEALED_FROM: usize = 5;
const HEADER_BYTES: usize = 102;
const CHUNK_HEADER_BYTES: usize = 17;
const WHOLE: u8 = 0;
const CHUNKED: u8 = 1;
const MOVED: u8 = 2;

/// The damage of stored bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Damage(pub(crate) Arc<str>);

impl From<&str> for Damage {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

/// An encoded commit without a position yet: space for the header, then the body.
pub(crate) struct Draft(Vec<u8>);

#[derive(Serialize)]
struct BodyOut<'a> {
    stream: &'a StreamId,
    command: Option<CommandId>,
    received: Millis,
    events: &'a [LoggedEvent],
}

#[derive(Deserialize)]
struct BodyIn<'a> {
    stream: &'a str,
    command: Option<CommandId>,
    received: Millis,
    #[serde(borrow)]
    events: Vec<EventIn<'a>>,
}

#[derive(Deserialize)]
struct EventIn<'a> {
    id: &'a str,
    envelope: &'a [u8],
    content: &'a [u8],
}

impl Draft {
    /// Encodes `commit`. The caller of an append does this, to keep the writer thread free.
    pub(crate) fn of(commit: &Commit) -> Self {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + 64 + commit.len_bytes());
        bytes.resize(HEADER_BYTES, 0);
        let body = BodyOut {
            stream: &commit.stream,
            command: commit.command,
            received: commit.received,
            events: &commit.events,
        };
        Self(postcard::to_extend(&body, bytes).expect("plain data in memory encodes"))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// The values of one record for the engine.
pub(crate) struct Sealed {
    pub(crate) value: Vec<u8>,
    /// The number of the first chunk.
    pub(crate) first: u32,
    pub(crate) chunks: Vec<Vec<u8>>,
}

impl Sealed {
    /// Puts a header before `draft`, the encoded commit of `record`.
    pub(crate) fn new(draft: Draft, record: &Record, durable: Position) -> Self {
        let Draft(mut value) = draft;
        if value.len() <= VALUE_BYTES_MAX {
            write_header(&mut value, WHOLE, record, durable);
            return Self { value, first: 0, chunks: Vec::new() };
        }
        let body = value.split_off(HEADER_BYTES);
        let chunks = seal_chunks(record.position, 0, &body);
        extent(&mut value, &chunks, &body);
        write_header(&mut value, CHUNKED, record, durable);
        Self { value, first: 0, chunks }
    }

    /// Seals `draft`, the new content of `record`, as a replacement of `stored`. Its chunks get
    /// numbers that the chunks of `stored` do not have.
    pub(crate) fn again(draft: Draft, record: &Record, stored: &Stored) -> Self {
        let Body::Chunked { first, count, .. } = stored.body else {
            // It is not longer than before, so it stays in one value.
            return Self::new(draft, record, stored.durable);
        };
        if draft.len() <= VALUE_BYTES_MAX {
            return Self::new(draft, record, stored.durable);
        }
        let Draft(mut value) = draft;
        let body = value.split_off(HEADER_BYTES);
        let room = u32::try_from(body.len().div_ceil(CHUNK_BODY_MAX)).unwrap_or(u32::MAX);
        let first = if room <= first { 0 } else { first.saturating_add(count) };
        let chunks = seal_chunks(record.position, first, &body);
        value.extend_from_slice(&first.to_le_bytes());
        extent(&mut value, &chunks, &body);
        write_header(&mut value, MOVED, record, stored.durable);
        Self { value, first, chunks }
    }
}

/// The greatest length of an encoded commit: its data, with the names and lengths of its parts.
pub(crate) const BODY_BYTES_MAX: usize = 2 * rookery_log::COMMIT_BYTES_MAX;

/// How many bytes of a body one chunk holds.
const CHUNK_BODY_MAX: usize = VALUE_BYTES_MAX - CHUNK_HEADER_BYTES;

fn seal_chunks(position: Position, first: u32, body: &[u8]) -> Vec<Vec<u8>> {
    let parts = body.chunks(CHUNK_BODY_MAX).zip(first..);
    parts.map(|(part, index)| seal_chunk(position, index, part)).collect()
}

/// Writes the number of chunks of the body, its length, and its checksum.
fn extent(value: &mut Vec<u8>, chunks: &[Vec<u8>], body: &[u8]) {
    let count = u32::try_from(chunks.len()).expect("a commit is a few megabytes");
    let length = u32::try_from(body.len()).expect("a commit is a few megabytes");
    for number in [count, length, crc32fast::hash(body)] {
        value.extend_from_slice(&number.to_le_bytes());
    }
}

fn write_header(value: &mut [u8], layout: u8, record: &Record, durable: Position) {
    let mut header = Vec::with_capacity(HEADER_BYTES - SEALED_FROM);
    header.push(layout);
    for number in [record.epoch.0, record.position.0, record.revision.0, durable.0] {
        header.extend_from_slice(&number.to_le_bytes());
    }
    header.extend_from_slice(&record.previous.0);
    header.extend_from_slice(&record.hash.0);
    value[SEALED_FROM..HEADER_BYTES].copy_from_slice(&header);
    seal(value);
    if layout == MOVED {
        value[0] = VERSION_MAX;
    }
}

fn seal_chunk(position: Position, index: u32, part: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(CHUNK_HEADER_BYTES + part.len());
    value.resize(SEALED_FROM, 0);
    value.extend_from_slice(&position.0.to_le_bytes());
    value.extend_from_slice(&index.to_le_bytes());
    value.extend_from_slice(part);
    seal(&mut value);
    value
}

fn seal(value: &mut [u8]) {
    let checksum = crc32fast::hash(&value[SEALED_FROM..]);
    value[0] = VERSION;
    value[1..SEALED_FROM].copy_from_slice(&checksum.to_le_bytes());
}

/// Checks version and checksum, and returns the content.
fn unseal(mut value: Bytes) -> Result<Bytes, Damage> {
    if value.len() < SEALED_FROM {
        return Err("the value is cut short".into());
    }
    let version = value.get_u8();
    if !(VERSION..=VERSION_MAX).contains(&version) {
        let text = format!("format version {version} is unknown, up to {VERSION_MAX} are known");
        return Err(Damage(text.into()));
    }
    let checksum = value.get_u32_le();
    if crc32fast::hash(&value) != checksum {
        return Err("the checksum does not match".into());
    }
    Ok(value)
}

/// Whether `value` is a record or a chunk with a valid checksum.
pub(crate) fn is_sealed(value: &[u8]) -> bool {
    let sealed = value.get(SEALED_FROM..).filter(|_| value.len() >= CHUNK_HEADER_BYTES);
    let version = value.first().is_some_and(|it| (VERSION..=VERSION_MAX).contains(it));
    version
        && sealed
            .is_some_and(|sealed| crc32fast::hash(sealed).to_le_bytes() == value[1..SEALED_FROM])
}

/// A stored record with a valid checksum.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) epoch: Epoch,
    pub(crate) position: Position,
    pub(crate) revision: Revision,
    pub(crate) durable: Position,
    pub(crate) previous: Hash,
    pub(crate) hash: Hash,
    pub(crate) body: Body,
}

/// Where the body of a record is.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Whole(Bytes),
    Chunked { first: u32, count: u32, length: u32, checksum: u32 },
}

impl Body {
    /// The numbers of the chunks that hold the body.
    pub(crate) fn chunks(&self) -> Range<u32> {
        match self {
            Self::Whole(_) => 0..0,
            Self::Chunked { first, count, .. } => *first..first.saturating_add(*count),
        }
    }
}

impl Stored {
    /// Reads the value that is stored at `position`.
    pub(crate) fn read(value: Bytes, position: Position) -> Result<Self, Damage> {
        let stored = Self::parse(value)?;
        let found = stored.position;
        if found != position {
            return Err(Damage(format!("the record's own position is {found}").into()));
        }
        Ok(stored)
    }

    /// Reads a value of unknown position. `None` if it is a chunk and not a record.
    pub(crate) fn recognise(value: Bytes) -> Option<Self> {
        let stored = Self::parse(value).ok()?;
        let fits = match &stored.body {
            Body::Whole(body) => stored.decode(body).is_ok_and(|record| record.is_intact()),
            Body::Chunked { count, length, .. } => {
                (*length as usize).div_ceil(CHUNK_BODY_MAX) == *count as usize
                    && *length as usize <= BODY_BYTES_MAX
                    && stored.revision > Revision::EMPTY
            }
        };
        (fits && stored.durable < stored.position).then_some(stored)
    }

    fn parse(value: Bytes) -> Result<Self, Damage> {
        let mut value = unseal(value)?;
        if value.len() < HEADER_BYTES - SEALED_FROM {
            return Err("the header is cut short".into());
        }
        let layout = value.get_u8();
        let epoch = Epoch(value.get_u64_le());
        let position = Position(value.get_u64_le());
        let revision = Revision(value.get_u64_le());
        let durable = Position(value.get_u64_le());
        let mut previous = Hash::ORIGIN;
        value.copy_to_slice(&mut previous.0);
        let mut hash = Hash::ORIGIN;
        value.copy_to_slice(&mut hash.0);
        let body = match layout {
            WHOLE => Body::Whole(value),
            CHUNKED | MOVED if value.len() == if layout == MOVED { 16 } else { 12 } => {
                Body::Chunked {
                    first: if layout == MOVED { value.get_u32_le() } else { 0 },
                    count: value.get_u32_le(),
                    length: value.get_u32_le(),
                    checksum: value.get_u32_le(),
                }
            }
            _ => return Err("the layout is unknown".into()),
        };
        Ok(Self { epoch, position, revision, durable, previous, hash, body })
    }

    /// The record, from the bytes of all its chunks.
    pub(crate) fn decode_joined(&self, body: &Bytes) -> Result<Record, Damage> {
        match &self.body {
            Body::Chunked { checksum, .. } if crc32fast::hash(body) != *checksum => {
                Err("the checksum of the whole does not match".into())
            }
            _ => self.decode(body),
        }
    }

    /// The record, from its whole body.
    pub(crate) fn decode(&self, body: &Bytes) -> Result<Record, Damage> {
        let fields: BodyIn<'_> = postcard::from_bytes(body)
            .map_err(|error| Damage(format!("the body: {error}").into()))?;
        let events = fields.events.iter().map(|event| LoggedEvent {
            id: event.id.to_owned(),
            envelope: body.slice_ref(event.envelope),
            content: body.slice_ref(event.content),
        });
        let commit = Commit {
            stream: stream(fields.stream)?,
            command: fields.command,
            received: fields.received,
            events: events.collect(),
        };
        if commit.events.is_empty() || self.revision.0 < commit.events.len() as u64 {
            return Err("the revision does not fit the events".into());
        }
        Ok(Record {
            epoch: self.epoch,
            position: self.position,
            revision: self.revision,
            previous: self.previous,
            hash: self.hash,
            commit,
        })
    }
}

/// The position, number and bytes of a chunk of unknown position.
pub(crate) fn recognise_chunk(value: Bytes) -> Option<(Position, u32, Bytes)> {
    let mut value = unseal(value).ok()?;
    (value.len() > CHUNK_HEADER_BYTES - SEALED_FROM)
        .then(|| (Position(value.get_u64_le()), value.get_u32_le(), value))
}

/// The bytes of the chunk that is stored at `position` under `index`.
pub(crate) fn read_chunk(value: Bytes, position: Position, index: u32) -> Result<Bytes, Damage> {
    let mut value = unseal(value)?;
    let expected = CHUNK_HEADER_BYTES - SEALED_FROM;
    if value.len() < expected || value.get_u64_le() != position.0 || value.get_u32_le() != index {
        return Err("a chunk says that it belongs elsewhere".into());
    }
    Ok(value)
}

fn stream(name: &str) -> Result<StreamId, Damage> {
    if let Some(stream) = StreamId::parse(name) {
        return Ok(stream);
    }
    // A kind that a later version of the program wrote.
    let reader: serde::de::value::StrDeserializer<'_, serde::de::value::Error> =
        name.into_deserializer();
    StreamId::deserialize(reader).map_err(|_| "the stream has no name".into())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests;
