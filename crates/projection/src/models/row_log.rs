//! The rows of a model on the disk: a file that grows by the rows that have changed.
//!
//! A snapshot appends the rows that have changed since the last one. When most of the file is old,
//! or a redaction has erased content of it, a snapshot writes all rows into a new one. The rows are written piece by piece, and the model
//! goes on between the pieces. So a row may be newer than the checkpoint of its snapshot. After a
//! start, the commits in between change nothing in such a row: each row knows its last commit.
//!
//! | bytes of a piece | content |
//! |---|---|
//! | 4 | length of the rows in bytes |
//! | 4 | CRC-32 of the rows |
//! | rest | rows (postcard), each with its key; a later one replaces an earlier one |
//!
//! **Invariant:** the models are locked for one piece at a time, and its size does not depend on
//! the number of rows.
//! **Invariant:** a file is removed only after a snapshot that does not name it is on disk.
//! **Invariant:** after a redaction, the next snapshot leaves no file with the redacted content.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io,
    ops::Bound,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    vec,
};

use rookery_log::Position;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Parked, StreamKey};

/// Rows of one piece.
const PIECE_ROWS_MAX: usize = if cfg!(test) { 4 } else { 256 };

/// Bytes after which a piece takes no more rows.
const PIECE_BYTES_MAX: usize = 256 * 1024;

/// Bytes by which a file may grow beyond twice the size of all rows.
const SLACK_BYTES: u64 = if cfg!(test) { 512 } else { 1024 * 1024 };

/// A file of rows, as a snapshot names it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct RowFile {
    number: u64,
    /// The bytes that belong to the snapshot. The rest was written before a crash.
    bytes: u64,
    /// The size when the file had each row once.
    whole_bytes: u64,
}

/// The rows of a model on the disk, and which rows in memory are newer.
#[derive(Default)]
pub(crate) struct RowLog {
    /// `None` if the next snapshot has to write all rows.
    file: Option<RowFile>,
    last_number: u64,
    changed: Vec<StreamKey>,
    /// The checkpoint of the model when the last snapshot began.
    since: Position,
    /// Whether the file may hold content that was redacted after it was written.
    holds_erased: bool,
}

/// A snapshot in the making.
pub(crate) struct Draft {
    /// The checkpoint of the model when the snapshot began.
    pub(crate) from: Position,
    /// The streams that were parked then.
    pub(crate) parked: BTreeMap<StreamKey, Parked>,
    rows: Left,
    file: RowFile,
    /// The number of a file that the snapshot replaces.
    replaced: Option<u64>,
}

/// The rows that are not yet written.
enum Left {
    /// All rows after this one.
    After(Option<StreamKey>),
    These(vec::IntoIter<StreamKey>),
}

impl RowLog {
    /// Records that the row of `key` changes. `applied` is the last commit that it had applied.
    pub(crate) fn changes(&mut self, key: StreamKey, applied: Position) {
        // A row with a later commit is among the changed ones already.
        if applied <= self.since {
            self.changed.push(key);
        }
    }

    /// Like [`Self::changes`], for a change without a commit.
    pub(crate) fn changes_anyway(&mut self, key: StreamKey) {
        self.changed.push(key);
    }

    /// Records that content was redacted. The next snapshot writes all rows into a new file, so that
    /// no file keeps the content.
    pub(crate) fn erases(&mut self) {
        self.holds_erased = true;
    }

    /// Begins a snapshot of a model with this checkpoint.
    pub(crate) fn begin(&mut self, from: Position, parked: BTreeMap<StreamKey, Parked>) -> Draft {
        let changed = std::mem::take(&mut self.changed);
        self.since = from;
        // If the snapshot fails, the next one writes all rows.
        let file = self.file.take();
        let erases = std::mem::take(&mut self.holds_erased);
        let is_full = |file: &RowFile| file.bytes > 2 * file.whole_bytes + SLACK_BYTES;
        if let Some(file) = file.filter(|file| !erases && !is_full(file)) {
            let rows = Left::These(changed.into_iter());
            return Draft { from, parked, rows, file, replaced: None };
        }
        self.last_number += 1;
        let new = RowFile { number: self.last_number, bytes: 0, whole_bytes: 0 };
        let replaced = file.map(|file| file.number);
        Draft { from, parked, rows: Left::After(None), file: new, replaced }
    }

    /// Ends a snapshot whose rows are written.
    pub(crate) fn end(&mut self, draft: &Draft) -> RowFile {
        self.file = Some(draft.file);
        draft.file
    }

    /// The rows of a snapshot.
    pub(crate) fn open<T: DeserializeOwned>(
        dir: &Path,
        model: &str,
        file: RowFile,
        from: Position,
    ) -> io::Result<(Self, BTreeMap<StreamKey, T>)> {
        let rows = read(&path(dir, model, file.number), file.bytes)?;
        for stray in strays(dir, model, file.number)? {
            fs::remove_file(stray)?;
        }
        let (last_number, file) = (file.number, Some(file));
        Ok((Self { file, last_number, since: from, ..Self::default() }, rows))
    }
}

