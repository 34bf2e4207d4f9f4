//! The file `stopped`: the last writer stopped without a fault, with everything on stable storage.
//!
//! Then the kernel's memory holds what the disk has, and the next start may read from memory
//! ([`super::cached`]).
//!
//! **Invariant:** the file exists only while no process has written to the log since a clean stop.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use crate::files::sealed;

const NAME: &str = "stopped";

/// Records a clean stop.
pub(crate) fn set(dir: &Path) -> io::Result<()> {
    File::create(dir.join(NAME))?.sync_all()?;
    sealed::sync(dir)
}

/// Whether the last writer stopped cleanly.
pub(crate) fn is_set(dir: &Path) -> bool {
    dir.join(NAME).exists()
}

/// Forgets the clean stop, before anything is written.
pub(crate) fn clear(dir: &Path) -> io::Result<()> {
    match fs::remove_file(dir.join(NAME)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sealed::sync(dir),
    }
}
