//! The bare reference of all durable work: a file, written and synced in groups.
//!
//! The file has its full length from the beginning. A growing file commits the journal of the file system at each sync, which
//! would make the reference slower than the measured work.

use std::{
    fs::File,
    io::{Seek, SeekFrom, Write},
    path::Path,
    time::{Duration, Instant},
};

use crate::{
    Error,
    stats::{Samples, float},
};

/// Length of the file. When it is full, writing starts again at its beginning.
const FILE_BYTES: usize = 64 << 20;

/// The results of a bare file.
pub(crate) struct Raw {
    /// Records a second.
    pub(crate) rate: f64,
    /// The duration of one group, write and sync.
    pub(crate) p50_ms: f64,
}

/// A file that takes turns with the measured program.
pub(crate) struct RawFile {
    file: File,
    text: Vec<u8>,
    group: usize,
    written: usize,
    samples: Samples,
    elapsed: Duration,
}

impl RawFile {
    /// A file for records of `bytes` each, `group` of them before each `fdatasync`.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(crate) fn open(folder: &Path, group: usize, bytes: usize) -> Result<Self, Error> {
        let text: Vec<u8> = (b' '..=b'~').cycle().take(group * bytes).collect();
        let mut file = File::create(folder.join("raw"))?;
        file.write_all(&vec![0; FILE_BYTES.max(text.len())])?;
        file.sync_all()?;
        file.seek(SeekFrom::Start(0))?;
        let (samples, elapsed) = (Samples::default(), Duration::ZERO);
        Ok(Self { file, text, group, written: 0, samples, elapsed })
    }

    /// Writes for about `duration`.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(crate) fn write_for(&mut self, duration: Duration) -> Result<(), Error> {
        let started = Instant::now();
        while started.elapsed() < duration {
            if self.written + self.text.len() > FILE_BYTES {
                self.file.seek(SeekFrom::Start(0))?;
                self.written = 0;
            }
            let begun = Instant::now();
            self.file.write_all(&self.text)?;
            self.file.sync_data()?;
            self.samples.push(begun.elapsed());
            self.written += self.text.len();
        }
        self.elapsed += started.elapsed();
        Ok(())
    }

    /// The rate and the time of a group, over all turns.
    pub(crate) fn figures(self) -> Raw {
        let rate = float(self.samples.len() * self.group) / self.elapsed.as_secs_f64();
        let p50_ms = self.samples.latency().map_or(0.0, |latency| latency.p50_ms);
        Raw { rate, p50_ms }
    }
}

/// Writes records of `bytes` each for about `duration`, `group` of them before each `fdatasync`.
///
/// # Errors
/// If the file cannot be written.
pub(crate) fn append(
    folder: &Path,
    group: usize,
    bytes: usize,
    duration: Duration,
) -> Result<Raw, Error> {
    let mut file = RawFile::open(folder, group, bytes)?;
    file.write_for(duration)?;
    Ok(file.figures())
}
