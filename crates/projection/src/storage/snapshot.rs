//! Snapshots: the header of a model on the disk, so that a start does not read the whole log.
//!
//! Format version 2, all numbers little-endian:
//!
//! | bytes | content |
//! |---|---|
//! | 8 | `RKMODEL2` |
//! | 32 | BLAKE3 of the rest |
//! | 2 + n | length of the model's name, the name |
//! | 4 | version of the model |
//! | 8 | epoch of the log |
//! | 8 | the last position that a row has reached |
//! | 8 | the position after which the log has to be applied again |
//! | rest | the data of the model beside its rows (postcard); these are in a file of their own |
//!
//! **Invariant:** a snapshot appears complete or not at all: written to another file, synced, then
//! renamed.
//! **Invariant:** a snapshot of another model or log is refused by name.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use rookery_log::{Epoch, Position};

const MAGIC: &[u8; 8] = b"RKMODEL2";

/// The beginning of each format, before its digit.
const ANY_FORMAT: &[u8] = b"RKMODEL";
const HASH_BYTES: usize = 32;

/// The header of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) model: &'static str,
    pub(crate) version: u32,
    pub(crate) epoch: Epoch,
    pub(crate) position: Position,
}

/// A snapshot cannot be used. The model is then rebuilt from the log.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// There is no snapshot.
    #[error("there is none")]
    Missing,
    /// The file cannot be read.
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    /// The file is not a snapshot, or has a format that this version does not know.
    #[error("it is not a snapshot of a known format")]
    Format,
    /// It has the format of an older version of the program.
    #[error("it has an older format, and this software reads format 2 only")]
    OlderFormat,
    /// The bytes are damaged.
    #[error("its checksum does not match")]
    Damaged,
    /// It is of another model.
    #[error("it is of another model")]
    Model,
    /// It is of another version of the model.
    #[error("it is of version {found}, this software has version {expected}")]
    Version {
        /// The version in the file.
        found: u32,
        /// The version that is needed.
        expected: u32,
    },
    /// It is of another log, or of this one before a restore.
    #[error("it belongs to the log of epoch {found}, this log has epoch {expected}")]
    Epoch {
        /// The epoch in the file.
        found: Epoch,
        /// The epoch of the log.
        expected: Epoch,
    },
    /// The log is older than the snapshot.
    #[error("it is at position {position}, but the log ends at {tail}: was an older log put back?")]
    Ahead {
        /// The position of the snapshot.
        position: Position,
        /// The end of the log.
        tail: Position,
    },
    /// The rows cannot be parsed, or the model's data files are missing or damaged.
    #[error("its rows cannot be read: {0}")]
    Rows(String),
}

/// The bytes of a snapshot. A start applies the log after `from` again.
pub(crate) fn encode(header: Header, from: Position, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(body.len() + 128);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&[0; HASH_BYTES]);
    let len = u16::try_from(header.model.len()).expect("names of models are short");
    bytes.extend_from_slice(&len.to_le_bytes());
    bytes.extend_from_slice(header.model.as_bytes());
    bytes.extend_from_slice(&header.version.to_le_bytes());
    bytes.extend_from_slice(&header.epoch.0.to_le_bytes());
    bytes.extend_from_slice(&header.position.0.to_le_bytes());
    bytes.extend_from_slice(&from.0.to_le_bytes());
    bytes.extend_from_slice(body);
    let start = MAGIC.len() + HASH_BYTES;
    let hash = blake3::hash(&bytes[start..]);
    bytes[MAGIC.len()..start].copy_from_slice(hash.as_bytes());
    bytes
}

/// Checks a snapshot against `expected`, where `expected.position` is the end of the log. Returns
/// the position after which the log has to be applied again, and the body.
pub(crate) fn decode(bytes: &[u8], expected: Header) -> Result<(Position, &[u8]), SnapshotError> {
    let older = bytes.get(ANY_FORMAT.len()).is_some_and(|digit| *digit < MAGIC[ANY_FORMAT.len()]);
    let rest = bytes.strip_prefix(MAGIC).ok_or(if older && bytes.starts_with(ANY_FORMAT) {
        SnapshotError::OlderFormat
    } else {
        SnapshotError::Format
    })?;
    let (hash, mut rest) = rest.split_at_checked(HASH_BYTES).ok_or(SnapshotError::Format)?;
    if blake3::hash(rest).as_bytes() != hash {
        return Err(SnapshotError::Damaged);
    }
    let input = &mut rest;
    let len = u16::from_le_bytes(take(input)?);
    let (model, after) = input.split_at_checked(len.into()).ok_or(SnapshotError::Format)?;
    *input = after;
    if model != expected.model.as_bytes() {
        return Err(SnapshotError::Model);
    }
    let found = u32::from_le_bytes(take(input)?);
    if found != expected.version {
        return Err(SnapshotError::Version { found, expected: expected.version });
    }
    let found = Epoch(u64::from_le_bytes(take(input)?));
    if found != expected.epoch {
        return Err(SnapshotError::Epoch { found, expected: expected.epoch });
    }
    let position = Position(u64::from_le_bytes(take(input)?));
    let from = Position(u64::from_le_bytes(take(input)?));
    if position > expected.position {
        return Err(SnapshotError::Ahead { position, tail: expected.position });
    }
    Ok((from, rest))
}

fn take<const N: usize>(input: &mut &[u8]) -> Result<[u8; N], SnapshotError> {
    let (bytes, rest) = input.split_first_chunk::<N>().ok_or(SnapshotError::Format)?;
    *input = rest;
    Ok(*bytes)
}

/// Reads the file of a snapshot.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, SnapshotError> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(SnapshotError::Missing),
        other => Ok(other?),
    }
}

/// Replaces the file by `bytes`, completely or not at all, and durably.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    sync_dir(path.parent().unwrap_or(Path::new(".")))
}

/// Makes changes of names in `dir` durable.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: Header =
        Header { model: "summaries", version: 3, epoch: Epoch(7), position: Position(42) };

    fn refusal(expected: Header, bytes: &[u8]) -> String {
        decode(bytes, expected).expect_err("it is refused").to_string()
    }

    #[test]
    fn snapshot_survives_the_round_trip() {
        let bytes = encode(HEADER, Position(40), b"rows");
        let (from, rows) = decode(&bytes, HEADER).expect("it is intact");
        assert_eq!((from, rows), (Position(40), &b"rows"[..]));
    }

    #[test]
    fn what_does_not_belong_here_is_refused_by_name() {
        let bytes = encode(HEADER, Position(40), b"rows");
        assert!(refusal(Header { model: "profiles", ..HEADER }, &bytes).contains("another model"));
        assert!(refusal(Header { version: 4, ..HEADER }, &bytes).contains("version 3"));
        assert!(refusal(Header { epoch: Epoch(8), ..HEADER }, &bytes).contains("epoch"));
        let short = Header { position: Position(41), ..HEADER };
        assert!(refusal(short, &bytes).contains("the log ends at 41"));
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_noticed() {
        let bytes = encode(HEADER, Position(40), b"rows");
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            assert!(decode(&changed, HEADER).is_err(), "byte {place}");
            assert!(decode(&bytes[..place], HEADER).is_err(), "cut at {place}");
        }
    }
}
