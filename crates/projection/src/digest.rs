//! Digests, which prove that two sets of models have the same rows.
//!
//! **Invariant:** a digest depends only on the rows, not on their distribution over memory, blocks
//! and files, nor on the times of snapshots.

use std::{io, path::Path};

use rookery_log::{Hash, Position};

use crate::{
    ReadModels, RebuildError,
    models::{Models, Still},
    rebuild,
};

/// How often a verification is repeated because events were redacted meanwhile.
const ATTEMPTS_MAX: usize = 4;

/// The digest of each model at one position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digests {
    /// The position of the models.
    pub position: Position,
    /// Name and BLAKE3 digest of each model.
    pub models: Vec<(&'static str, Hash)>,
}

/// A model whose rows differ from those of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its name.
    pub model: &'static str,
    /// The digest of the served rows.
    pub served: Hash,
    /// The digest of a fresh rebuild.
    pub rebuilt: Hash,
}

/// All rows at one moment, readable while the models continue.
struct StillModels {
    position: Position,
    models: Vec<(&'static str, Still)>,
}

impl Models {
    fn still(&self) -> StillModels {
        let models = self.each().into_iter().map(|model| (model.name(), model.still()));
        StillModels { position: self.position, models: models.collect() }
    }
}

impl StillModels {
    fn digest(self) -> io::Result<Digests> {
        let models = self.models.into_iter().map(|(name, still)| Ok((name, still.digest()?)));
        Ok(Digests { position: self.position, models: models.collect::<io::Result<_>>()? })
    }
}

impl ReadModels {
    /// The digests of all models at one position. They are locked only for a moment.
    ///
    /// # Errors
    /// If a file of the models cannot be read.
    pub async fn digest(&self) -> io::Result<Digests> {
        let still = self.core.models.read().still();
        tokio::task::spawn_blocking(|| still.digest()).await.map_err(io::Error::other)?
    }

    /// Folds the log again up to the position of the models, and returns the models with different
    /// rows. An empty list means that the served rows are those of the log.
    ///
    /// # Errors
    /// [`RebuildError`] if the log or the files cannot be read.
    #[expect(
        clippy::await_holding_invalid_type,
        reason = "an operator's command runs it in a task of its own"
    )]
    pub async fn verify(
        &self,
        progress: impl Fn(crate::Progress) + Send + Sync,
    ) -> Result<Vec<Difference>, RebuildError> {
        let _rebuilding = self.core.rebuilding.lock().await;
        for _ in 1..ATTEMPTS_MAX {
            let (served, redactions) = (self.digest().await?, self.redaction_count());
            let differences = self.compare(served, &progress).await?;
            // Content that was redacted meanwhile was served and is missing in the rebuild. The log
            // erases it just before the models see its redaction.
            while self.step().await? > 0 {}
            if differences.is_empty() || self.redaction_count() == redactions {
                return Ok(differences);
            }
        }
        let served = self.digest().await?;
        self.compare(served, &progress).await
    }

    fn redaction_count(&self) -> usize {
        let models = self.core.models.read();
        models.redactions.rows.values().map(|row| row.value.len()).sum()
    }

    async fn compare(
        &self,
        served: Digests,
        progress: &(dyn Fn(crate::Progress) + Send + Sync),
    ) -> Result<Vec<Difference>, RebuildError> {
        let dir = self.core.dir.join("verify");
        clear(&dir)?;
        std::fs::create_dir_all(&dir)?;
        let threads = self.core.options.threads();
        let log = &*self.core.log;
        let models = rebuild::build(log, &dir, served.position, threads, progress).await?;
        let still = models.still();
        drop(models);
        let rebuilt = tokio::task::spawn_blocking(|| still.digest());
        let rebuilt = rebuilt.await.map_err(io::Error::other)??;
        clear(&dir)?;
        let pairs = served.models.into_iter().zip(rebuilt.models);
        let differences = pairs.filter(|(served, rebuilt)| served.1 != rebuilt.1);
        Ok(differences
            .map(|(served, rebuilt)| Difference {
                model: served.0,
                served: served.1,
                rebuilt: rebuilt.1,
            })
            .collect())
    }
}

fn clear(dir: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
