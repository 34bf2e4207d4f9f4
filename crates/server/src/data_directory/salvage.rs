//! Damaged logs: finds the damage before anything changes, and saves the intact part.
//!
//! **Invariant:** the damaged directory is only read.
//! **Invariant:** a new directory gets its log in one step, when all of it is on stable storage.

use std::{
    collections::VecDeque,
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use rookery_domain::Envelope;
use rookery_log::{Commit, Epoch, EventLog, Position, Record, StreamId, StreamKind};
use rookery_log_sled::{Moved, OpenError, Salvage, Saved, Saving, SledLog, SledOptions};

use super::tokens;
use crate::{
    config::{Config, ServerIdentity},
    failure::Failure,
    terminal,
    terminal::{
        counted::{counted, counted_len},
        progress::Progress,
    },
};

/// Records in flight to the disk.
const UNDER_WAY_MAX: usize = 1_024;

/// Most streams in the report.
const STREAMS_NAMED_MAX: usize = 20;

/// The place of a new directory's log until it is complete.
const UNFINISHED: &str = "log.salvage";

/// The file in a new directory for rooms without their beginning.
const ORPHANS: &str = "orphans.ndjson";

/// Reads the whole log, unless a server has it open, without changing any file.
///
/// # Errors
/// [`Failure`], which names the first damage.
pub(crate) async fn examine(config: &Config) -> Result<(), Failure> {
    let folder = config.data.join("log");
    let examined = tokio::task::spawn_blocking(move || {
        let mut bar = Progress::on_stderr("reading the log", "commits", None);
        rookery_log_sled::examine(&folder, |record| bar.tell(record.position.0))
    });
    match examined.await.map_err(|error| Failure::new(error.to_string()))? {
        Err(OpenError::InUse { .. }) => Ok(()),
        examined => Ok(examined?),
    }
}

/// Writes the intact part of the log of `config` into a `file` or `into` a new data directory.
///
/// # Errors
/// [`Failure`] if nothing can be saved, or if the output cannot be written.
pub(crate) async fn run(
    config: &Config,
    file: Option<&Path>,
    into: Option<&Path>,
) -> Result<(), Failure> {
    let data = config.data.clone();
    let folder = data.join("log");
    let survey = tokio::task::spawn_blocking(move || {
        let mut bar = Progress::on_stderr("searching for commits", "KiB", None);
        Salvage::survey(&folder, |done, all| {
            bar.set_total(all / 1_024);
            bar.tell(done / 1_024);
        })
    });
    let salvage = survey.await.map_err(|error| Failure::new(error.to_string()))??;
    if salvage.count() == 0 {
        return Err(Failure::new(format!(
            "{} contains no intact commit",
            data.join("log").display()
        )));
    }
    // After a hole, positions have another meaning, so old positions of clients must not fit any
    // more.
    let epoch = match salvage.epoch() {
        Some(epoch) if salvage.holes().is_empty() => epoch,
        _ => Epoch(getrandom::u64().map_err(|error| Failure::new(error.to_string()))?),
    };
    let lost = match (file, into) {
        (_, Some(into)) => save_into(config, &salvage, epoch, into).await?,
        (Some(file), None) if file == Path::new("-") => {
            write(&salvage, epoch, terminal::stdout(), None, |error| terminal::unprinted(&error))?
        }
        (Some(file), None) => {
            let output = File::create_new(file)
                .map_err(|error| Failure::file("cannot make the file", file, error))?;
            let orphans = file.with_extension("orphans.ndjson");
            write(&salvage, epoch, BufWriter::new(output), Some(orphans), |error| {
                Failure::file("the file is not complete: cannot write", file, error)
            })?
        }
        (None, None) => return Err(Failure::new("name a file, or a directory with --into")),
    };
    report(&salvage, &lost);
    Ok(())
}

/// The losses of the new log.
#[derive(Default)]
struct Lost {
    /// Numbers of lost events, by stream.
    events: Vec<(StreamId, u64)>,
    /// Rooms without their beginning.
    rooms: usize,
    /// The place and the number of their remaining commits.
    orphans: Orphans,
}

/// Intact commits of rooms without their beginning, as lines of an export.
#[derive(Default)]
struct Orphans {
    path: Option<PathBuf>,
    file: Option<rookery_ndjson::Export<BufWriter<File>>>,
    commits: u64,
}

impl Orphans {
    fn write(&mut self, record: &Record) -> Result<(), Failure> {
        self.commits += 1;
        let Some(path) = &self.path else { return Ok(()) };
        if self.file.is_none() {
            let file = File::create_new(path)
                .map_err(|error| Failure::file("cannot make the file", path, error))?;
            self.file = Some(rookery_ndjson::Export::begin(BufWriter::new(file), record.epoch)?);
        }
        if let Some(file) = &mut self.file {
            file.write(record)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Failure> {
        if let Some(file) = self.file.take() {
            file.finish()?;
        }
        Ok(())
    }
}

impl Lost {
    fn of(saving: &Saving<'_>, mut orphans: Orphans) -> Result<Self, Failure> {
        orphans.finish()?;
        let events = saving.lost().iter().map(|(stream, events)| (stream.clone(), *events));
        Ok(Self { events: events.collect(), rooms: saving.orphans().len(), orphans })
    }
}

fn write(
    salvage: &Salvage,
    epoch: Epoch,
    output: impl Write,
    orphans: Option<PathBuf>,
    unwritten: impl Fn(io::Error) -> Failure,
) -> Result<Lost, Failure> {
    let mut saving = salvage.saving(epoch, Box::new(follow));
    let mut orphans = Orphans { path: orphans, ..Orphans::default() };
    let mut export = rookery_ndjson::Export::begin(output, epoch).map_err(&unwritten)?;
    for saved in &mut saving {
        match saved? {
            Saved::Chained(record) => export.write(&record).map_err(&unwritten)?,
            Saved::Orphan(record) => orphans.write(&record)?,
        }
    }
    export.finish().map_err(&unwritten)?;
    Lost::of(&saving, orphans)
}

/// Creates a servable data directory: the log, and the files of the damaged directory that cannot
/// be derived.
async fn save_into(
    config: &Config,
    salvage: &Salvage,
    epoch: Epoch,
    into: &Path,
) -> Result<Lost, Failure> {
    if into.join("log").exists() {
        let into = into.display();
        return Err(Failure::new(format!("{into} already has a log: choose an empty directory")));
    }
    let asked = config.server_name.as_deref();
    let (identity, _) = ServerIdentity::find(&config.data, asked, crate::node::clock::now().0)?;
    identity.save(into)?;
    let unfinished = into.join(UNFINISHED);
    let orphans = Orphans { path: Some(into.join(ORPHANS)), ..Orphans::default() };
    for left in [&unfinished, &into.join(ORPHANS)] {
        remove(left).map_err(|error| Failure::file("cannot remove", left, error))?;
    }
    let lost = copy(salvage, epoch, &unfinished, orphans).await?;
    for name in ["accounts.redb", "signing.key", tokens::NAME] {
        let (from, to) = (config.data.join(name), into.join(name));
        if from.exists() && !to.exists() {
            copy_whole(&from, &to).map_err(|error| Failure::file("cannot copy", &from, error))?;
        }
    }
    let finished = into.join("log");
    fs::rename(&unfinished, &finished)
        .map_err(|error| Failure::file("cannot rename", &unfinished, error))?;
    File::open(into)?.sync_all()?;
    Ok(lost)
}

/// Copies a file completely or not at all: the server would take half a key for a damaged one.
fn copy_whole(from: &Path, to: &Path) -> io::Result<()> {
    let beside = to.with_extension("new");
    fs::copy(from, &beside)?;
    File::open(&beside)?.sync_all()?;
    fs::rename(&beside, to)
}

/// Envelopes name other events by position, and positions change after a hole.
fn follow(commit: &mut Commit, moved: &Moved) {
    if !matches!(commit.stream.split(), Some((StreamKind::Room, _))) {
        return;
    }
    for event in &mut commit.events {
        let Ok(mut envelope) = serde_json::from_slice::<Envelope>(&event.envelope) else {
            continue;
        };
        let before = envelope.clone();
        for erased in &mut envelope.erases {
            // There is no position 0: a lost event has nothing left to erase.
            erased.position = moved.position(Position(erased.position)).map_or(0, |new| new.0);
        }
        for change in envelope.state.iter_mut().flatten() {
            let place = change.holder.as_mut().and_then(|holder| holder.position.as_mut());
            let Some(place) = place else { continue };
            match moved.position(Position(*place)) {
                Some(new) => *place = new.0,
                None => change.holder = None,
            }
        }
        if envelope != before
            && let Ok(bytes) = serde_json::to_vec(&envelope)
        {
            event.envelope = bytes.into();
        }
    }
}

/// Removes the remains of an interrupted salvage.
fn remove(path: &Path) -> io::Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Copies the intact records into a new log in `folder`.
async fn copy(
    salvage: &Salvage,
    epoch: Epoch,
    folder: &Path,
    mut orphans: Orphans,
) -> Result<Lost, Failure> {
    let options = SledOptions { epoch: Some(epoch), ..SledOptions::default() };
    let log = SledLog::open(folder, options)?;
    let mut bar = Progress::on_stderr("saving", "commits", Some(salvage.count()));
    let mut saving = salvage.saving(epoch, Box::new(follow));
    let mut under_way = VecDeque::with_capacity(UNDER_WAY_MAX);
    for saved in &mut saving {
        let record = match saved? {
            Saved::Chained(record) => record,
            Saved::Orphan(record) => {
                orphans.write(&record)?;
                continue;
            }
        };
        bar.tell(record.position.0);
        under_way.push_back(log.append_record(record));
        if under_way.len() >= UNDER_WAY_MAX
            && let Some(oldest) = under_way.pop_front()
        {
            oldest.await?;
        }
    }
    for append in under_way {
        append.await?;
    }
    bar.finish(log.tail().borrow().0);
    Lost::of(&saving, orphans)
}

/// Reports the saved and the lost data to the person at the terminal.
fn report(salvage: &Salvage, lost: &Lost) {
    let holes = salvage.holes();
    let count = counted(salvage.count(), "commit");
    if holes.is_empty() {
        terminal::tell(format_args!("saved {count}: all commits of the log"));
        return;
    }
    terminal::tell(format_args!("saved {count}; lost:"));
    for hole in &holes {
        let (from, to) = (hole.start(), hole.end());
        terminal::tell(format_args!("  positions {from} to {to}"));
    }
    for (stream, events) in lost.events.iter().take(STREAMS_NAMED_MAX) {
        terminal::tell(format_args!("  {} of {stream}", counted(*events, "event")));
    }
    let more = lost.events.len().saturating_sub(STREAMS_NAMED_MAX);
    if more > 0 {
        terminal::tell(format_args!("  and events of {}", counted_len(more, "more stream")));
    }
    if lost.rooms > 0 {
        let (rooms, commits) = (counted_len(lost.rooms, "room"), lost.orphans.commits);
        let place = lost.orphans.path.as_ref().map(|path| format!(": see {}", path.display()));
        let place = place.unwrap_or_else(|| ": name a file to save them".to_owned());
        terminal::tell(format_args!(
            "  the beginning of {rooms}, so the server cannot serve them; {commits} of the saved \
             commits belong to them{place}"
        ));
    }
    terminal::tell(format_args!(
        "After the first hole positions and sequence numbers are new, and clients start again \
         from a new home screen. Start the server once with --accept-missing-accounts, since the \
         accounts refer to the old log."
    ));
}
