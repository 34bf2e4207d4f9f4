//! A run: a file of sorted entries that is written once.
//!
//! Blocks of 160 entries with a CRC-32 each; then the fences (the first entry of each block), a
//! Bloom filter over subjects, and a footer of 72 bytes. The footer: hash of the last record
//! covered (32), number of entries, bytes of fences, bytes of the filter, CRC-32 of all but the
//! entries, magic number (8 each). The name holds the range of positions.
//!
//! **Invariant:** a run with its final name is complete and on stable storage.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    ops::RangeInclusive,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use rookery_log::{Hash, Position};

use super::{Entry, Subject};
use crate::{engine::store::StoreError, files::sealed};

const MAGIC: &[u8; 8] = b"rookrun1";
const ENTRY_BYTES: usize = 25;
const BLOCK_ENTRIES: usize = 160;
const BLOCK_BYTES: usize = BLOCK_ENTRIES * ENTRY_BYTES + 4;
const FOOTER_BYTES: usize = 72;
/// The filter passes one percent of the requests for missing subjects.
const FILTER_BITS_PER_ENTRY: u64 = 10;
const FILTER_PROBES: u64 = 6;

/// The range of a run: the positions after `from` up to `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: Position,
    pub(super) to: Position,
    /// The hash of the record at `to`, which identifies the history of the run.
    pub(super) hash: Hash,
}

/// An open run.
pub(super) struct Run {
    pub(super) span: Span,
    pub(super) count: u64,
    path: PathBuf,
    file: File,
    fences: Vec<Entry>,
    filter: Filter,
    /// Set once a damaged block was read.
    damaged: AtomicBool,
}

