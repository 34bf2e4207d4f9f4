//! Reading a whole log without opening it.

use std::path::Path;

use rookery_log::Record;

use crate::{
    OpenError,
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
