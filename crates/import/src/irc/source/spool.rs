//! Unpacked archives: in memory while they are small, otherwise in a temporary file.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use tempfile::SpooledTempFile;

/// Bytes in memory before a temporary file is created.
const MEMORY_BYTES_MAX: usize = 64 * 1_024 * 1_024;

/// A part of a spool.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    start: u64,
    len: u64,
}

impl Part {
    pub(super) const fn len(self) -> u64 {
        self.len
    }
}

/// The unpacked parts, one after the other.
#[derive(Debug)]
pub(super) struct Spool {
    file: SpooledTempFile,
    len: u64,
}

impl Default for Spool {
    fn default() -> Self {
        Self { file: SpooledTempFile::new(MEMORY_BYTES_MAX), len: 0 }
    }
}

impl Spool {
    /// Adds all bytes of `reader`.
    pub(super) fn add(&mut self, mut reader: impl Read) -> io::Result<Part> {
        self.file.seek(SeekFrom::Start(self.len))?;
        let part = Part { start: self.len, len: io::copy(&mut reader, &mut self.file)? };
        self.len += part.len;
        Ok(part)
    }

    /// Reads a part.
    pub(super) fn read(&mut self, part: Part) -> io::Result<impl io::BufRead + '_> {
        self.file.seek(SeekFrom::Start(part.start))?;
        Ok(BufReader::new((&mut self.file).take(part.len)))
    }
}
