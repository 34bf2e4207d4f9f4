//! The interface of a read model to the registry.
//!
//! [`Model`] has what is known at compile time, and the application of commits: the projector calls
//! it for each commit, so it is not dynamic. [`AnyModel`] has the rest: snapshots, digests and
//! retries go over all models and do not name them.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rookery_log::{Hash, Position};
use serde::Serialize;

use super::{Draft, Parked, StreamKey};
use crate::Committed;

/// A read model. Most are a [`Folded`](super::Folded) of a row.
pub(crate) trait Model: AnyModel + Sized {
    /// Part of the stored format, and the name for operators.
    const NAME: &'static str;
    /// Part of the stored format: a change of the rows or of their meaning needs a new version.
    const VERSION: u32;

    /// The model of an empty log, with its files in `dir`. A rebuild has several, identified by
    /// `part`.
    fn create(dir: &Path, part: usize) -> io::Result<Self>;

    /// Opens a snapshot with this body ([`Finished::body`]), whose files are in `dir`.
    fn load(dir: &Path, body: &[u8], checkpoint: Position) -> io::Result<Self>;

    /// Applies a commit, unless the model has applied it, and moves the checkpoint past it.
    fn apply(&mut self, key: StreamKey, committed: &Committed);

    /// Takes over the rows of another worker of the same rebuild, which has other streams.
    fn merge(&mut self, other: Self);
}

/// A read model whose type is not known.
pub(crate) trait AnyModel: Send + Sync {
    /// See [`Model::NAME`].
    fn name(&self) -> &'static str;

    /// See [`Model::VERSION`].
    fn version(&self) -> u32;

    /// The last commit that the model has applied, whatever its stream.
    fn checkpoint(&self) -> Position;

    /// Records that all commits up to `position` were applied.
    fn reach(&mut self, position: Position);

    /// Begins a snapshot; `None` if the model has no rows that are written in pieces.
    fn begin_save(&mut self) -> Option<Draft> {
        None
    }

    /// The next piece of the rows of a snapshot; `None` after the last one. The model may go on
    /// between the pieces.
    fn next_piece(&self, _: &mut Draft) -> io::Result<Option<Vec<u8>>> {
        Ok(None)
    }

    /// Ends a snapshot.
    fn end_save(&mut self, draft: Option<&Draft>) -> io::Result<Finished>;

    /// The files that are no longer needed once a snapshot of this moment is on disk.
    fn take_retired(&mut self) -> Vec<PathBuf> {
        Vec::new()
    }

    /// Called once at the end of a rebuild, after all merges.
    fn finish_rebuild(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// All rows at this moment, for a digest while the model continues.
    fn still(&self) -> Still;

    /// The streams that the model has parked.
    fn parked(&self) -> Vec<Parked> {
        Vec::new()
    }

    /// Folds a parked stream again from all of its commits. `None` if the model has not parked it,
    /// and `false` if it parks the stream again.
    fn retry(&mut self, _key: StreamKey, _commits: &[Committed]) -> Option<bool> {
        None
    }
}

/// A snapshot whose rows are written.
pub(crate) struct Finished {
    /// A start applies the commits after this one again.
    pub(crate) from: Position,
    /// The last commit that a part of the snapshot has applied.
    pub(crate) reached: Position,
    /// The data of the model beside its rows.
    pub(crate) body: Vec<u8>,
    /// The files that have to be synced before the snapshot is written.
    pub(crate) files: Vec<Arc<File>>,
}

/// Opens models one by one. It may refuse some of them.
pub(crate) trait Source {
    /// The next model, or `None` if it is refused.
    fn open<M: Model>(&mut self) -> Option<M>;
}

/// The rows of a model at one moment, not yet digested.
pub(crate) struct Still(Box<AddRows>);

/// Gives the rows to a digester.
type AddRows = dyn FnOnce(&mut Digester) -> io::Result<()> + Send;

impl Still {
    /// Rows that `add` gives to the digester, without a lock on the models.
    pub(crate) fn new(add: impl FnOnce(&mut Digester) -> io::Result<()> + Send + 'static) -> Self {
        Self(Box::new(add))
    }

    /// The digest of the rows.
    pub(crate) fn digest(self) -> io::Result<Hash> {
        let mut digester = Digester::default();
        (self.0)(&mut digester)?;
        Ok(digester.finish())
    }
}

/// Makes a digest of rows, in the order in which it gets them.
#[derive(Clone, Default)]
pub(crate) struct Digester(blake3::Hasher);

impl Digester {
    pub(crate) fn add(&mut self, value: &impl Serialize) {
        self.0.update(&postcard::to_stdvec(value).expect("plain data serialises"));
    }

    fn finish(&self) -> Hash {
        Hash(*self.0.finalize().as_bytes())
    }
}
