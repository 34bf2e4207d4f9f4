//! Short keys of streams.
//!
//! **Invariant:** the key of a stream is the position of its first commit. So it follows from the
//! log alone, is the same in every rebuild, and is never reused.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use rookery_log::{Position, StreamId, StreamKind};
use serde::{Deserialize, Serialize};

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
    pub(crate) checkpoint: Position,
}

impl Directory {
    pub(crate) const NAME: &'static str = "streams";
    pub(crate) const VERSION: u32 = 1;

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

    pub(crate) fn save(&self) -> Vec<u8> {
        let rows: Vec<(u64, &str)> =
            self.streams.iter().map(|(key, stream)| (key.0, stream.as_str())).collect();
        postcard::to_stdvec(&rows).expect("plain data serialises")
    }

    pub(crate) fn load(body: &[u8], checkpoint: Position) -> Result<Self, postcard::Error> {
        let rows: Vec<(u64, Arc<str>)> = postcard::from_bytes(body)?;
        let mut directory = Self { checkpoint, ..Self::default() };
        for (key, name) in rows {
            let stream = StreamId::parse(&name).ok_or(postcard::Error::SerdeDeCustom)?;
            directory.keys.insert(stream.clone(), StreamKey(key));
            directory.streams.insert(StreamKey(key), stream);
        }
        Ok(directory)
    }
}
