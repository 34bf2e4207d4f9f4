//! Snapshots of states, so that loading a room or an account costs its state and not its history.
//!
//! One file for each stream: a checksum, a header, the parts of the state. A file that is
//! missing, damaged or ahead of the log is not an error: the state is then folded from the log.
//!
//! **Invariant:** a snapshot is never the only place of a fact.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use rookery_log::{Epoch, EventKey, EventLog, Position, Revision, StreamId, StreamKind};
use serde::{Deserialize, Serialize};

use super::frozen::Frozen;

/// Version of the files that this program writes.
const FORMAT: u16 = 9;

/// Events between two snapshots of a small state. Larger states wait for four times as many
/// events as they have parts, so that writing snapshots never costs more than the events themselves.
const EVENTS_BETWEEN: u64 = 1_000;

/// A state as of one revision of its stream.
pub(crate) struct Snapshot<F> {
    pub(crate) revision: Revision,
    pub(crate) position: Position,
    /// The last event of the stream at this revision. It is not stored: the log has it.
    pub(crate) last: Option<EventKey>,
    pub(crate) frozen: F,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    format: u16,
    epoch: Epoch,
    stream: StreamId,
    revision: Revision,
    position: Position,
    state: Bytes,
}

/// The folder of the snapshots; `None` for a log in memory.
#[derive(Clone)]
pub(crate) struct Snapshots {
    folder: Option<PathBuf>,
}

impl Snapshots {
    /// Snapshots in `folder`, which is created if it is missing.
    pub(crate) fn open(folder: Option<&Path>) -> io::Result<Self> {
        if let Some(folder) = folder {
            fs::create_dir_all(folder)?;
        }
        Ok(Self { folder: folder.map(Path::to_owned) })
    }

    /// Whether a state of this many parts at `revision` is due for a snapshot.
    pub(crate) fn due(&self, last: Revision, revision: Revision, parts: usize) -> bool {
        let between = EVENTS_BETWEEN.max(4 * parts as u64);
        self.folder.is_some() && revision.0.saturating_sub(last.0) >= between
    }

    /// The snapshot of `stream`, if there is one that belongs to this log.
    pub(crate) async fn load<F: Frozen>(
        &self,
        log: &dyn EventLog,
        stream: &StreamId,
    ) -> Option<Snapshot<F>> {
        let path = self.path(stream)?;
        let bytes = fs::read(&path).ok()?;
        let stored = decode(&bytes).or_else(|| {
            tracing::warn!(%stream, path = %path.display(), "ignoring a damaged snapshot");
            None
        })?;
        let records = log.get(&[stored.position]).await.ok()?;
        let record = records.first()?;
        let belongs = stored.epoch == log.epoch()
            && stored.stream == *stream
            && record.commit.stream == *stream
            && record.revision == stored.revision;
        belongs.then_some(())?;
        let frozen = F::read(&stored.state)?;
        let (revision, position) = (stored.revision, stored.position);
        Some(Snapshot { revision, position, last: record.commit.last_event(), frozen })
    }

    /// Writes a snapshot. A crash leaves the old one or the new one.
    pub(crate) fn save<F: Frozen>(
        &self,
        epoch: Epoch,
        stream: &StreamId,
        snapshot: &Snapshot<F>,
    ) -> io::Result<()> {
        let Some(path) = self.path(stream) else { return Ok(()) };
        let stored = Stored {
            format: FORMAT,
            epoch,
            stream: stream.clone(),
            revision: snapshot.revision,
            position: snapshot.position,
            state: snapshot.frozen.store()?.into(),
        };
        let body = postcard::to_stdvec(&stored).map_err(io::Error::other)?;
        let mut bytes = blake3::hash(&body).as_bytes().to_vec();
        bytes.extend_from_slice(&body);
        let draft = path.with_extension("new");
        fs::write(&draft, bytes)?;
        fs::rename(draft, path)
    }

    /// Removes the snapshot of `stream`, because it has content that must be erased.
    pub(crate) fn forget(&self, stream: &StreamId) -> io::Result<()> {
        let Some(path) = self.path(stream) else { return Ok(()) };
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn path(&self, stream: &StreamId) -> Option<PathBuf> {
        let folder = self.folder.as_ref()?;
        matches!(stream.split(), Some((StreamKind::Room | StreamKind::User, _))).then_some(())?;
        let name = blake3::hash(stream.as_str().as_bytes()).to_hex();
        Some(folder.join(format!("{}.state", &name.as_str()[..32])))
    }
}

fn decode(bytes: &[u8]) -> Option<Stored> {
    let (hash, body) = bytes.split_at_checked(32)?;
    (blake3::hash(body).as_bytes() == hash).then_some(())?;
    let stored: Stored = postcard::from_bytes(body).ok()?;
    (stored.format == FORMAT).then_some(stored)
}