impl Draft {
    /// Orders the rows to write. It needs no lock.
    pub(crate) fn prepare(&mut self) {
        if let Left::These(keys) = &mut self.rows {
            let mut sorted: Vec<_> = keys.collect();
            sorted.sort_unstable();
            sorted.dedup();
            self.rows = Left::These(sorted.into_iter());
        }
    }

    /// The next piece of the rows; `None` after the last one.
    pub(crate) fn piece<T: Serialize>(
        &mut self,
        rows: &BTreeMap<StreamKey, T>,
    ) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = Vec::new();
        for _ in 0..PIECE_ROWS_MAX {
            let next = match &mut self.rows {
                Left::After(last) => {
                    let after = last.map_or(Bound::Unbounded, Bound::Excluded);
                    let next = rows.range((after, Bound::Unbounded)).next();
                    *last = next.map(|(key, _)| *key).or(*last);
                    next
                }
                Left::These(keys) => keys.find_map(|key| rows.get_key_value(&key)),
            };
            let Some(row) = next else { break };
            bytes = postcard::to_extend(&row, bytes).map_err(io::Error::other)?;
            if bytes.len() >= PIECE_BYTES_MAX {
                break;
            }
        }
        Ok((!bytes.is_empty()).then_some(bytes))
    }

    /// The file for the rows, cut to what the last snapshot wrote.
    pub(crate) fn create(&self, dir: &Path, model: &str) -> io::Result<File> {
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false);
        let file = file.open(path(dir, model, self.file.number))?;
        file.set_len(self.file.bytes)?;
        Ok(file)
    }

    /// Appends a piece to the file.
    pub(crate) fn append(&mut self, file: &File, piece: &[u8]) -> io::Result<()> {
        let len = u32::try_from(piece.len()).map_err(io::Error::other)?;
        let mut bytes = Vec::with_capacity(piece.len() + 8);
        bytes.extend_from_slice(&len.to_le_bytes());
        bytes.extend_from_slice(&crc32fast::hash(piece).to_le_bytes());
        bytes.extend_from_slice(piece);
        file.write_all_at(&bytes, self.file.bytes)?;
        self.file.bytes += bytes.len() as u64;
        if matches!(self.rows, Left::After(_)) {
            self.file.whole_bytes = self.file.bytes;
        }
        Ok(())
    }

    /// The file that is no longer needed once the snapshot is on disk.
    pub(crate) fn replaced(&self, dir: &Path, model: &str) -> Option<PathBuf> {
        Some(path(dir, model, self.replaced?))
    }
}

fn path(dir: &Path, model: &str, number: u64) -> PathBuf {
    dir.join(format!("{model}-{number}.rows"))
}

fn read<T: DeserializeOwned>(path: &Path, bytes: u64) -> io::Result<BTreeMap<StreamKey, T>> {
    let damaged = |what: &str| {
        let text = format!("{}: {what}", path.display());
        io::Error::new(io::ErrorKind::InvalidData, text)
    };
    let whole = fs::read(path)?;
    let end = usize::try_from(bytes).map_err(io::Error::other)?;
    let mut left = whole.get(..end).ok_or_else(|| damaged("it is shorter than its snapshot"))?;
    let mut rows = BTreeMap::new();
    while let Some((head, rest)) = left.split_first_chunk::<8>() {
        let [a, b, c, d, hash @ ..] = *head;
        let len = usize::try_from(u32::from_le_bytes([a, b, c, d])).map_err(io::Error::other)?;
        let (mut piece, rest) = rest.split_at_checked(len).ok_or_else(|| damaged("it is cut"))?;
        if crc32fast::hash(piece) != u32::from_le_bytes(hash) {
            return Err(damaged("the checksum does not match"));
        }
        while !piece.is_empty() {
            let ((key, row), after) =
                postcard::take_from_bytes(piece).map_err(|_| damaged("not rows"))?;
            rows.insert(key, row);
            piece = after;
        }
        left = rest;
    }
    if left.is_empty() { Ok(rows) } else { Err(damaged("it is cut")) }
}

/// The files of rows of snapshots that failed, or that were replaced before a crash.
fn strays(dir: &Path, model: &str, number: u64) -> io::Result<Vec<PathBuf>> {
    let used = path(dir, model, number);
    let mut strays = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        let is_of_model = name.strip_prefix(model).is_some_and(|rest| rest.starts_with('-'));
        if is_of_model && path.extension().is_some_and(|it| it == "rows") && path != used {
            strays.push(path);
        }
    }
    Ok(strays)
}
