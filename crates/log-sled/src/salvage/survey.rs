//! Finds the intact records and their places.

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    io,
    ops::RangeInclusive,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use bytes::{Bytes, BytesMut};
use rookery_log::{Epoch, Hash, Position, Record};

use crate::{
    OpenError,
    files::{
        anchor::{self, Mark},
        head::{self, Head},
        meta,
        sealed::Sealed,
    },
    format::{self, Body, Stored},
    image::{self, Found},
    open::Lock,
    whole::swap,
};

/// A value in the file of the engine.
#[derive(Clone, Copy, Debug)]
struct Value {
    /// Its place in the sequence of all writes; -1 if that is unknown.
    lsn: i64,
    offset: u64,
    length: u32,
    checksum: u32,
}

/// The versions of a value, newest first.
type Versions = Vec<Value>;

/// The intact records of a folder.
pub struct Salvage {
    dir: PathBuf,
    file: File,
    epoch: Option<Epoch>,
    records: BTreeMap<Position, Versions>,
    chunks: HashMap<(Position, u32), Versions>,
    /// The version of each record that is saved.
    kept: BTreeMap<Position, usize>,
    last: Position,
    /// No other process may write meanwhile.
    _lock: Option<Lock>,
}

impl Salvage {
    /// Looks for intact records of the log in `dir`, which no process may have open. `progress` is
    /// called with the bytes read so far and the total.
    ///
    /// # Errors
    /// [`OpenError`] if the folder is in use, or cannot be read. Damage is not an error.
    pub fn survey(dir: &Path, mut progress: impl FnMut(u64, u64)) -> Result<Self, OpenError> {
        let lock = if dir.join("lock").exists() { Some(Lock::of(dir)?) } else { None };
        let path = swap::whole(dir).join("db");
        let file = File::open(&path).map_err(OpenError::io("open", &path))?;
        let length = file.metadata().map_err(OpenError::io("read", &path))?.len();
        let mut salvage = Self {
            dir: dir.to_owned(),
            file,
            epoch: None,
            records: BTreeMap::new(),
            chunks: HashMap::new(),
            kept: BTreeMap::new(),
            last: Position::ORIGIN,
            _lock: lock,
        };
        let mut offset = 0;
        while offset < length {
            let Self { file, records, chunks, .. } = &mut salvage;
            let read =
                image::values(file, offset, |found, value| note(records, chunks, found, value));
            read.map_err(OpenError::io("read", &path))?;
            offset += image::SEGMENT_BYTES as u64;
            progress(offset.min(length), length);
        }
        salvage.choose(mark(dir)).map_err(OpenError::io("read", &path))?;
        salvage.epoch = match meta::read(dir) {
            Ok(Sealed::Whole(epoch)) => Some(epoch),
            _ => None,
        };
        Ok(salvage)
    }

    /// Chooses a version of each record, from the last one to the first, such that consecutive
    /// records form a chain. So of two histories the longer one is saved.
    fn choose(&mut self, mark: Option<Mark>) -> io::Result<()> {
        let mut next: Option<Record> = None;
        for position in self.records.keys().rev().copied().collect::<Vec<_>>() {
            let follower = next.take().filter(|next| next.position == position.next());
            let mut wanted = follower.as_ref().map(|next| next.previous);
            if let Some(mark) = mark.filter(|mark| mark.position == position) {
                wanted = wanted.or(Some(mark.hash));
            }
            let Some((version, record)) = self.newest(position, wanted)? else { continue };
            self.kept.insert(position, version);
            next = Some(record);
        }
        let reached = mark.map_or(Position::ORIGIN, |mark| mark.position);
        if mark.is_some() {
            // Unacknowledged records are saved up to the first gap.
            let mut end = reached;
            while self.kept.contains_key(&end.next()) {
                end = end.next();
            }
            self.kept.retain(|position, _| *position <= end);
        }
        let last = self.kept.last_key_value().map_or(Position::ORIGIN, |(position, _)| *position);
        self.last = last.max(reached);
        Ok(())
    }

    /// The newest intact version of the record at `position` with the hash `wanted`.
    fn newest(
        &self,
        position: Position,
        wanted: Option<Hash>,
    ) -> io::Result<Option<(usize, Record)>> {
        let versions = self.records.get(&position).map_or(&[][..], Vec::as_slice);
        for (number, version) in versions.iter().enumerate() {
            if let Some(record) = self.load(version)?
                && wanted.is_none_or(|hash| record.hash == hash)
            {
                return Ok(Some((number, record)));
            }
        }
        Ok(None)
    }

