//! Reading a whole log without opening it.

use std::path::Path;

use rookery_log::Record;

use crate::{
    OpenError,
    open::{Lock, check},
};

/// Reads every record of the log in `dir`, which nobody may have open, and checks checksums, density
/// and the hash chain. Commands that read a whole log call this before they open it, because opening
/// changes files, and a damaged log is to stay as it is. `each` is called with every record.
///
/// # Errors
/// [`OpenError`], for whatever a log is refused, and for the first record that is damaged.
pub fn examine(dir: &Path, each: impl FnMut(&Record)) -> Result<(), OpenError> {
    if !dir.exists() {
        return Ok(());
    }
    let _lock = Lock::of(dir)?;
    check::check_all(dir, each)
}
