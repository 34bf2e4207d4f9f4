//! The file `head`: the end of the log when it last answered.
//!
//! The writer overwrites it in place after each group of commits, without a sync, which costs one
//! small copy into the page cache. It outlives the process, so after `kill -9` every missing
//! acknowledged commit is noticed. After a power cut it may be old; then the anchor counts.
//!
//! A write that fails stops the log: the sync before it cannot be trusted then.
//!
//! Two slots of 64 bytes take turns, so that a torn write leaves the other one. A slot: CRC-32 of
//! the rest (4 bytes), unused (4), position (8), hash (32), unused (16).
//!
//! **Invariant:** it is written after the sync of the commit that it names, never before.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use rookery_log::{Hash, Position};

use crate::{OpenError, files::anchor::Mark};

const SLOT_BYTES: usize = 64;

pub(crate) const NAME: &str = "head";

fn path(dir: &Path) -> PathBuf {
    dir.join(NAME)
}

/// The content of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// The file does not exist, or was never written to.
    Absent,
    /// The place that the log had reached.
    Reached(Mark),
    /// No slot is intact.
    Damaged,
}

/// The later one of the intact slots.
pub(crate) fn read(dir: &Path) -> Result<Head, OpenError> {
    let bytes = match fs::read(path(dir)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Head::Absent),
        Err(error) => return Err(OpenError::io("read", path(dir))(error)),
    };
    let farthest = bytes.as_chunks().0.iter().filter_map(decode).max_by_key(|mark| mark.position);
    Ok(match farthest {
        Some(mark) => Head::Reached(mark),
        None if bytes.iter().all(|byte| *byte == 0) => Head::Absent,
        None => Head::Damaged,
    })
}

/// Writes the file.
pub(crate) struct Writer {
    file: File,
    second: bool,
}

impl Writer {
    pub(crate) fn open(dir: &Path) -> Result<Self, OpenError> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path(dir));
        Ok(Self { file: file.map_err(OpenError::io("open", path(dir)))?, second: false })
    }

    pub(crate) fn write(&mut self, mark: Mark) -> io::Result<()> {
        let offset = if self.second { SLOT_BYTES as u64 } else { 0 };
        self.second = !self.second;
        self.file.seek(SeekFrom::Start(offset))?;
        self.file.write_all(&encode(mark))
    }
}

fn encode(mark: Mark) -> [u8; SLOT_BYTES] {
    let mut slot = [0; SLOT_BYTES];
    slot[8..16].copy_from_slice(&mark.position.0.to_le_bytes());
    slot[16..48].copy_from_slice(&mark.hash.0);
    let checksum = crc32fast::hash(&slot[4..]);
    slot[..4].copy_from_slice(&checksum.to_le_bytes());
    slot
}

fn decode(slot: &[u8; SLOT_BYTES]) -> Option<Mark> {
    let position = Position(u64::from_le_bytes(slot[8..16].try_into().ok()?));
    let mark = Mark { position, hash: Hash(slot[16..48].try_into().ok()?) };
    (encode(mark) == *slot).then_some(mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(position: u64) -> Mark {
        Mark { position: Position(position), hash: Hash([7; 32]) }
    }

    #[test]
    fn torn_slot_leaves_the_one_before() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        assert_eq!(read(dir.path()).expect("a read"), Head::Absent);
        let mut writer = Writer::open(dir.path()).expect("a file");
        for position in 1..=4 {
            writer.write(mark(position)).expect("a write");
            assert_eq!(read(dir.path()).expect("a read"), Head::Reached(mark(position)));
        }
        let mut bytes = fs::read(path(dir.path())).expect("a read");
        bytes[SLOT_BYTES + 30] ^= 1;
        fs::write(path(dir.path()), bytes).expect("a write");
        assert_eq!(read(dir.path()).expect("a read"), Head::Reached(mark(3)));
    }
}
