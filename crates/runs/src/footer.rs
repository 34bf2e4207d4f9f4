//! The end of a run's file: lengths of its parts, and their checksum.

use crate::Shape;

pub(crate) const FOOTER_BYTES: usize = 48;
const MAGIC: u64 = u64::from_le_bytes(*b"rookrun2");

/// The lengths of the parts of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Footer {
    pub(crate) count: u64,
    pub(crate) entry_bytes: u16,
    pub(crate) shape: Shape,
    pub(crate) filter_bytes: u64,
    pub(crate) note_bytes: u64,
}

impl Footer {
    /// The bytes of this footer behind `tables`: fences, filter and note.
    pub(crate) fn encode(&self, tables: &[u8]) -> [u8; FOOTER_BYTES] {
        let numbers = [self.count, self.lengths(), self.filter_bytes, self.note_bytes];
        let mut bytes = [0; FOOTER_BYTES];
        for (place, number) in bytes.chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        let checksum = u64::from(checksum(tables, &bytes[..32]));
        bytes[32..40].copy_from_slice(&checksum.to_le_bytes());
        bytes[40..].copy_from_slice(&MAGIC.to_le_bytes());
        bytes
    }

    /// The footer in `bytes`, not yet compared with its checksum. `None` if it is none.
    pub(crate) fn decode(bytes: &[u8; FOOTER_BYTES]) -> Option<Self> {
        let lengths = number(bytes, 1);
        let part = |index: u32| u16::try_from(lengths >> (16 * index) & 0xffff).unwrap_or(0);
        let footer = Self {
            count: number(bytes, 0),
            entry_bytes: part(0),
            shape: Shape { fence: part(1), filtered: part(2) },
            filter_bytes: number(bytes, 2),
            note_bytes: number(bytes, 3),
        };
        (number(bytes, 5) == MAGIC && footer.lengths() == lengths).then_some(footer)
    }

    /// Whether the checksum in `bytes`, a stored footer, is that of `tables` and the footer.
    pub(crate) fn checks(bytes: &[u8; FOOTER_BYTES], tables: &[u8]) -> bool {
        number(bytes, 4) == u64::from(checksum(tables, &bytes[..32]))
    }

    /// The number of blocks of `block_entries` entries, the bytes of blocks, and those of fences. `None` if the
    /// numbers cannot be those of a file.
    pub(crate) fn sizes(&self, block_entries: usize) -> Option<(usize, u64, u64)> {
        let blocks = self.count.div_ceil(block_entries as u64);
        let entries = self.count.checked_mul(u64::from(self.entry_bytes))?;
        let block_bytes = entries.checked_add(blocks.checked_mul(4)?)?;
        let fence_bytes = blocks.checked_mul(u64::from(self.shape.fence))?;
        Some((usize::try_from(blocks).ok()?, block_bytes, fence_bytes))
    }

    fn lengths(&self) -> u64 {
        let Shape { fence, filtered } = self.shape;
        u64::from(self.entry_bytes) | u64::from(fence) << 16 | u64::from(filtered) << 32
    }
}

fn number(bytes: &[u8; FOOTER_BYTES], index: usize) -> u64 {
    bytes[8 * index..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

fn checksum(tables: &[u8], numbers: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(tables);
    hasher.update(numbers);
    hasher.finalize()
}
