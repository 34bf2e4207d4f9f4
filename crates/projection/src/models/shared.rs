//! Data that the streams of a model share beside their rows: indexes and files.

use std::{fs::File, io, path::Path, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};

use super::{Rows, StreamKey};

/// An index over all rows of a model, or the file that holds their bulk.
///
/// **Invariant:** an index follows from the rows, so it is built again and not saved.
pub(crate) trait Shared<F>: Sized + Send + Sync {
    /// Its data for a snapshot.
    type Saved: Serialize + DeserializeOwned;

    /// The data of a model without rows, of worker `part` if a rebuild has several.
    fn create(dir: &Path, part: usize) -> io::Result<Self>;

    /// The data of a snapshot, before its rows are added.
    fn open(dir: &Path, _saved: Self::Saved) -> io::Result<Self> {
        Self::create(dir, 0)
    }

    /// Adds a row that was read from a snapshot, or folded separately.
    fn added(&mut self, key: StreamKey, row: &F);
    /// Removes a row that is about to be replaced.
    fn removed(&mut self, key: StreamKey, row: Option<&F>);
    /// Takes over the data of `other` for `rows`.
    fn merge(&mut self, other: Self, rows: &mut Rows<F>);
    /// The data for a snapshot of the present rows. Their bulk has to be in its file by now (though
    /// not yet synced).
    fn save(&self) -> io::Result<Self::Saved>;

    /// Handles of the files, to sync them without a lock on the model.
    fn files(&self) -> Vec<Arc<File>> {
        Vec::new()
    }
}

/// Shares nothing.
impl<F> Shared<F> for () {
    type Saved = ();

    fn create(_: &Path, _: usize) -> io::Result<Self> {
        Ok(())
    }

    fn added(&mut self, _: StreamKey, _: &F) {}
    fn removed(&mut self, _: StreamKey, _: Option<&F>) {}
    fn merge(&mut self, (): Self, _: &mut Rows<F>) {}
    fn save(&self) -> io::Result<()> {
        Ok(())
    }
}
