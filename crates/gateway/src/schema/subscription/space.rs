//! The size of a chunk.

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
}

impl Default for ChunkSpace {
    fn default() -> Self {
        Self::of(CHUNK_ITEMS_MAX)
    }
}

impl ChunkSpace {
    /// Space for this many items.
    pub(super) fn of(items: usize) -> Self {
        Self { items: items.min(CHUNK_ITEMS_MAX), bytes: CHUNK_BYTES_MAX, is_bounded: true }
    }

    /// Space for everything, when the end is known.
    pub(super) fn boundless() -> Self {
        Self { items: usize::MAX, bytes: usize::MAX, is_bounded: false }
    }

    /// Takes the space of the items of a commit.
    pub(super) fn take(&mut self, items: &[Drafted], committed: &Committed) {
        if !items.is_empty() {
            self.items = self.items.saturating_sub(items.len());
            self.bytes = self.bytes.saturating_sub(committed.len_bytes);
        }
    }

    /// Whether the chunk ends here.
    pub(super) fn is_full(&self, skips: &Skips) -> bool {
        self.items == 0 || self.bytes == 0 || (self.is_bounded && skips.is_full())
    }
}
