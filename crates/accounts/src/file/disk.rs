//! The disk below the file of accounts, so that tests can have it fail.

use std::{io, path::Path};

use redb::{Builder, Database, DatabaseError};

/// How much may be written to a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    /// Bytes that this process may still write.
    pub(crate) free_bytes: u64,
    /// Whether the file system takes no writes at all.
    pub(crate) read_only: bool,
}

/// Where the file is.
pub(crate) trait Disk: Send + Sync {
    /// How much may be written to `folder`.
    fn room(&self, folder: &Path) -> io::Result<Room>;

    /// Opens the database at `path`; with `make`, an empty file becomes one.
    fn open(&self, builder: &Builder, path: &Path, make: bool) -> Result<Database, DatabaseError>;
}

/// The disk of this machine.
pub(crate) struct RealDisk;

impl Disk for RealDisk {
    #[cfg(unix)]
    fn room(&self, folder: &Path) -> io::Result<Room> {
        use rustix::fs::{StatVfsMountFlags, statvfs};
        let stat = statvfs(folder)?;
        Ok(Room {
            free_bytes: stat.f_bavail.saturating_mul(stat.f_frsize),
            read_only: stat.f_flag.contains(StatVfsMountFlags::RDONLY),
        })
    }

    #[cfg(not(unix))]
    fn room(&self, _folder: &Path) -> io::Result<Room> {
        Ok(Room { free_bytes: u64::MAX, read_only: false })
    }

    fn open(&self, builder: &Builder, path: &Path, make: bool) -> Result<Database, DatabaseError> {
        if make { builder.create(path) } else { builder.open(path) }
    }
}