impl Run {
    fn load(path: PathBuf, from: Position, to: Position) -> io::Result<Self> {
        let file = File::open(&path)?;
        let length = file.metadata()?.len();
        let damaged = || io::Error::new(io::ErrorKind::InvalidData, "the run is not whole");
        let mut footer = [0; FOOTER_BYTES];
        let footer_at = length.checked_sub(FOOTER_BYTES as u64).ok_or_else(damaged)?;
        file.read_exact_at(&mut footer, footer_at)?;
        let number = |at: usize| {
            footer[32 + 8 * at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
        };
        let (count, fences_len, filter_len) = (number(0), number(1), number(2));
        let blocks = count.div_ceil(BLOCK_ENTRIES as u64);
        let sizes = [
            blocks.checked_mul(4),
            count.checked_mul(ENTRY_BYTES as u64),
            Some(fences_len),
            Some(filter_len),
        ];
        let expected = sizes.into_iter().try_fold(0_u64, |sum, size| sum.checked_add(size?));
        if number(4).to_le_bytes() != *MAGIC
            || Some(fences_len) != blocks.checked_mul(ENTRY_BYTES as u64)
            || expected != Some(footer_at)
            || filter_len == 0
        {
            return Err(damaged());
        }
        let size = |bytes: u64| usize::try_from(bytes).map_err(|_| damaged());
        let mut tables = vec![0; size(fences_len + filter_len)?];
        file.read_exact_at(&mut tables, footer_at - fences_len - filter_len)?;
        if u64::from(checksum(&tables, &footer[..56])) != number(3) {
            return Err(damaged());
        }
        let filter = tables.split_off(size(fences_len)?);
        let fences = tables.as_chunks().0.iter().map(|bytes| Entry(*bytes)).collect();
        let mut hash = Hash::ORIGIN;
        hash.0.copy_from_slice(&footer[..32]);
        let span = Span { from, to, hash };
        let (filter, damaged) = (Filter(filter), AtomicBool::new(false));
        Ok(Self { span, count, path, file, fences, filter, damaged })
    }

    /// Whether a damaged block was read.
    pub(super) fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Relaxed)
    }

    /// Whether the two are the same file, by name.
    pub(super) fn has_name_of(&self, other: &Self) -> bool {
        self.path == other.path
    }

    pub(super) fn remove(&self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(%error, path = %self.path.display(), "cannot remove a merged index file");
        }
    }

    pub(super) fn may_have(&self, subject: Subject) -> bool {
        self.filter.may_have(subject)
    }

    pub(super) fn blocks(&self) -> usize {
        self.fences.len()
    }

    pub(super) fn block(&self, index: usize) -> Result<Vec<Entry>, StoreError> {
        let before = index * BLOCK_ENTRIES;
        let count = usize::try_from(self.count).unwrap_or(usize::MAX) - before;
        let mut bytes = vec![0; count.min(BLOCK_ENTRIES) * ENTRY_BYTES + 4];
        let read = self.file.read_exact_at(&mut bytes, (index * BLOCK_BYTES) as u64);
        read.map_err(|error| StoreError::Refused(format!("reading an index: {error}").into()))?;
        let checksum = bytes.split_off(bytes.len() - 4);
        if crc32fast::hash(&bytes).to_le_bytes() != *checksum {
            self.damaged.store(true, Ordering::Relaxed);
            let path = self.path.display();
            let text = format!(
                "block {index} of the index file {path} is damaged; it is derived again from the log"
            );
            return Err(StoreError::Damaged(text.into()));
        }
        Ok(bytes.as_chunks().0.iter().map(|bytes| Entry(*bytes)).collect())
    }

    /// The block that holds `entry`, if it is in this run.
    fn block_of(&self, entry: &Entry) -> usize {
        self.fences.partition_point(|fence| fence <= entry).saturating_sub(1)
    }

    /// Adds the positions of entries within `range`, at most `limit`.
    pub(super) fn read(
        &self,
        range: &RangeInclusive<Entry>,
        limit: usize,
        found: &mut Vec<Position>,
    ) -> Result<(), StoreError> {
        let most = found.len() + limit;
        for index in self.block_of(range.start())..self.blocks() {
            for entry in self.block(index)? {
                if entry > *range.end() || found.len() == most {
                    return Ok(());
                }
                if entry >= *range.start() {
                    found.push(entry.position());
                }
            }
        }
        Ok(())
    }

    /// The position of the last entry within `range`.
    pub(super) fn last(
        &self,
        range: &RangeInclusive<Entry>,
    ) -> Result<Option<Position>, StoreError> {
        let block = self.block(self.block_of(range.end()))?;
        let last = block.into_iter().rfind(|entry| entry <= range.end());
        Ok(last.filter(|entry| entry >= range.start()).map(|entry| entry.position()))
    }
}

/// A Bloom filter over subjects.
struct Filter(Vec<u8>);

impl Filter {
    fn for_entries(count: u64) -> Self {
        let bytes = (count * FILTER_BITS_PER_ENTRY).div_ceil(8).max(8);
        Self(vec![0; usize::try_from(bytes).unwrap_or(8)])
    }

