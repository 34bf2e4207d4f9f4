//! The file `erased`: content was erased since the engine's files were created. They may still hold
//! it, in space that the engine has freed but not overwritten.
//!
//! It is written before the first erasure and removed when the log is compacted. Its time of
//! creation tells how long erased content has been waiting.
//!
//! **Invariant:** without this file, no file of the log holds erased content.

use std::{
    fs::{self, File},
    io,
    path::Path,
    time::SystemTime,
};

use crate::files::sealed;

const NAME: &str = "erased";

/// Records that content is about to be erased.
pub(crate) fn set(dir: &Path) -> io::Result<()> {
    let path = dir.join(NAME);
    if path.exists() {
        return Ok(());
    }
    File::create(path)?.sync_all()?;
    sealed::sync(dir)
}

/// Since when the files may hold erased content; `None` if they hold none.
pub(crate) fn since(dir: &Path) -> io::Result<Option<SystemTime>> {
    match fs::metadata(dir.join(NAME)) {
        Ok(metadata) => metadata.modified().map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Records that the files were rewritten.
pub(crate) fn clear(dir: &Path) -> io::Result<()> {
    match fs::remove_file(dir.join(NAME)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => sealed::sync(dir),
    }
}
