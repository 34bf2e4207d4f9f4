//! The event index: the place in the log of each event ID.
//!
//! A log-structured merge tree. New entries are in memory. When memory is full, they are written to
//! a sorted file. When there are many files of one size, they are merged into one of the next size.
//!
//! **Invariant:** the answer does not depend on the distribution of the entries over memory and
//! files.
//! **Invariant:** a file is removed only after a snapshot that does not name it is on disk.

use std::{
    collections::HashMap,
    ffi::OsStr,
    fs,
    hash::{BuildHasherDefault, Hasher},
    io,
    path::{Path, PathBuf},
};

use rookery_log::Position;

use super::run::{Entry, IdHash, Place, Run, merge};
use crate::{
    Committed,
    models::{AnyModel, Draft, Finished, Model, Still, StreamKey},
};

/// Entries in memory before they are written to a file: about 1 MiB.
const BUFFER_MAX: usize = if cfg!(test) { 16 } else { 16_384 };

/// The same during a rebuild, which has no readers: about 16 MiB.
const REBUILD_BUFFER_MAX: usize = if cfg!(test) { 24 } else { 262_144 };

/// How many files of about one size are merged.
const FAN_IN: usize = if cfg!(test) { 2 } else { 8 };

/// Maps event IDs to places.
pub(crate) struct EventIndex {
    checkpoint: Position,
    dir: PathBuf,
    part: usize,
    next_run: u64,
    buffer: HashMap<IdHash, Place, BuildHasherDefault<Hashed>>,
    buffer_max: usize,
    runs: Vec<Run>,
    retired: Vec<String>,
}

/// A hasher for keys that are hashes already.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    fn write_usize(&mut self, _len: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The hash of an event ID in the index.
pub(crate) fn id_hash(event_id: &str) -> IdHash {
    let mut hash = IdHash::default();
    hash.copy_from_slice(&blake3::hash(event_id.as_bytes()).as_bytes()[..16]);
    hash
}

impl EventIndex {
    pub(crate) fn get(&self, event_id: &str) -> io::Result<Option<Place>> {
        let key = id_hash(event_id);
        if let Some(place) = self.buffer.get(&key) {
            return Ok(Some(*place));
        }
        for run in self.runs.iter().rev() {
            if let Some(place) = run.get(&key)? {
                return Ok(Some(place));
            }
        }
        Ok(None)
    }

    fn name_next(&mut self) -> String {
        self.next_run += 1;
        format!("events-{}-{}.run", self.part, self.next_run)
    }

    fn sorted_buffer(&self) -> Vec<Entry> {
        let mut entries: Vec<_> = self.buffer.iter().map(|(key, place)| (*key, *place)).collect();
        entries.sort_unstable();
        entries
    }

    fn spill(&mut self) -> io::Result<()> {
        let name = self.name_next();
        let entries = self.sorted_buffer();
        self.runs.push(Run::write(&self.dir, name, entries.into_iter().map(Ok))?);
        self.buffer.clear();
        Ok(())
    }

    /// The next merge that is due, if any.
    pub(crate) fn due(&mut self) -> Option<Merger> {
        let size_class = |run: &Run| run.len.max(1).ilog2() / 3;
        let classes = self.runs.iter().map(size_class);
        let class = classes.min()?;
        let small: Vec<_> =
            self.runs.iter().filter(|run| size_class(run) <= class).cloned().collect();
        (small.len() >= FAN_IN).then(|| Merger { runs: small, name: self.name_next() })
    }

    /// Replaces the runs that `run` was merged from.
    pub(crate) fn replace(&mut self, merged: &[Run], run: Run) {
        let is_merged = |run: &Run| merged.iter().any(|merged| merged.name == run.name);
        self.retired
            .extend(self.runs.iter().filter(|run| is_merged(run)).map(|run| run.name.clone()));
        // The log can have an event twice: as an outlier, and then at its place. The newer run wins.
        let age = self.runs.iter().position(is_merged).unwrap_or_default();
        self.runs.retain(|run| !is_merged(run));
        self.runs.insert(age, run);
    }
}

impl Model for EventIndex {
    const NAME: &'static str = "events";
    const VERSION: u32 = 2;

    fn create(dir: &Path, part: usize) -> io::Result<Self> {
        Ok(Self {
            checkpoint: Position::ORIGIN,
            dir: dir.to_owned(),
            part,
            next_run: 0,
            buffer: HashMap::default(),
            buffer_max: REBUILD_BUFFER_MAX,
            runs: Vec::new(),
            retired: Vec::new(),
        })
    }

    fn load(dir: &Path, body: &[u8], checkpoint: Position) -> io::Result<Self> {
        type Saved = (u64, Vec<(String, u64)>, Vec<Entry>);
        let (next_run, runs, buffer): Saved =
            postcard::from_bytes(body).map_err(io::Error::other)?;
        remove(strays(dir, &runs)?);
        let runs = runs.into_iter().map(|(name, len)| Run::open(dir, name, len));
        Ok(Self {
            checkpoint,
            next_run,
            buffer: buffer.into_iter().collect(),
            runs: runs.collect::<io::Result<_>>()?,
            buffer_max: BUFFER_MAX,
            ..Self::create(dir, 0)?
        })
    }

