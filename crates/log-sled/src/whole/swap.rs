//! Putting a new folder of the engine in the place of the old one, in two renames.
//!
//! **Invariant:** the first rename happens only when the new folder is whole and on stable storage.
//! So whatever a crash leaves tells what was done, and [`recover`] ends it or takes it back.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::files::sealed;

/// The folder of the engine in use.
pub(crate) fn current(dir: &Path) -> PathBuf {
    dir.join("sled")
}

/// Where a new one is made.
pub(crate) fn beside(dir: &Path) -> PathBuf {
    dir.join("sled.new")
}

/// The folder that [`recover`] would make, or leave, the one in use.
pub(crate) fn whole(dir: &Path) -> PathBuf {
    if current(dir).exists() || !retired(dir).exists() {
        current(dir)
    } else if beside(dir).exists() {
        beside(dir)
    } else {
        retired(dir)
    }
}

/// Where the old one waits to be removed.
fn retired(dir: &Path) -> PathBuf {
    dir.join("sled.old")
}

/// Lets the new folder, which is whole and synced, take over, and removes the old one.
pub(crate) fn swap(dir: &Path) -> io::Result<()> {
    fs::rename(current(dir), retired(dir))?;
    sealed::sync(dir)?;
    fs::rename(beside(dir), current(dir))?;
    sealed::sync(dir)?;
    remove(&retired(dir))?;
    sealed::sync(dir)
}

/// Ends a swap that was broken off, or forgets a new folder that was not finished.
pub(crate) fn recover(dir: &Path) -> io::Result<()> {
    if !current(dir).exists() && retired(dir).exists() {
        fs::rename(whole(dir), current(dir))?;
        sealed::sync(dir)?;
    }
    remove(&beside(dir))?;
    remove(&retired(dir))
}

/// Removes a folder, if it is there.
pub(crate) fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
