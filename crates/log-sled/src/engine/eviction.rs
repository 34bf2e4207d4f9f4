//! Makes the engine evict its pages in time.
//!
//! sled spreads its pages over 256 shards. It counts a page, and looks for pages to evict, only
//! after 64 accesses to pages of a shard. Scrolling, scans and imports access each page a few
//! times, so hundreds of MiB of pages wait to be counted. Each read and write here accesses its
//! page again, in proportion to its bytes.
//!
//! **Invariant:** pages of about [`WAITING_BYTES`] wait to be counted, however large each page is.
//! Beside them and its cache, sled keeps the latest page of each shard.

use std::sync::atomic::{AtomicU64, Ordering};

use rookery_log::Position;

/// The accesses after which every shard has looked: 64 in each of 256 (`lru.rs` of sled 0.34.7).
const ACCESSES: u64 = 64 * 256;

/// Bytes of pages that may wait to be counted. Fewer would cost more accesses than they save.
const WAITING_BYTES: u64 = 4 << 20;

const BYTES_PER_ACCESS: u64 = WAITING_BYTES / ACCESSES;

/// The bytes that an insertion may have before it needs more than its own two accesses: sled looks
/// the page up, and adds the value to it.
const INSERTED_BYTES: usize = 512;

/// Values of a page: sled splits a page of more than 16, and all keys but the last ones stay in
/// the left half.
const PAGE_VALUES: u64 = 8;

/// Pages whose latest reads are remembered.
const REMEMBERED: usize = 128;

/// Counts the bytes of reads and writes, and says how often to access a page again.
pub(crate) struct Eviction {
    bytes: AtomicU64,
    /// By its number, a page of which a single value was read recently.
    remembered: [AtomicU64; REMEMBERED],
}

impl Default for Eviction {
    fn default() -> Self {
        let remembered = [const { AtomicU64::new(u64::MAX) }; REMEMBERED];
        Self { bytes: AtomicU64::new(0), remembered }
    }
}

impl Eviction {
    /// How often to access a page again after a value of this length was inserted.
    pub(crate) fn due_inserted(&self, bytes: usize) -> u64 {
        self.due(bytes.saturating_sub(INSERTED_BYTES))
    }

    /// How often to access a page again after these bytes of it were read.
    pub(crate) fn due(&self, bytes: usize) -> u64 {
        let before = self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        (before + bytes as u64) / BYTES_PER_ACCESS - before / BYTES_PER_ACCESS
    }

    /// The same after a single record was read: sled has read its whole page.
    pub(crate) fn due_alone(&self, position: Position, bytes: usize) -> u64 {
        let page = position.0 / PAGE_VALUES;
        let place = &self.remembered[usize::try_from(page % REMEMBERED as u64).unwrap_or(0)];
        if place.swap(page, Ordering::Relaxed) == page {
            return 0;
        }
        self.due(bytes.saturating_mul(usize::try_from(PAGE_VALUES).unwrap_or(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accesses_follow_the_bytes_however_they_are_cut() {
        let eviction = Eviction::default();
        let small: u64 = (0..100_000).map(|_| eviction.due(100)).sum();
        assert_eq!(small, 100 * 100_000 / 256);
        let eviction = Eviction::default();
        assert_eq!(eviction.due(4 << 20), ACCESSES, "every shard looks once");
    }

    #[test]
    fn an_insertion_counts_as_accesses_of_its_own() {
        let eviction = Eviction::default();
        assert_eq!((0..1_000).map(|_| eviction.due_inserted(512)).sum::<u64>(), 0);
        assert_eq!((0..1_000).map(|_| eviction.due_inserted(1_024)).sum::<u64>(), 2_000);
    }

    #[test]
    fn a_page_counts_once_while_its_records_are_read_one_after_the_other() {
        let eviction = Eviction::default();
        let due: Vec<_> = (80..96).map(|at| eviction.due_alone(Position(at), 4_096)).collect();
        assert_eq!(due.iter().filter(|due| **due > 0).count(), 2, "{due:?}");
        assert_eq!((due[0], due[8]), (128, 128));
        assert_eq!(eviction.due_alone(Position(80 + 8 * REMEMBERED as u64), 4_096), 128);
        assert_eq!(eviction.due_alone(Position(80), 4_096), 128, "another page took the place");
    }
}