    fn apply(&mut self, stream: StreamKey, committed: &Committed) {
        if committed.position <= self.checkpoint {
            return;
        }
        self.checkpoint = committed.position;
        for (index, fact) in committed.facts.iter().enumerate() {
            let id = match fact {
                Ok(rookery_domain::Fact::Room(event)) => event.pdu.event_id.as_str(),
                Ok(_) => continue,
                Err(unreadable) => &unreadable.event_id,
            };
            let place = Place {
                position: committed.position,
                index: u16::try_from(index).unwrap_or(u16::MAX),
                sequence: committed.sequence(index),
                stream,
            };
            self.buffer.insert(id_hash(id), place);
        }
        if self.buffer.len() >= self.buffer_max
            && let Err(error) = self.spill()
        {
            // Nothing is lost: the entries stay in memory, and the next commit tries again.
            tracing::error!("the event index cannot write to {}: {error}", self.dir.display());
        }
    }

    fn merge(&mut self, mut other: Self) {
        self.buffer.extend(other.buffer);
        self.runs.append(&mut other.runs);
        self.retired.append(&mut other.retired);
        self.checkpoint = self.checkpoint.max(other.checkpoint);
    }
}

impl AnyModel for EventIndex {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn version(&self) -> u32 {
        Self::VERSION
    }

    fn checkpoint(&self) -> Position {
        self.checkpoint
    }

    fn reach(&mut self, position: Position) {
        self.checkpoint = self.checkpoint.max(position);
    }

    fn end_save(&mut self, _: Option<&Draft>) -> io::Result<Finished> {
        let runs: Vec<(&str, u64)> = self.runs.iter().map(|run| (&*run.name, run.len)).collect();
        let saved = (self.next_run, runs, self.sorted_buffer());
        let body = postcard::to_stdvec(&saved).map_err(io::Error::other)?;
        let files = self.runs.iter().map(Run::handle).collect();
        Ok(Finished { from: self.checkpoint, reached: self.checkpoint, body, files })
    }

    fn take_retired(&mut self) -> Vec<PathBuf> {
        self.retired.drain(..).map(|name| self.dir.join(name)).collect()
    }

    /// Merges all files of a rebuild into one.
    fn finish_rebuild(&mut self) -> io::Result<()> {
        self.buffer_max = BUFFER_MAX;
        if self.buffer.len() >= BUFFER_MAX {
            self.spill()?;
        }
        if self.runs.len() > 1 {
            let merger = Merger { runs: self.runs.clone(), name: self.name_next() };
            let run = merger.run(&self.dir)?;
            self.replace(&merger.runs, run);
        }
        self.buffer.shrink_to_fit();
        Ok(())
    }

    fn still(&self) -> Still {
        let frozen = Frozen { buffer: self.sorted_buffer(), runs: self.runs.clone() };
        Still::new(move |digester| {
            for entry in frozen.iter() {
                digester.add(&entry?);
            }
            Ok(())
        })
    }
}

/// All entries of an index at one moment.
struct Frozen {
    buffer: Vec<Entry>,
    runs: Vec<Run>,
}

impl Frozen {
    fn iter(&self) -> impl Iterator<Item = io::Result<Entry>> + '_ {
        let buffer: Box<dyn Iterator<Item = _>> = Box::new(self.buffer.iter().copied().map(Ok));
        let runs = self.runs.iter().rev();
        let runs = runs.map(|run| Box::new(run.iter()) as Box<dyn Iterator<Item = _>>);
        merge(std::iter::once(buffer).chain(runs).collect())
    }
}

/// A merge of runs, which needs only their files.
pub(crate) struct Merger {
    pub(crate) runs: Vec<Run>,
    name: String,
}

impl Merger {
    pub(crate) fn run(&self, dir: &Path) -> io::Result<Run> {
        // The newest run first: it wins for equal keys.
        let sources = self.runs.iter().rev();
        let sources = sources.map(|run| Box::new(run.iter()) as Box<dyn Iterator<Item = _>>);
        Run::write(dir, self.name.clone(), merge(sources.collect()))
    }
}

/// Runs that were written after the snapshot, before a crash.
fn strays(dir: &Path, runs: &[(String, u64)]) -> io::Result<Vec<PathBuf>> {
    let mut strays = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        let is_known = runs.iter().any(|(known, _)| known == name);
        if path.extension() == Some(OsStr::new("run")) && !is_known {
            strays.push(path);
        }
    }
    Ok(strays)
}

/// Removes files that are no longer needed. A file that cannot be removed only wastes space.
pub(crate) fn remove(files: Vec<PathBuf>) {
    for file in files {
        if let Err(error) = fs::remove_file(&file) {
            tracing::warn!("cannot remove {}: {error}", file.display());
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn the_last_place_of_an_event_is_found_after_merges() {
        let dir = tempfile::tempdir().unwrap();
        let mut index = EventIndex::create(dir.path(), 0).unwrap();
        for round in 1..20_u64 {
            let stream = StreamKey::default();
            let place = Place { position: Position(round), index: 0, sequence: round, stream };
            index.buffer.insert(id_hash("$twice"), place);
            for number in 0..if round == 1 { 300 } else { 3 } {
                index.buffer.insert(id_hash(&format!("${round}-{number}")), place);
            }
            index.spill().unwrap();
            while let Some(merger) = index.due() {
                let run = merger.run(dir.path()).unwrap();
                index.replace(&merger.runs, run);
            }
            assert_eq!(index.get("$twice").unwrap(), Some(place));
        }
    }
}
