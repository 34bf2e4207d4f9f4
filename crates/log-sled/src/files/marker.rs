//! The file `erased`: content was erased since the engine's files were made, and they may still
//! hold it, in space that the engine has given up but not written over.
//!
//! It is written before the first erasure and goes when the log is compacted. When it was written
//! tells since when content waits to be gone.
//!
//! **Invariant:** without this file, no file of the log has content that was erased.

use std::{
    fs::{self, File},
    io,
    path::Path,
    time::SystemTime,
};

use crate::files::sealed;

const NAME: &str = "erased";

/// Notes that content is about to be erased.
pub(crate) fn set(dir: &Path) -> io::Result<()> {
    let path = dir.join(NAME);
    if path.exists() {
        return Ok(());
    }
    File::create(path)?.sync_all()?;
    sealed::sync(dir)
}

/// Since when there has been erased content in the files; none if there is none.
pub(crate) fn since(dir: &Path) -> io::Result<Option<SystemTime>> {
    match fs::metadata(dir.join(NAME)) {
        Ok(metadata) => metadata.modified().map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Notes that the files have been made anew.
pub(crate) fn clear(dir: &Path) -> io::Result<()> {
    match fs::remove_file(dir.join(NAME)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => sealed::sync(dir),
    }
}
