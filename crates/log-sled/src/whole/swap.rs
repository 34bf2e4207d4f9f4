//! Replaces the engine's folder by a new one, in two renames.
//!
//! **Invariant:** the first rename happens only when the new folder is complete and on stable
//! storage. So the folders that a crash leaves show the state of the swap, and [`recover`] finishes
//! it or reverts it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::files::sealed;

/// The folder of the engine in use.
pub(crate) fn current(dir: &Path) -> PathBuf {
    dir.join("sled")
}

/// Where a new folder is made.
pub(crate) fn beside(dir: &Path) -> PathBuf {
    dir.join("sled.new")
}

/// The folder that would be in use after [`recover`].
pub(crate) fn whole(dir: &Path) -> PathBuf {
    if current(dir).exists() || !retired(dir).exists() {
        current(dir)
    } else if beside(dir).exists() {
        beside(dir)
    } else {
        retired(dir)
    }
}

/// Where the old folder waits to be removed.
fn retired(dir: &Path) -> PathBuf {
    dir.join("sled.old")
}

/// Replaces the old folder by the new one, which is complete and synced, and removes the old one.
pub(crate) fn swap(dir: &Path) -> io::Result<()> {
    fs::rename(current(dir), retired(dir))?;
    sealed::sync(dir)?;
    fs::rename(beside(dir), current(dir))?;
    sealed::sync(dir)?;
    remove(&retired(dir))?;
    sealed::sync(dir)
}

/// Finishes an interrupted swap, or removes an incomplete new folder.
pub(crate) fn recover(dir: &Path) -> io::Result<()> {
    if !current(dir).exists() && retired(dir).exists() {
        fs::rename(whole(dir), current(dir))?;
        sealed::sync(dir)?;
    }
    remove(&beside(dir))?;
    remove(&retired(dir))
}

/// Removes a folder, if it exists.
pub(crate) fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
