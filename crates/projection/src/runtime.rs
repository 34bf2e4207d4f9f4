//! The projector: reads the log, applies commits to all models, then moves the checkpoint.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::RwLockReadGuard;
use rookery_log::{Epoch, EventLog, Position, ReadError, Scope};
use tokio::sync::watch;

use crate::{Committed, Models, commits::decode, core::Core};

/// Commits that are applied before readers get their turn: about a millisecond.
const BATCH_COMMITS: usize = 256;

/// How long the projector waits after the log could not be read.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The read models. Cheap to clone; all clones share the models.
#[derive(Clone)]
pub struct ReadModels {
    pub(crate) core: Arc<Core>,
}

/// The models have not reached the requested position in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the read models are at position {checkpoint}, not yet at {asked}")]
pub struct Stale {
    /// The requested position.
    pub asked: Position,
    /// The position of the models.
    pub checkpoint: Position,
}

impl ReadModels {
    /// Keeps the models up to date until `shutdown`, then saves them. Run it once.
    pub async fn run(&self, shutdown: impl Future<Output = ()> + Send) {
        let mut tail = self.core.log.tail();
        let mut saved = (self.checkpoint_now(), Instant::now());
        // A new version of the program may apply what the last one could not.
        let mut parked = self.parked_streams();
        tokio::pin!(shutdown);
        loop {
            let step = async {
                if let Some(stream) = parked.pop_first()
                    && let Err(error) = self.retry_stream(&stream).await
                {
                    tracing::error!("the parked stream {stream} cannot be retried: {error}");
                }
                match self.step().await {
                    Ok(0) => {
                        let checkpoint = self.checkpoint_now();
                        // A closed log does not grow: wait for the shutdown.
                        if tail.wait_for(|tail| *tail > checkpoint).await.is_err() {
                            std::future::pending::<()>().await;
                        }
                    }
                    Ok(_) => {}
                    Err(error) => {
                        tracing::error!("the projector cannot read on: {error}");
                        tokio::time::sleep(RETRY_AFTER).await;
                    }
                }
            };
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                () = step => {}
            }
            let (position, at) = saved;
            let new = self.checkpoint_now().0.saturating_sub(position.0);
            let options = &self.core.options;
            if new >= options.snapshot_commits
                || (new > 0 && at.elapsed() >= options.snapshot_interval)
            {
                saved = (self.checkpoint_now(), Instant::now());
                self.save_behind();
                self.core.observers.read().iter().for_each(|observer| observer.saving());
            }
        }
        if let Err(error) = self.save().await {
            tracing::error!("the read models could not be saved, the next start rebuilds: {error}");
        }
    }

    /// Applies up to a batch of the next commits. Returns their number.
    #[expect(
        clippy::await_holding_invalid_type,
        reason = "the projector runs in a task of its own"
    )]
    pub(crate) async fn step(&self) -> Result<usize, ReadError> {
        let _projecting = self.core.projecting.lock().await;
        let after = self.checkpoint_now();
        let records = self.core.log.read(&Scope::All, after, BATCH_COMMITS).await?;
        let commits = decode(&*self.core.log, &records).await?;
        let commits: Vec<_> = commits.into_iter().map(Arc::new).collect();
        self.apply(&commits);
        Ok(commits.len())
    }

    /// Applies in this order: rows, latest commits, redacted content, observers, checkpoint (which signals
    /// waiting readers), observers again.
    fn apply(&self, commits: &[Arc<Committed>]) {
        let Some(last) = commits.last() else { return };
        let observers = self.core.observers.read();
        {
            let mut models = self.core.models.write();
            for commit in commits {
                observers.iter().for_each(|observer| observer.before(&models, commit));
                models.apply(commit);
                observers.iter().for_each(|observer| observer.after(&models, commit));
            }
        }
        self.core.cache.push(commits);
        self.forget(commits);
        observers.iter().for_each(|observer| observer.applied(self, commits));
        self.core.checkpoint.send_replace(last.position);
        observers.iter().for_each(|observer| observer.moved());
    }

    /// Brings the models to the end of the log.
    ///
    /// # Errors
    /// [`ReadError`] if the log cannot be read.
    pub async fn catch_up(&self) -> Result<(), ReadError> {
        while self.step().await? > 0 {}
        Ok(())
    }

    /// The position of the models.
    #[must_use]
    pub fn checkpoint_now(&self) -> Position {
        *self.core.checkpoint.borrow()
    }

    /// Watches the position of the models. It only signals; it carries no commits.
    #[must_use]
    pub fn checkpoint(&self) -> watch::Receiver<Position> {
        self.core.checkpoint.subscribe()
    }

    /// Waits until the models are at `position` or later, so that a caller reads its own writes.
    ///
    /// # Errors
    /// [`Stale`] if they do not get there within `timeout`.
    pub async fn wait_for(&self, position: Position, timeout: Duration) -> Result<(), Stale> {
        let mut checkpoint = self.checkpoint();
        let reached = checkpoint.wait_for(|checkpoint| *checkpoint >= position);
        match tokio::time::timeout(timeout, reached).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(Stale { asked: position, checkpoint: self.checkpoint_now() }),
        }
    }

    /// Locks the models to read them at one position. Keep it short: the projector waits.
    pub fn read(&self) -> RwLockReadGuard<'_, Models> {
        self.core.models.read()
    }

    /// Whether a reader or the projector locks the models now. It checks that long reads release
    /// them.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.core.models.is_locked()
    }

    /// The log that the models are folded from.
    #[must_use]
    pub fn log(&self) -> &Arc<dyn EventLog> {
        &self.core.log
    }

    /// The epoch of the log.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.core.log.epoch()
    }
}
