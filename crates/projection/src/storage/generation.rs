//! Generations: one complete set of models in one directory.
//!
//! `current` names the serving generation. A rebuild makes the next one beside it. When that has
//! caught up and is durable, it replaces `current`. The previous generation stays until the next
//! rebuild, for a rollback ([`roll_back`]).

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rookery_log::{Epoch, Position};

use super::snapshot::{self, Header, SnapshotError};
use crate::models::{Finished, Model, Models, Source};

const CURRENT: &str = "current";

/// The number of the serving generation; `None` in an empty directory.
pub(crate) fn current(dir: &Path) -> io::Result<Option<u64>> {
    match fs::read_to_string(dir.join(CURRENT)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
        Ok(text) => Ok(text.trim().parse().ok()),
    }
}

pub(crate) fn path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("generation-{number}"))
}

/// All generations in `dir`, oldest first.
fn all(dir: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix("generation-"));
        numbers.extend(number.and_then(|number| number.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Creates the directory of the next generation, and removes all but the serving one.
pub(crate) fn begin(dir: &Path) -> io::Result<(u64, PathBuf)> {
    let current = current(dir)?;
    let numbers = all(dir)?;
    for number in &numbers {
        if Some(*number) != current {
            fs::remove_dir_all(path(dir, *number))?;
        }
    }
    let number = numbers.last().copied().max(current).unwrap_or(0) + 1;
    fs::create_dir_all(path(dir, number))?;
    snapshot::sync_dir(dir)?;
    Ok((number, path(dir, number)))
}

/// Removes the previous generation, and the remains of a crash. No process may have the models
/// open.
///
/// # Errors
/// If something cannot be removed.
pub fn remove_old(dir: &Path) -> io::Result<()> {
    let serving = current(dir)?;
    for number in all(dir)?.into_iter().filter(|number| Some(*number) != serving) {
        fs::remove_dir_all(path(dir, number))?;
    }
    match fs::remove_dir_all(dir.join("verify")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let Some(serving) = serving else { return Ok(()) };
    for entry in fs::read_dir(path(dir, serving))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "new") {
            fs::remove_file(path)?;
        }
    }
    snapshot::sync_dir(dir)
}

/// Makes generation `number` serve from the next start on.
pub(crate) fn switch(dir: &Path, number: u64) -> io::Result<()> {
    snapshot::replace(&dir.join(CURRENT), number.to_string().as_bytes())
}

/// Makes the generation before the last rebuild serve again, from the next start on. It then
/// catches up from the log. The server must not be running.
///
/// # Errors
/// If there is no other generation, or the directory cannot be written.
pub fn roll_back(dir: &Path) -> io::Result<()> {
    let serving = current(dir)?;
    let before = all(dir)?.into_iter().rev().find(|number| Some(*number) < serving);
    let before = before.ok_or_else(|| {
        io::Error::new(io::ErrorKind::NotFound, "there are no read models from before a rebuild")
    })?;
    switch(dir, before)
}

/// A snapshot that was refused, for a line in the log.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) model: &'static str,
    pub(crate) error: SnapshotError,
}

/// Reads the snapshots in `dir`.
struct Loader<'a> {
    dir: &'a Path,
    epoch: Epoch,
    tail: Position,
    refused: Vec<Refused>,
}

impl Source for Loader<'_> {
    fn open<M: Model>(&mut self) -> Option<M> {
        let (model, version) = (M::NAME, M::VERSION);
        let header = Header { model, version, epoch: self.epoch, position: self.tail };
        let opened = snapshot::read(&file(self.dir, model)).and_then(|bytes| {
            let (from, body) = snapshot::decode(&bytes, header)?;
            let opened = M::load(self.dir, body, from);
            opened.map_err(|error| SnapshotError::Rows(error.to_string()))
        });
        opened.map_err(|error| self.refused.push(Refused { model, error })).ok()
    }
}

fn file(dir: &Path, model: &str) -> PathBuf {
    dir.join(format!("{model}.snapshot"))
}

/// Opens the models in `dir`, or returns which of them cannot be used.
pub(crate) fn load(dir: &Path, epoch: Epoch, tail: Position) -> Result<Models, Vec<Refused>> {
    let mut loader = Loader { dir, epoch, tail, refused: Vec::new() };
    Models::open(dir, &mut loader).ok_or(loader.refused)
}

/// Writes the snapshot of a model into `dir`. Its rows are in their file already.
pub(crate) fn write(
    dir: &Path,
    (model, version): (&'static str, u32),
    epoch: Epoch,
    finished: &Finished,
) -> io::Result<()> {
    finished.files.iter().try_for_each(|file| file.sync_data())?;
    let header = Header { model, version, epoch, position: finished.reached };
    let bytes = snapshot::encode(header, finished.from, &finished.body);
    snapshot::replace(&file(dir, model), &bytes)
}
