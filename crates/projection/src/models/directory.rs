//! Short keys of streams.
//!
//! **Invariant:** the key of a stream is the position of its first commit. So it follows from the
//! log alone, is the same in every rebuild, and is never reused.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    path::Path,
};

use rookery_log::{Position, StreamId, StreamKind};
use serde::{Deserialize, Serialize};

use super::{AnyModel, Draft, Finished, Model, RowFile, RowLog, Still};
use crate::Committed;

/// Identifies a stream: the position of its first commit.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct StreamKey(pub u64);

/// The name of a stream, as it is stored.
#[derive(Clone, Serialize, Deserialize)]
#[serde(into = "String", try_from = "&str")]
struct Name(StreamId);

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0.as_str().to_owned()
    }
}

impl TryFrom<&str> for Name {
    type Error = &'static str;

    fn try_from(name: &str) -> Result<Self, Self::Error> {
        StreamId::parse(name).map(Self).ok_or("it is not the name of a stream")
    }
}

/// The keys of streams.
#[derive(Default)]
pub struct Directory {
    keys: HashMap<StreamId, StreamKey>,
    streams: BTreeMap<StreamKey, Name>,
    checkpoint: Position,
    log: RowLog,
}

impl Directory {
    /// The key of `stream`. If this commit, at `position`, is its first, the key is new.
    pub(crate) fn enter(&mut self, stream: &StreamId, position: Position) -> StreamKey {
        self.checkpoint = self.checkpoint.max(position);
        if let Some(key) = self.keys.get(stream) {
            return *key;
        }
        let key = StreamKey(position.0);
        self.keys.insert(stream.clone(), key);
        self.streams.insert(key, Name(stream.clone()));
        self.log.changes_anyway(key);
        key
    }

    pub(crate) fn key(&self, kind: StreamKind, subject: &str) -> Option<StreamKey> {
        self.keys.get(StreamId::name(kind, subject).as_str()).copied()
    }

    pub(crate) fn key_of(&self, stream: &StreamId) -> Option<StreamKey> {
        self.keys.get(stream).copied()
    }

    pub(crate) fn stream(&self, key: StreamKey) -> Option<&StreamId> {
        self.streams.get(&key).map(|name| &name.0)
    }

    /// The streams of `kind`, each with its subject, oldest first.
    pub(crate) fn of_kind(&self, kind: StreamKind) -> impl Iterator<Item = (StreamKey, &str)> {
        self.streams.iter().filter_map(move |(key, stream)| {
            let (found, subject) = stream.0.split()?;
            (found == kind).then_some((*key, subject))
        })
    }

    /// The subject of the stream: a room ID, user ID or alias.
    pub(crate) fn subject(&self, key: StreamKey) -> Option<&str> {
        Some(self.stream(key)?.split()?.1)
    }
}

impl Model for Directory {
    const NAME: &'static str = "streams";
    const VERSION: u32 = 1;

    fn create(_: &Path, _: usize) -> io::Result<Self> {
        Ok(Self::default())
    }

    fn load(dir: &Path, body: &[u8], checkpoint: Position) -> io::Result<Self> {
        let file: RowFile = postcard::from_bytes(body).map_err(io::Error::other)?;
        let (log, streams): (_, BTreeMap<StreamKey, Name>) =
            RowLog::open(dir, Self::NAME, file, checkpoint)?;
        let keys = streams.iter().map(|(key, name)| (name.0.clone(), *key)).collect();
        Ok(Self { keys, streams, checkpoint, log })
    }

    /// The stream has its key already: [`Self::enter`] comes before all models.
    fn apply(&mut self, _: StreamKey, _: &Committed) {}

    fn merge(&mut self, other: Self) {
        self.keys.extend(other.keys);
        self.streams.extend(other.streams);
        self.checkpoint = self.checkpoint.max(other.checkpoint);
    }
}

impl AnyModel for Directory {
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

    fn begin_save(&mut self) -> Option<Draft> {
        Some(self.log.begin(self.checkpoint, BTreeMap::new()))
    }

    fn next_piece(&self, draft: &mut Draft) -> io::Result<Option<Vec<u8>>> {
        draft.piece(&self.streams)
    }

    fn end_save(&mut self, draft: Option<&Draft>) -> io::Result<Finished> {
        let draft = draft.ok_or(io::ErrorKind::InvalidInput)?;
        let body = postcard::to_stdvec(&self.log.end(draft)).map_err(io::Error::other)?;
        Ok(Finished { from: draft.from, reached: self.checkpoint, body, files: Vec::new() })
    }

    fn still(&self) -> Still {
        let streams = self.streams.clone();
        Still::new(move |digester| {
            for row in &streams {
                digester.add(&row);
            }
            Ok(())
        })
    }
}
