//! The runs of the index: which positions each covers, and of which history it is.
//!
//! The name of a file holds the range of positions; its note holds the hash of the last record covered.
//!
//! **Invariant:** a run with its final name is complete and on stable storage.

use std::{
    fs,
    io::{self, ErrorKind},
    ops::RangeInclusive,
    path::{Path, PathBuf},
    sync::Arc,
};

use rookery_log::{Hash, Position};
use rookery_runs::{Contents, RunError, Shape};

use super::{ENTRY_BYTES, Entry, Subject, position_of};
use crate::{engine::store::StoreError, files::sealed};

/// A fence is a whole entry, because a stream may fill many blocks. The filter covers subjects.
const SHAPE: Shape = Shape { fence: 25, filtered: 17 };

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
    entries: rookery_runs::Run<ENTRY_BYTES>,
}

impl From<RunError> for StoreError {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Io { .. } => Self::Refused(error.to_string().into()),
            RunError::Damaged { .. } => {
                Self::Damaged(format!("{error}; it is derived again from the log").into())
            }
        }
    }
}

impl Run {
    fn load(path: &Path, from: Position, to: Position) -> io::Result<Self> {
        let entries = rookery_runs::Run::open(path)?;
        let hash = <[u8; 32]>::try_from(entries.note());
        let hash = hash.map_err(|_| io::Error::new(ErrorKind::InvalidData, "the hash is cut"))?;
        Ok(Self { span: Span { from, to, hash: Hash(hash) }, entries })
    }

    pub(super) const fn count(&self) -> u64 {
        self.entries.count()
    }

    /// Whether a damaged block was read.
    pub(super) fn is_damaged(&self) -> bool {
        self.entries.is_damaged()
    }

    /// Whether the two are the same file, by name.
    pub(super) fn has_name_of(&self, other: &Self) -> bool {
        self.entries.path() == other.entries.path()
    }

    pub(super) fn remove(&self) {
        if let Err(error) = self.entries.remove() {
            tracing::warn!("cannot remove a merged index file: {error}");
        }
    }

    pub(super) fn may_have(&self, subject: Subject) -> bool {
        self.entries.may_have(&subject.0)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Result<Entry, RunError>> + '_ {
        self.entries.iter()
    }

    /// Adds the positions of entries within `range`, at most `limit`.
    pub(super) fn read(
        &self,
        range: &RangeInclusive<Entry>,
        limit: usize,
        found: &mut Vec<Position>,
    ) -> Result<(), StoreError> {
        for entry in self.entries.range(range.clone()).take(limit) {
            found.push(position_of(&entry?));
        }
        Ok(())
    }

    /// The position of the last entry within `range`.
    pub(super) fn last(
        &self,
        range: &RangeInclusive<Entry>,
    ) -> Result<Option<Position>, StoreError> {
        Ok(self.entries.last(range)?.as_ref().map(position_of))
    }
}

/// Writes a run of `entries`, which are sorted, and opens it.
pub(super) fn write(
    dir: &Path,
    span: Span,
    count: u64,
    entries: impl Iterator<Item = Result<Entry, RunError>>,
) -> Result<Run, StoreError> {
    let path = dir.join(name(span.from, span.to));
    let draft = path.with_extension("new");
    let refused = |error: io::Error| {
        StoreError::Refused(format!("writing an index below {}: {error}", dir.display()).into())
    };
    let contents = Contents { shape: SHAPE, count, note: &span.hash.0 };
    let file = rookery_runs::write(&draft, contents, entries)?;
    file.sync_all().map_err(refused)?;
    fs::rename(&draft, &path).map_err(refused)?;
    sealed::sync(dir).map_err(refused)?;
    Run::load(&path, span.from, span.to).map_err(refused)
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
    let mut found: Vec<(Position, Position, PathBuf)> = Vec::new();
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
            match Run::load(&path, from, to) {
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
