//! Reading a whole log without opening it.

use std::path::Path;

use rookery_log::{Epoch, Position, Record};

use crate::{
    OpenError,
    files::{
        anchor,
        head::{self, Head},
        meta,
        sealed::Sealed,
    },
    open::{Lock, check},
};

/// Reads every record of the log in `dir`, which no process may have open, and checks checksums,
/// density and the hash chain. Commands that read a whole log call this before they open it,
/// because opening changes files, and a damaged log must stay unchanged. `each` is called with
/// every record.
///
/// # Errors
/// [`OpenError`] for a log that would be refused, and for the first damaged record.
pub fn examine(dir: &Path, each: impl FnMut(&Record)) -> Result<(), OpenError> {
    if !dir.exists() {
        return Ok(());
    }
    let _lock = Lock::of(dir)?;
    check::check_all(dir, each)
}

/// Like [`examine`], for the records after a position alone, so the time grows with their number.
/// The earlier records are checked as far as opening checks them.
///
/// # Errors
/// As [`examine`].
pub fn examine_after(
    dir: &Path,
    after: Position,
    each: impl FnMut(&Record),
) -> Result<(), OpenError> {
    if !dir.exists() {
        return Ok(());
    }
    let _lock = Lock::of(dir)?;
    check::check_after(dir, after, each)
}

/// The epoch of the log in `dir` and its last known position, from its small files; `None` if they do not have both.
/// Changes nothing; another process may have the log open.
///
/// # Errors
/// [`OpenError`] if a file cannot be read.
pub fn reached(dir: &Path) -> Result<Option<(Epoch, Position)>, OpenError> {
    let Sealed::Whole(epoch) = meta::read(dir)? else { return Ok(None) };
    let anchored = match anchor::read(dir)? {
        Sealed::Whole(mark) => Some(mark.position),
        Sealed::Absent | Sealed::Damaged(_) => None,
    };
    let answered = match head::read(dir)? {
        Head::Reached(mark) => Some(mark.position),
        Head::Absent | Head::Damaged => None,
    };
    Ok(anchored.max(answered).map(|position| (epoch, position)))
}
