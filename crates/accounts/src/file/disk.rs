//! The disk of the file of accounts, replaceable so that tests can make it fail.

use std::{io, path::Path};

use redb::{Builder, Database, DatabaseError};

/// The space of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    /// Bytes that this process can still write.
    pub(crate) free_bytes: u64,
    /// Whether the file system is read-only.
    pub(crate) read_only: bool,
}

/// The disk that holds the file.
pub(crate) trait Disk: Send + Sync {
    /// The space of `folder`.
    fn room(&self, folder: &Path) -> io::Result<Room>;

    /// Opens the database at `path`. With `make`, turns an empty file into a database.
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
