//! Reads the files of the engine (sled 0.34.7) without the engine, and without writing to them.
//!
//! The engine repairs its files while it opens them: it drops everything after a record with a
//! wrong checksum, and overwrites it with zeros. So [`crate::open::check`] reads the files first.
//! The engine opens them only if it would drop nothing that counts.
//!
//! The file `db` consists of segments of 512 KiB. A segment has a header and messages; a message
//! replaces a page or adds to it. A file `snap.*` holds the places of the parts of each page, as of
//! a place in the sequence of messages. Trees are made of pages.
//!
//! **Invariant:** nothing here writes, and nothing here panics, whatever the files hold.

mod cursor;
mod message;
mod node;
mod pages;
mod replay;
mod residue;
mod snapshot;
mod tree;
mod walk;

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests;

pub(crate) use self::{
    message::SEGMENT_BYTES,
    pages::Flaw,
    replay::{Loss, Replay},
    residue::{Found, values},
    snapshot::{Snapshot, newest},
    tree::Image,
};
