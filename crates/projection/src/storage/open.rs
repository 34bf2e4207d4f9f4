//! Opening the models: from their snapshots if these are intact, otherwise from the log.

use std::{fs, io, path::Path, sync::Arc};

use parking_lot::RwLock;
use rookery_log::{EventLog, PAGE_MAX, Position, ReadError, Scope};
use rookery_work::Lock;
use tokio::sync::watch;

use super::{generation, save::save};
use crate::{
    Options, Progress, ReadModels, RebuildError,
    commits::{Cache, Gathered, decode},
    core::Core,
    models::Models,
    rebuild,
};

/// The models cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory cannot be used.
    #[error("the directory of the read models cannot be used: {0}")]
    Directory(#[from] io::Error),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// The models had to be rebuilt, and the rebuild failed.
    #[error(transparent)]
    Rebuild(#[from] RebuildError),
}

impl ReadModels {
    /// Opens the models in `dir` (created if need be), and brings them to the end of the log.
    ///
    /// A snapshot that is missing, damaged, of another version, of another log or ahead of this one
    /// is refused by name in the server's log. The models are then rebuilt, with calls of
    /// `progress`.
    ///
    /// # Errors
    /// [`OpenError`] if the directory or the log cannot be used.
    pub async fn open(
        log: Arc<dyn EventLog>,
        dir: &Path,
        options: Options,
        progress: impl Fn(Progress) + Send + Sync,
    ) -> Result<Self, OpenError> {
        fs::create_dir_all(dir)?;
        let tail = *log.tail().borrow();
        let mut built = None;
        let models = if let Some(mut models) = load(&*log, dir, tail)? {
            level(&*log, &mut models).await?;
            models
        } else {
            let (number, path) = generation::begin(dir)?;
            let threads = options.threads();
            let models = rebuild::build(&*log, &path, tail, threads, &progress).await?;
            built = Some(number);
            models
        };
        let opened = Self::of(log, dir, options, models);
        if let Some(number) = built {
            save(&opened.core)?;
            generation::switch(dir, number)?;
        }
        opened.catch_up().await?;
        Ok(opened)
    }

    fn of(log: Arc<dyn EventLog>, dir: &Path, options: Options, models: Models) -> Self {
        let core = Core {
            log,
            dir: dir.to_owned(),
            cache: Cache::new(&options),
            gathered: Gathered::default(),
            observers: RwLock::default(),
            options,
            checkpoint: watch::Sender::new(models.position),
            models: RwLock::new(models),
            projecting: Lock::default(),
            saving: Lock::default(),
            rebuilding: Lock::default(),
            progress: parking_lot::Mutex::default(),
        };
        Self { core: Arc::new(core) }
    }
}

/// The models of the current generation, unless one of them has to be refused.
fn load(log: &dyn EventLog, dir: &Path, tail: Position) -> io::Result<Option<Models>> {
    let Some(number) = generation::current(dir)? else { return Ok(None) };
    match generation::load(&generation::path(dir, number), log.epoch(), tail) {
        Ok(models) => Ok(Some(models)),
        Err(refused) => {
            for refused in refused {
                tracing::warn!(
                    model = refused.model,
                    "the snapshot of a read model is refused, the models are rebuilt: {}",
                    refused.error,
                );
            }
            Ok(None)
        }
    }
}

/// Brings models with different checkpoints to one position.
async fn level(log: &dyn EventLog, models: &mut Models) -> Result<(), ReadError> {
    let (mut lowest, highest) = models.span();
    while lowest < highest {
        let limit = usize::try_from(highest.0 - lowest.0).unwrap_or(PAGE_MAX).min(PAGE_MAX);
        let records = log.read(&Scope::All, lowest, limit).await?;
        let Some(last) = records.last() else { break };
        lowest = last.position;
        for commit in decode(log, &records).await? {
            models.apply(&commit);
        }
    }
    models.position = highest;
    Ok(())
}
