//! The disk, as far as durability depends on it: a seam for tests that make it fail.

use std::{fs::File, io, path::Path};

/// What the log asks of the disk beside the engine's own reading and writing.
pub trait Disk: Send + Sync + 'static {
    /// Brings what was written to the engine's file to stable storage.
    ///
    /// # Errors
    /// Any error stops the log's writes for good: after a failed sync the kernel may have dropped
    /// the data and would report a second one as successful.
    fn sync_data(&self, file: &File) -> io::Result<()>;

    /// How many bytes can still be written below `dir`.
    ///
    /// # Errors
    /// As the operating system says; an unknown amount is taken for enough.
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
