//! Generations: one complete set of models in one directory.
//!
//! `current` names the serving generation. A rebuild makes the next one beside it. When that has
//! caught up and is durable, it replaces `current`. The previous generation stays until the next
//! rebuild, for a rollback ([`roll_back`]).

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rookery_domain::Profile;
use rookery_log::{Epoch, Position};

use super::snapshot::{self, Header, SnapshotError};
use crate::{
    models::{
        ActionNumbers, AliasTarget, AliasesOfRooms, Directory, EventIndex, Filters, Fold, Folded,
        LastNumbers, Models, ReadersOfRooms, Receipts, Redactions, RoomMembers, RoomRelations,
        RoomsOfUsers, Summary,
    },
    timeline::{BlockStore, RoomTimeline},
    unread::RoomUnread,
};

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

impl Loader<'_> {
    fn load<T>(
        &mut self,
        model: &'static str,
        version: u32,
        read: impl FnOnce(&[u8], Position) -> Result<T, String>,
    ) -> Option<T> {
        let header = Header { model, version, epoch: self.epoch, position: self.tail };
        let loaded = snapshot::read(&file(self.dir, model)).and_then(|bytes| {
            let (position, rows) = snapshot::decode(&bytes, header)?;
            read(rows, position).map_err(SnapshotError::Rows)
        });
        match loaded {
            Ok(loaded) => Some(loaded),
            Err(error) => {
                self.refused.push(Refused { model, error });
                None
            }
        }
    }

    fn fold<F: Fold>(
        &mut self,
        open: impl FnOnce(<F::Shared as crate::models::Shared<F>>::Saved) -> io::Result<F::Shared>,
    ) -> Option<Folded<F>> {
        self.load(F::NAME, F::VERSION, |rows, position| {
            Folded::load(rows, position, open).map_err(|error| error.to_string())
        })
    }
}

fn file(dir: &Path, model: &str) -> PathBuf {
    dir.join(format!("{model}.snapshot"))
}

/// Opens the models in `dir`, or returns which of them cannot be used.
pub(crate) fn load(dir: &Path, epoch: Epoch, tail: Position) -> Result<Models, Vec<Refused>> {
    let mut loader = Loader { dir, epoch, tail, refused: Vec::new() };
    let directory = loader.load(Directory::NAME, Directory::VERSION, |rows, position| {
        Directory::load(rows, position).map_err(|error| error.to_string())
    });
    let summaries = loader.fold::<Summary>(Ok);
    let memberships = loader.fold::<RoomMembers>(|()| Ok(RoomsOfUsers::default()));
    let timelines = loader.fold::<RoomTimeline>(|saved| BlockStore::open(dir, saved));
    let profiles = loader.fold::<Profile>(Ok);
    let aliases = loader.fold::<AliasTarget>(|()| Ok(AliasesOfRooms::default()));
    let relations = loader.fold::<RoomRelations>(Ok);
    let actions = loader.fold::<ActionNumbers>(|()| Ok(LastNumbers::default()));
    let filters = loader.fold::<Filters>(Ok);
    let redactions = loader.fold::<Redactions>(Ok);
    let receipts = loader.fold::<Receipts>(|()| Ok(ReadersOfRooms::default()));
    let unread = loader.fold::<RoomUnread>(Ok);
    let events = loader.load(EventIndex::NAME, EventIndex::VERSION, |rows, position| {
        EventIndex::load(dir, rows, position).map_err(|error| error.to_string())
    });
    let models = (|| {
        Some(Models {
            position: Position::ORIGIN,
            dir: dir.to_owned(),
            directory: directory?,
            summaries: summaries?,
            memberships: memberships?,
            timelines: timelines?,
            profiles: profiles?,
            aliases: aliases?,
            relations: relations?,
            actions: actions?,
            filters: filters?,
            redactions: redactions?,
            receipts: receipts?,
            unread: unread?,
            events: events?,
        })
    })();
    models.ok_or(loader.refused)
}

/// The version of the rows that this program writes, by the name of the model.
#[cfg(test)]
pub(crate) fn version_of(model: &str) -> u32 {
    let changed = [
        (Summary::NAME, Summary::VERSION),
        (RoomMembers::NAME, RoomMembers::VERSION),
        (RoomTimeline::NAME, RoomTimeline::VERSION),
        (RoomUnread::NAME, RoomUnread::VERSION),
        (EventIndex::NAME, EventIndex::VERSION),
    ];
    changed.iter().find(|(name, _)| *name == model).map_or(1, |(_, version)| *version)
}

fn save_fold<F: Fold>(folded: &Folded<F>, epoch: Epoch) -> io::Result<Option<Saved>> {
    let position = folded.checkpoint;
    let header = Header { model: F::NAME, version: F::VERSION, epoch, position };
    Ok(Some(Saved { header, rows: folded.save()? }))
}

/// One model, ready to be written.
pub(crate) struct Saved {
    header: Header,
    rows: Vec<u8>,
}

/// Serialises one model, with `step` counting up from 0; `None` after the last. The models may be
/// at different positions: each is caught up from its own.
pub(crate) fn save(models: &Models, epoch: Epoch, step: usize) -> io::Result<Option<Saved>> {
    let saved = |model, version, position, rows| {
        Some(Saved { header: Header { model, version, epoch, position }, rows })
    };
    match step {
        0 => {
            let directory = &models.directory;
            let (name, version) = (Directory::NAME, Directory::VERSION);
            Ok(saved(name, version, directory.checkpoint, directory.save()))
        }
        1 => save_fold(&models.summaries, epoch),
        2 => save_fold(&models.memberships, epoch),
        3 => save_fold(&models.timelines, epoch),
        4 => save_fold(&models.profiles, epoch),
        5 => save_fold(&models.aliases, epoch),
        6 => save_fold(&models.relations, epoch),
        7 => save_fold(&models.actions, epoch),
        8 => save_fold(&models.filters, epoch),
        9 => save_fold(&models.redactions, epoch),
        10 => save_fold(&models.receipts, epoch),
        11 => save_fold(&models.unread, epoch),
        12 => {
            let events = &models.events;
            let (name, version) = (EventIndex::NAME, EventIndex::VERSION);
            Ok(saved(name, version, events.checkpoint, events.save()))
        }
        _ => Ok(None),
    }
}

impl Saved {
    pub(crate) fn is_of_timelines(&self) -> bool {
        self.header.model == RoomTimeline::NAME
    }

    pub(crate) fn is_of_events(&self) -> bool {
        self.header.model == EventIndex::NAME
    }

    /// Writes the snapshot into `dir`.
    pub(crate) fn write(&self, dir: &Path) -> io::Result<()> {
        snapshot::replace(&file(dir, self.header.model), &snapshot::encode(self.header, &self.rows))
    }
}