    fn bits(&self, subject: Subject) -> impl Iterator<Item = (usize, u8)> {
        let half = |from: usize| {
            subject.0[from..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
        };
        let mix = |number: u64| (number ^ number >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (first, step) = (mix(half(1) ^ u64::from(subject.0[0])), mix(half(9)) | 1);
        let bits = self.0.len() as u64 * 8;
        (0..FILTER_PROBES).map(move |probe| {
            let hash = first.wrapping_add(probe.wrapping_mul(step));
            let bit = (hash >> 7) % bits;
            (usize::try_from(bit / 8).unwrap_or(0), 1 << (bit % 8))
        })
    }

    fn add(&mut self, subject: Subject) {
        let bits: Vec<_> = self.bits(subject).collect();
        for (byte, bit) in bits {
            self.0[byte] |= bit;
        }
    }

    fn may_have(&self, subject: Subject) -> bool {
        self.bits(subject).all(|(byte, bit)| self.0[byte] & bit != 0)
    }
}

/// Writes a run of `entries`, which are sorted, and opens it.
pub(super) fn write(
    dir: &Path,
    span: Span,
    count: u64,
    entries: impl Iterator<Item = Result<Entry, StoreError>>,
) -> Result<Run, StoreError> {
    let path = dir.join(name(span.from, span.to));
    let draft = path.with_extension("new");
    let refused = |error: io::Error| {
        StoreError::Refused(format!("writing an index below {}: {error}", dir.display()).into())
    };
    let mut file = BufWriter::new(File::create(&draft).map_err(refused)?);
    let mut filter = Filter::for_entries(count);
    let mut fences = Vec::new();
    let mut block = Vec::with_capacity(BLOCK_BYTES);
    let mut end_block = |block: &mut Vec<u8>| {
        let checksum = crc32fast::hash(block).to_le_bytes();
        block.extend_from_slice(&checksum);
        let written = file.write_all(block).map_err(refused);
        block.clear();
        written
    };
    for entry in entries {
        let entry = entry?;
        if block.is_empty() {
            fences.extend_from_slice(&entry.0);
        }
        if let Some(subject) = entry.0.first_chunk() {
            filter.add(Subject(*subject));
        }
        block.extend_from_slice(&entry.0);
        if block.len() == BLOCK_ENTRIES * ENTRY_BYTES {
            end_block(&mut block)?;
        }
    }
    if !block.is_empty() {
        end_block(&mut block)?;
    }
    let mut footer = span.hash.0.to_vec();
    for number in [count, fences.len() as u64, filter.0.len() as u64] {
        footer.extend_from_slice(&number.to_le_bytes());
    }
    let mut tables = fences;
    tables.extend_from_slice(&filter.0);
    footer.extend_from_slice(&u64::from(checksum(&tables, &footer)).to_le_bytes());
    footer.extend_from_slice(MAGIC);
    tables.extend_from_slice(&footer);
    file.write_all(&tables).map_err(refused)?;
    let file = file.into_inner().map_err(|error| refused(error.into_error()))?;
    file.sync_all().map_err(refused)?;
    fs::rename(&draft, &path).map_err(refused)?;
    sealed::sync(dir).map_err(refused)?;
    Run::load(path, span.from, span.to).map_err(refused)
}

fn checksum(tables: &[u8], footer: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(tables);
    hasher.update(footer);
    hasher.finalize()
}

fn name(from: Position, to: Position) -> String {
    format!("{:020}-{:020}.run", from.0, to.0)
}

fn parse_name(name: &str) -> Option<(Position, Position)> {
    let (from, to) = name.strip_suffix(".run")?.split_once('-')?;
    Some((Position(from.parse().ok()?), Position(to.parse().ok()?)))
}

/// Opens the fewest runs that cover the positions from the first on. `hash_at` returns the hash of
/// the record at a position of the log. Removes all other files: merged, incomplete or damaged
/// ones, and those of another log.
pub(super) fn load_all(
    dir: &Path,
    hash_at: impl Fn(Position) -> Option<Hash>,
) -> io::Result<Vec<Arc<Run>>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        match name.as_deref().and_then(parse_name) {
            Some((from, to)) => found.push((from, to, path)),
            None => fs::remove_file(path)?,
        }
    }
    // Of runs that begin at the same place the longest comes first.
    found.sort_by_key(|(from, to, _)| (*from, std::cmp::Reverse(*to)));
    let mut runs: Vec<Arc<Run>> = Vec::new();
    for (from, to, path) in found {
        let covered = runs.last().map_or(Position::ORIGIN, |run| run.span.to);
        if from == covered && to > from {
            match Run::load(path.clone(), from, to) {
                Ok(run) if hash_at(to) == Some(run.span.hash) => {
                    runs.push(Arc::new(run));
                    continue;
                }
                Ok(_) => tracing::warn!(path = %path.display(), "this index is of another log"),
                Err(error) => {
                    tracing::warn!(%error, path = %path.display(), "this index cannot be used");
                }
            }
        }
        fs::remove_file(path)?;
    }
    Ok(runs)
}
