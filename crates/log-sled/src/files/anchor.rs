//! The file `anchor`: a place that the log is known to have reached, on stable storage.
//!
//! sled drops a torn tail without an error. The anchor distinguishes a lost tail from one that
//! never existed. The writer writes it after a second without appends, at the latest 5 s after the
//! first commit that it does not cover, and at a clean close; never for a single commit. So it
//! costs two small syncs in 5 s under load. The file `head` ([`crate::files::head`]) covers later
//! commits while the machine runs.
//!
//! **Invariant:** the anchor never names a place that is not on stable storage.

use std::{io, path::Path};

use rookery_log::{Hash, Position};

use crate::{
    OpenError,
    files::sealed::{self, Sealed},
};

pub(crate) const NAME: &str = "anchor";
const TITLE: &str = "rookery anchor 1";

/// A place that the log is known to have reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// A position that was durable.
    pub(crate) position: Position,
    /// The hash of the record there.
    pub(crate) hash: Hash,
}

impl Mark {
    pub(crate) const ORIGIN: Self = Self { position: Position::ORIGIN, hash: Hash::ORIGIN };
}

pub(crate) fn read(dir: &Path) -> Result<Sealed<Mark>, OpenError> {
    let fields =
        sealed::Fields::read(dir, NAME, TITLE).map_err(OpenError::io("read", dir.join(NAME)))?;
    fields.and_then(|fields| {
        let position = |text: &str| text.parse().ok().map(Position);
        let mark = fields
            .get("position", position)
            .and_then(|position| Ok(Mark { position, hash: fields.get("hash", parse_hash)? }));
        Ok(mark.map_or_else(Sealed::Damaged, Sealed::Whole))
    })
}

pub(crate) fn write(dir: &Path, mark: Mark) -> io::Result<()> {
    let fields = [("position", mark.position.to_string()), ("hash", mark.hash.to_string())];
    sealed::write(dir, NAME, TITLE, &fields)
}

fn parse_hash(text: &str) -> Option<Hash> {
    let mut hash = Hash::ORIGIN;
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (index, byte) in hash.0.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()?;
    }
    Some(hash)
}
