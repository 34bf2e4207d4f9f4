//! The size of a chunk.

use rookery_delivery::{BatchCommits, BatchEnd};
use rookery_log::Position;
use rookery_projection::Committed;

use super::{draft::Drafted, skipped::Skips};

/// A chunk ends with the commit in which it reaches this many items.
pub(super) const CHUNK_ITEMS_MAX: usize = 256;

/// A chunk also ends when its commits with items reach this many bytes. The end of a chunk follows
/// from its begin and its items, so readers of the same items get the same chunks.
const CHUNK_BYTES_MAX: usize = 256 * 1024;

/// How much still fits into a chunk.
#[derive(Clone, Copy, Debug)]
pub(super) struct ChunkSpace {
    items: usize,
    bytes: usize,
    is_bounded: bool,
    /// The commits that were taken.
    commits: BatchCommits,
}

impl Default for ChunkSpace {
    fn default() -> Self {
        Self::of(CHUNK_ITEMS_MAX)
    }
}

impl ChunkSpace {
    /// Space for this many items.
    pub(super) fn of(items: usize) -> Self {
        let (bytes, commits) = (CHUNK_BYTES_MAX, BatchCommits::default());
        Self { items: items.min(CHUNK_ITEMS_MAX), bytes, is_bounded: true, commits }
    }

    /// Space for everything, when the end is known.
    pub(super) fn boundless() -> Self {
        let commits = BatchCommits::default();
        Self { items: usize::MAX, bytes: usize::MAX, is_bounded: false, commits }
    }

    /// Takes the space of the items of a commit.
    pub(super) fn take(&mut self, items: &[Drafted], committed: &Committed) {
        self.commits.count(committed);
        if !items.is_empty() {
            self.items = self.items.saturating_sub(items.len());
            self.bytes = self.bytes.saturating_sub(committed.len_bytes);
        }
    }

    /// How a batch of a consumer that ends at `end` is known again.
    pub(super) fn end(&self, end: Position) -> BatchEnd {
        self.commits.end(end)
    }

    /// Whether the chunk ends here.
    pub(super) fn is_full(&self, skips: &Skips) -> bool {
        self.items == 0 || self.bytes == 0 || (self.is_bounded && skips.is_full())
    }
}
