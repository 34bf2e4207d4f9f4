//! Makes the next read of a folder's files come from the disk.
//!
//! After a failed sync the kernel may call pages clean that never reached the disk. A reader would
//! get them from memory, and a second sync would succeed without writing them.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

/// Writes what memory holds of the files below `dir`, and drops it from memory.
///
/// # Errors
/// If a file cannot be read or written. A file system without this function is no error.
pub(crate) fn forget(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            forget(&entry.path())?;
        } else if kind.is_file() {
            let file = File::open(entry.path())?;
            // The kernel keeps pages that are not written yet, so they are written first.
            file.sync_data()?;
            if let Err(error) = drop_pages(&file) {
                let path = entry.path();
                tracing::debug!(path = %path.display(), %error, "cannot drop a file from memory");
            }
        }
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn drop_pages(file: &File) -> io::Result<()> {
    rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed).map_err(io::Error::from)
}

#[cfg(not(target_os = "linux"))]
fn drop_pages(_: &File) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
