//! The shape of a run's tables.

/// The parts of an entry that the tables of a run hold. It is stored in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Length of a fence, in bytes. A short fence saves memory, and is enough for entries that begin with a hash.
    pub fence: u16,
    /// Length of the part of an entry that the Bloom filter covers, in bytes; 0 for no filter.
    pub filtered: u16,
}

/// The number of entries of `N` bytes in a block.
pub(crate) const fn entries_of_block<const N: usize>() -> usize {
    4_096 / N
}
