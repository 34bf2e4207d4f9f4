//! Digests, which prove that two sets of models have the same rows.
//!
//! **Invariant:** a digest depends only on the rows, not on their distribution over memory, blocks
//! and files, nor on the times of snapshots.

use std::{collections::BTreeMap, io, path::Path};

use rookery_log::{Hash, Position};
use serde::Serialize;

use crate::{
    ReadModels, RebuildError,
    models::{Fold, Folded, Frozen, Models, Parked, Rows, StreamKey},
    rebuild,
    timeline::{BlockStore, RoomTimeline},
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
struct Still {
    position: Position,
    small: Vec<(&'static str, Hash)>,
    rows: Rows<RoomTimeline>,
    parked: BTreeMap<StreamKey, Parked>,
    store: BlockStore,
    events: Frozen,
}

impl Models {
    fn still(&self) -> Still {
        let small = vec![
            small(&self.summaries),
            small(&self.memberships),
            small(&self.profiles),
            small(&self.aliases),
            small(&self.relations),
            small(&self.actions),
            small(&self.filters),
            small(&self.redactions),
            small(&self.receipts),
            small(&self.unread),
        ];
        Still {
            position: self.position,
            small,
            rows: self.timelines.rows.clone(),
            parked: self.timelines.parked.clone(),
            store: self.timelines.shared.frozen(),
            events: self.events.frozen(),
        }
    }
}

fn small<F: Fold>(folded: &Folded<F>) -> (&'static str, Hash) {
    let mut hasher = blake3::Hasher::new();
    for row in &folded.rows {
        add(&mut hasher, &row);
    }
    add(&mut hasher, &folded.parked);
    (F::NAME, Hash(*hasher.finalize().as_bytes()))
}

fn add(hasher: &mut blake3::Hasher, value: &impl Serialize) {
    hasher.update(&postcard::to_stdvec(value).expect("plain data serialises"));
}

impl Still {
    fn digest(self) -> io::Result<Digests> {
        let mut models = self.small;
        let mut hasher = blake3::Hasher::new();
        for (key, row) in &self.rows {
            let timeline = &row.value;
            let rows = timeline.reader(&self.store).after(None, usize::MAX)?;
            let count = timeline.count();
            add(&mut hasher, &(key, row.applied, row.sequence, timeline.slots(), count, rows));
        }
        add(&mut hasher, &self.parked);
        models.push((RoomTimeline::NAME, Hash(*hasher.finalize().as_bytes())));
        let mut hasher = blake3::Hasher::new();
        for entry in self.events.iter() {
            add(&mut hasher, &entry?);
        }
        models.push((crate::models::EventIndex::NAME, Hash(*hasher.finalize().as_bytes())));
        Ok(Digests { position: self.position, models })
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