    fn load(&self, value: &Value) -> io::Result<Option<Record>> {
        let Some(stored) = Stored::recognise(self.bytes(value)?) else { return Ok(None) };
        let record = match &stored.body {
            Body::Whole(body) => stored.decode(body).ok(),
            Body::Chunked { .. } => self.joined(&stored)?,
        };
        Ok(record.filter(Record::is_intact))
    }

    /// The record with the header `stored`, from the newest chunks that match it.
    fn joined(&self, stored: &Stored) -> io::Result<Option<Record>> {
        let chunks: Option<Vec<_>> = stored
            .body
            .chunks()
            .map(|index| self.chunks.get(&(stored.position, index)).map(Vec::as_slice))
            .collect();
        let Some(chunks) = chunks else { return Ok(None) };
        let most = chunks.iter().map(|versions| versions.len()).max().unwrap_or(0);
        for number in 0..most {
            let mut body = BytesMut::new();
            for versions in &chunks {
                let value = self.bytes(&versions[number.min(versions.len() - 1)])?;
                let chunk = format::recognise_chunk(value);
                body.extend_from_slice(&chunk.map(|(_, _, bytes)| bytes).unwrap_or_default());
            }
            if let Ok(record) = stored.decode_joined(&body.freeze()) {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    fn bytes(&self, value: &Value) -> io::Result<Bytes> {
        let mut bytes = vec![0; value.length as usize];
        self.file.read_exact_at(&mut bytes, value.offset)?;
        Ok(bytes.into())
    }

    /// The epoch of the log, if any file holds it.
    #[must_use]
    pub const fn epoch(&self) -> Option<Epoch> {
        self.epoch
    }

    /// How many records are intact.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.kept.len() as u64
    }

    /// The lost positions, up to the place that the log is known to have reached.
    #[must_use]
    pub fn holes(&self) -> Vec<RangeInclusive<Position>> {
        let mut holes = Vec::new();
        let mut expected = Position(1);
        for position in self.kept.keys() {
            if *position > expected {
                holes.push(expected..=Position(position.0 - 1));
            }
            expected = position.next();
        }
        if expected <= self.last {
            holes.push(expected..=self.last);
        }
        holes
    }

    /// The positions of intact records, in order.
    pub(super) fn positions(&self) -> impl Iterator<Item = Position> {
        self.kept.keys().copied()
    }

    /// The saved record at `position`.
    pub(super) fn record(&self, position: Position) -> Result<Record, OpenError> {
        let version = self.kept.get(&position).zip(self.records.get(&position));
        let version = version.and_then(|(number, versions)| versions.get(*number));
        let path = swap::whole(&self.dir).join("db");
        let record = version.map(|value| self.load(value)).transpose();
        let record = record.map_err(OpenError::io("read", path))?.flatten();
        record.ok_or_else(|| {
            OpenError::damaged(&self.dir, format!("the record at {position} has changed meanwhile"))
        })
    }
}

/// Records a value that was found.
fn note(
    records: &mut BTreeMap<Position, Versions>,
    chunks: &mut HashMap<(Position, u32), Versions>,
    found: Found,
    value: &[u8],
) {
    let noted = Value {
        lsn: found.lsn.unwrap_or(-1),
        offset: found.offset,
        length: u32::try_from(value.len()).unwrap_or(u32::MAX),
        checksum: crc32fast::hash(value),
    };
    let bytes = Bytes::copy_from_slice(value);
    let versions = match Stored::recognise(bytes.clone()) {
        Some(stored) => records.entry(stored.position).or_default(),
        None => match format::recognise_chunk(bytes) {
            Some((position, index, _)) => chunks.entry((position, index)).or_default(),
            None => return,
        },
    };
    let same =
        |known: &&mut Value| (known.length, known.checksum) == (noted.length, noted.checksum);
    match versions.iter_mut().find(same) {
        Some(known) if known.lsn < noted.lsn => *known = noted,
        Some(_) => {}
        None => versions.push(noted),
    }
    versions.sort_by_key(|version| std::cmp::Reverse(version.lsn));
}

/// The place that the log is known to have reached, if a file holds it.
fn mark(dir: &Path) -> Option<Mark> {
    let anchor = match anchor::read(dir) {
        Ok(Sealed::Whole(mark)) => Some(mark),
        _ => None,
    };
    let head = match head::read(dir) {
        Ok(Head::Reached(mark)) => Some(mark),
        _ => None,
    };
    anchor.into_iter().chain(head).max_by_key(|mark| mark.position)
}
