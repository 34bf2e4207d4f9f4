//! Runs of the event index: entries of 35 bytes, sorted by the hash of the event ID.

use std::{fs::File, io, path::Path, sync::Arc};

use rookery_log::Position;
use rookery_runs::{Contents, Shape};
use serde::{Deserialize, Serialize};

use crate::models::StreamKey;

/// The first 16 bytes of the BLAKE3 hash of an event ID: uniform for any form of ID.
pub(crate) type IdHash = [u8; 16];

/// The place of an event in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The commit.
    pub position: Position,
    /// The index in the commit.
    pub index: u16,
    /// The sequence number in the stream.
    pub sequence: u64,
    /// The stream.
    pub stream: StreamKey,
}

pub(crate) type Entry = (IdHash, Place);

const ENTRY_BYTES: usize = 35;

/// Eight bytes of the hash tell pages apart, and take a sixteenth of a byte of memory for each event. No filter: it
/// would take more than a byte.
const SHAPE: Shape = Shape { fence: 8, filtered: 0 };

/// A run of the event index.
#[derive(Clone)]
pub(crate) struct Run {
    pub(crate) name: String,
    pub(crate) len: u64,
    entries: Arc<rookery_runs::Run<ENTRY_BYTES>>,
}

impl Run {
    /// Writes sorted entries into a new file.
    pub(crate) fn write(
        dir: &Path,
        name: String,
        entries: impl Iterator<Item = io::Result<Entry>>,
    ) -> io::Result<Self> {
        let contents = Contents { shape: SHAPE, count: 0, note: &[] };
        let entries = entries.map(|entry| entry.map(encode));
        rookery_runs::write(&dir.join(&name), contents, entries)?;
        let entries = rookery_runs::Run::open(&dir.join(&name))?;
        Ok(Self { name, len: entries.count(), entries: Arc::new(entries) })
    }

    /// Opens the file of a run that has `len` entries.
    pub(crate) fn open(dir: &Path, name: String, len: u64) -> io::Result<Self> {
        let entries = rookery_runs::Run::open(&dir.join(&name))?;
        if entries.count() != len {
            let text = format!("{name} has {} entries, not {len}", entries.count());
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        Ok(Self { name, len, entries: Arc::new(entries) })
    }

    pub(crate) fn handle(&self) -> Arc<File> {
        self.entries.file()
    }

    pub(crate) fn get(&self, key: &IdHash) -> io::Result<Option<Place>> {
        let [mut first, mut last] = [[0; ENTRY_BYTES], [u8::MAX; ENTRY_BYTES]];
        first[..key.len()].copy_from_slice(key);
        last[..key.len()].copy_from_slice(key);
        let found = self.entries.range(first..=last).next().transpose()?;
        Ok(found.as_ref().map(|entry| decode(entry).1))
    }

    /// All entries in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = io::Result<Entry>> + '_ {
        self.entries.iter().map(|entry| Ok(decode(&entry?)))
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn encode((key, place): Entry) -> [u8; ENTRY_BYTES] {
    let mut bytes = [0; ENTRY_BYTES];
    bytes[..16].copy_from_slice(&key);
    bytes[16..22].copy_from_slice(&place.position.0.to_be_bytes()[2..]);
    bytes[22..24].copy_from_slice(&place.index.to_be_bytes());
    bytes[24..29].copy_from_slice(&place.sequence.to_be_bytes()[3..]);
    bytes[29..].copy_from_slice(&place.stream.0.to_be_bytes()[2..]);
    bytes
}

fn decode(bytes: &[u8; ENTRY_BYTES]) -> Entry {
    let mut key = IdHash::default();
    key.copy_from_slice(&bytes[..16]);
    let place = Place {
        position: Position(number(&bytes[16..22])),
        index: u16::from_be_bytes([bytes[22], bytes[23]]),
        sequence: number(&bytes[24..29]),
        stream: StreamKey(number(&bytes[29..])),
    };
    (key, place)
}

/// Merges sorted sources. For equal keys the first source wins.
pub(crate) fn merge<'a>(
    sources: Vec<Box<dyn Iterator<Item = io::Result<Entry>> + 'a>>,
) -> impl Iterator<Item = io::Result<Entry>> + 'a {
    let sources = sources.into_iter().map(|source| source.map(|entry| entry.map(encode)));
    let merged = rookery_runs::merge(sources.collect(), size_of::<IdHash>());
    merged.map(|entry| entry.map(|bytes| decode(&bytes)))
}
