//! Runs: files of sorted entries of one length, which are written once and then only read.
//!
//! An index that gets random keys is quick to write if new entries stay in memory, a full memory becomes a run, and
//! small runs are merged into larger ones (a log-structured merge tree). The index of the log and the index of events
//! do this; each decides itself when a run is written, merged and removed.
//!
//! A file holds, in this order:
//!
//! 1. blocks of up to 4 KiB of entries, each followed by its CRC-32;
//! 2. the fences: the first bytes of each block's first entry ([`Shape::fence`]);
//! 3. a Bloom filter over the first bytes of all entries ([`Shape::filtered`]), if the run has one;
//! 4. the note: bytes of the owner, for example the history that the run belongs to;
//! 5. a footer of 48 bytes with the lengths and the CRC-32 of 2 to 4.
//!
//! [`Numbers`] is a list of ascending numbers in memory.
//!
//! **Invariant:** an entry is returned only from a block whose checksum is right.
//! **Invariant:** memory is bounded except for the fences (at most 1 % of the file) and the filter (10 bits an entry).

mod error;
mod filter;
mod footer;
mod merge;
mod numbers;
mod run;
mod shape;
mod write;

#[cfg(test)]
mod tests;

pub use self::{
    error::RunError,
    merge::merge,
    numbers::Numbers,
    run::Run,
    shape::Shape,
    write::{Contents, write},
};
