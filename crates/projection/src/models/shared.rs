//! What the streams of a model have in common beside their rows: indexes and files.

use std::io;

use serde::{Serialize, de::DeserializeOwned};

use super::{Rows, StreamKey};

/// An index over all rows of a model, or the file in which they keep their bulk.
///
/// **Invariant:** an index follows from the rows, so it is not saved but made anew.
pub(crate) trait Shared<F>: Send + Sync {
    /// What a snapshot has to say about it.
    type Saved: Serialize + DeserializeOwned;

    /// Notes a row that was read from a snapshot, or folded beside the model.
    fn added(&mut self, key: StreamKey, row: &F);
    /// Forgets a row that is about to be replaced.
    fn removed(&mut self, key: StreamKey, row: Option<&F>);
    /// Takes over what `other` has for `rows`.
    fn merge(&mut self, other: Self, rows: &mut Rows<F>);
    /// What [`Self::Saved`] has to be for the present rows, whose bulk has to be in its file now
    /// (though not yet synced).
    fn save(&self) -> io::Result<Self::Saved>;
}

/// Nothing in common.
impl<F> Shared<F> for () {
    type Saved = ();

    fn added(&mut self, _: StreamKey, _: &F) {}
    fn removed(&mut self, _: StreamKey, _: Option<&F>) {}
    fn merge(&mut self, (): Self, _: &mut Rows<F>) {}
    fn save(&self) -> io::Result<()> {
        Ok(())
    }
}
