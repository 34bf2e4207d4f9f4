//! The bare reference of everything durable: a file, appended to and synced in groups.

use std::{
    fs::File,
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

use crate::{
    Error,
    stats::{Samples, float},
};

/// What a bare file does.
pub(crate) struct Raw {
    /// Records a second.
    pub(crate) rate: f64,
    /// The time that one group takes, write and sync.
    pub(crate) p50_ms: f64,
}

/// Appends records of `bytes` each for about `duration`, `group` of them before each `fdatasync`.
///
/// # Errors
/// If the file cannot be written.
pub(crate) fn append(
    folder: &Path,
    group: usize,
    bytes: usize,
    duration: Duration,
) -> Result<Raw, Error> {
    let mut file = File::create(folder.join("raw"))?;
    let text: Vec<u8> = (b' '..=b'~').cycle().take(group * bytes).collect();
    // The first sync of a new file also writes its name.
    file.write_all(&text)?;
    file.sync_all()?;
    let mut samples = Samples::default();
    let started = Instant::now();
    while started.elapsed() < duration {
        let begun = Instant::now();
        file.write_all(&text)?;
        file.sync_data()?;
        samples.push(begun.elapsed());
    }
    let rate = float(samples.len() * group) / started.elapsed().as_secs_f64();
    let p50_ms = samples.latency().map_or(0.0, |latency| latency.p50_ms);
    Ok(Raw { rate, p50_ms })
}
