//! The operations of the disk that durability depends on, replaceable so that tests can make them
//! fail.

use std::{fs::File, io, path::Path};

/// The log's operations on the disk, beside the engine's own reads and writes.
pub trait Disk: Send + Sync + 'static {
    /// Brings the data written to the engine's file to stable storage.
    ///
    /// # Errors
    /// Any error stops the log's writes until the log was opened again. After a failed sync the
    /// kernel may have dropped the data and would report a second sync as successful.
    fn sync_data(&self, file: &File) -> io::Result<()>;

    /// How many bytes can still be written below `dir`.
    ///
    /// # Errors
    /// As the operating system reports them. The log treats an unknown amount as enough.
    fn free_bytes(&self, dir: &Path) -> io::Result<u64>;
}

/// The disk of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn sync_data(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        fs2::available_space(dir)
    }
}
