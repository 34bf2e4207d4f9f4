//! Replays all files of a source, one after the other.

use std::io;

use super::Replay;
use crate::{LineSteps, Summary, irc::source::Source};

/// Replays all files of `source`. `sink` takes the steps of lines, and the number of bytes read so
/// far.
///
/// A file that breaks off in the middle is noted in the summary, and the next one follows.
///
/// # Errors
/// The error of `sink`.
pub fn replay_all<E>(
    source: &mut Source,
    replay: &mut Replay,
    mut sink: impl FnMut(&mut Summary, Vec<LineSteps>, u64) -> Result<(), E>,
) -> Result<(), E> {
    for (file, reason) in source.skipped() {
        replay.summary_mut().skip(file.clone(), reason.clone());
    }
    let mut bytes_before = 0;
    for index in 0..source.files().len() {
        let file = source.files()[index].clone();
        let mut broken = source.head(index).map(|head| replay.begin(&file, &head)).err();
        if broken.is_none() {
            let mut read = || -> Result<(), Broken<E>> {
                let mut lines = source.lines(index).map_err(Broken::File)?;
                while let Some((number, bytes)) = lines.read().map_err(Broken::File)? {
                    let steps = replay.line(number, bytes);
                    let done = bytes_before + lines.bytes();
                    sink(replay.summary_mut(), steps, done).map_err(Broken::Sink)?;
                }
                Ok(())
            };
            match read() {
                Ok(()) => {}
                Err(Broken::File(error)) => broken = Some(error),
                Err(Broken::Sink(error)) => return Err(error),
            }
        }
        bytes_before += file.bytes;
        let steps = replay.end();
        if let Some(error) = broken {
            replay.summary_mut().skip(file.name, format!("broken off: {error}"));
        }
        sink(replay.summary_mut(), steps, bytes_before)?;
    }
    Ok(())
}

enum Broken<E> {
    File(io::Error),
    Sink(E),
}
