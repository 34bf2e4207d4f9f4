//! Unpacked archives: in memory while they are small, else in a temporary file.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use tempfile::SpooledTempFile;

/// How much is kept in memory before a temporary file is made.
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

/// What was unpacked, one part behind the other.
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
    /// Adds all that `reader` gives.
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
