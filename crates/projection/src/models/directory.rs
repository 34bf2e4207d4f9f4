//! Short keys of streams.
//!
//! **Invariant:** the key of a stream is the position of its first commit. So it follows from the
//! log alone, is the same in every rebuild, and is never reused.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    path::Path,
    sync::Arc,
};

use rookery_log::{Position, StreamId, StreamKind};
use serde::{Deserialize, Serialize};

use super::{AnyModel, Model, Still};
use crate::Committed;

/// Identifies a stream: the position of its first commit.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct StreamKey(pub u64);

/// The keys of streams.
#[derive(Default)]
pub struct Directory {
    keys: HashMap<StreamId, StreamKey>,
    streams: BTreeMap<StreamKey, StreamId>,
    checkpoint: Position,
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
        self.streams.insert(key, stream.clone());
        key
    }

    pub(crate) fn key(&self, kind: StreamKind, subject: &str) -> Option<StreamKey> {
        self.keys.get(&StreamId::new(kind, subject)).copied()
    }

    pub(crate) fn key_of(&self, stream: &StreamId) -> Option<StreamKey> {
        self.keys.get(stream).copied()
    }

    pub(crate) fn stream(&self, key: StreamKey) -> Option<&StreamId> {
        self.streams.get(&key)
    }

    /// The streams of `kind`, each with its subject, oldest first.
    pub(crate) fn of_kind(&self, kind: StreamKind) -> impl Iterator<Item = (StreamKey, &str)> {
        self.streams.iter().filter_map(move |(key, stream)| {
            let (found, subject) = stream.split()?;
            (found == kind).then_some((*key, subject))
        })
    }

    /// The subject of the stream: a room ID, user ID or alias.
    pub(crate) fn subject(&self, key: StreamKey) -> Option<&str> {
        Some(self.streams.get(&key)?.split()?.1)
    }

    /// The rows of a snapshot: each stream with its key.
    fn rows(&self) -> Vec<(u64, &str)> {
        self.streams.iter().map(|(key, stream)| (key.0, stream.as_str())).collect()
    }
}

impl Model for Directory {
    const NAME: &'static str = "streams";
    const VERSION: u32 = 1;

    fn create(_: &Path, _: usize) -> io::Result<Self> {
        Ok(Self::default())
    }

    fn load(_: &Path, body: &[u8], checkpoint: Position) -> io::Result<Self> {
        let rows: Vec<(u64, Arc<str>)> = postcard::from_bytes(body).map_err(io::Error::other)?;
        let mut directory = Self { checkpoint, ..Self::default() };
        for (key, name) in rows {
            let stream = StreamId::parse(&name);
            let stream =
                stream.ok_or_else(|| io::Error::other("a name is not that of a stream"))?;
            directory.keys.insert(stream.clone(), StreamKey(key));
            directory.streams.insert(StreamKey(key), stream);
        }
        Ok(directory)
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

    fn save(&self) -> io::Result<Vec<u8>> {
        postcard::to_stdvec(&self.rows()).map_err(io::Error::other)
    }

    fn still(&self) -> Still {
        let streams = self.streams.clone();
        Still::new(move |digester| {
            for (key, stream) in &streams {
                digester.add(&(key, stream.as_str()));
            }
            Ok(())
        })
    }
}
