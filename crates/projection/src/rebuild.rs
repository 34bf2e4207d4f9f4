//! Rebuilds all models from the log, in parallel and beside the serving ones.
//!
//! One task reads the log and distributes its commits by stream. Each worker decodes and folds its
//! share into models of its own, which are merged at the end. No two workers ever touch the same
//! stream, so the result does not depend on the number of workers.

use std::{
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use rookery_log::{EventLog, PAGE_MAX, Position, ReadError, Record, Scope};
use tokio::sync::{mpsc, oneshot};

use crate::{
    Committed, ReadModels,
    commits::{Restated, decode},
    models::{AnyModel, Directory, Models, StreamKey},
    storage::{generation, save},
};

/// Pages that may wait for a worker.
const QUEUE_PAGES: usize = 4;

/// When a rebuild is at most this far behind, it stops the projector and takes the last steps
/// alone.
const TAKEOVER_COMMITS: u64 = 512;

/// The progress of a rebuild.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Commits read.
    pub done: u64,
    /// Commits to read in all.
    pub total: u64,
    /// Events read.
    pub events: u64,
    /// Events read in a second, on average.
    pub events_per_second: f64,
    /// The estimated time left.
    pub seconds_left: f64,
}

/// The result of a rebuild.
#[derive(Clone, Copy, Debug)]
pub struct Rebuilt {
    /// The position at which the new models took over.
    pub position: Position,
    /// The events read.
    pub events: u64,
    /// How long it took.
    pub duration: Duration,
}

/// A rebuild failed. The serving models are unchanged.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// The files of the new models cannot be written.
    #[error("the new read models cannot be written: {0}")]
    Files(#[from] io::Error),
    /// The log ended before the target position.
    #[error("the log ends at {tail}, before position {until}")]
    Short {
        /// The target.
        until: Position,
        /// The end of the log.
        tail: Position,
    },
    /// A worker stopped without an answer.
    #[error("a worker of the rebuild panicked")]
    Worker,
}

/// Records of one worker, with the events that they name.
struct WorkerPage {
    records: Vec<(StreamKey, Arc<Record>)>,
    restated: Arc<Restated>,
}

struct Worker {
    pages: mpsc::Sender<WorkerPage>,
    outcome: oneshot::Receiver<io::Result<Models>>,
}

impl Worker {
    fn start(dir: &Path, part: usize) -> io::Result<Self> {
        let mut models = Models::create(dir, part)?;
        let (pages, mut inbox) = mpsc::channel::<WorkerPage>(QUEUE_PAGES);
        let (answer, outcome) = oneshot::channel();
        let work = move || {
            while let Some(page) = inbox.blocking_recv() {
                for (key, record) in page.records {
                    models.apply_at(key, &Committed::decode(&record, &page.restated));
                }
            }
            // A caller that does not wait for the answer has given up the rebuild.
            let _gone = answer.send(Ok(models));
        };
        thread::Builder::new().name(format!("rebuild-{part}")).spawn(work)?;
        Ok(Self { pages, outcome })
    }
}

/// Folds the log up to `until` into new models in `dir`, which is empty.
pub(crate) async fn build(
    log: &dyn EventLog,
    dir: &Path,
    until: Position,
    threads: usize,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Models, RebuildError> {
    let workers = (0..threads.max(1)).map(|part| Worker::start(dir, part));
    let workers = workers.collect::<io::Result<Vec<_>>>()?;
    let mut directory = Directory::default();
    deal(log, until, &workers, &mut directory, progress).await?;
    let mut whole: Option<Models> = None;
    for worker in workers {
        drop(worker.pages);
        let models = worker.outcome.await.map_err(|_| RebuildError::Worker)??;
        match &mut whole {
            None => whole = Some(models),
            Some(whole) => whole.merge(models),
        }
    }
    let mut models = whole.ok_or(RebuildError::Worker)?;
    models.directory = directory;
    models.reach(until);
    models.each_mut().into_iter().try_for_each(AnyModel::finish_rebuild)?;
    Ok(models)
}

/// Reads the log, and gives each commit to the worker of its stream.
async fn deal(
    log: &dyn EventLog,
    until: Position,
    workers: &[Worker],
    directory: &mut Directory,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<(), RebuildError> {
    let started = Instant::now();
    let (mut at, mut events) = (Position::ORIGIN, 0);
    while at < until {
        let limit = usize::try_from(until.0 - at.0).unwrap_or(PAGE_MAX).min(PAGE_MAX);
        let records = log.read(&Scope::All, at, limit).await?;
        at = records.last().ok_or(RebuildError::Short { until, tail: at })?.position;
        let restated = Arc::new(Restated::fetch(log, &records).await?);
        let page = |_| WorkerPage { records: Vec::new(), restated: Arc::clone(&restated) };
        let mut pages: Vec<WorkerPage> = workers.iter().map(page).collect();
        for record in records {
            events += record.commit.events.len() as u64;
            let key = directory.enter(&record.commit.stream, record.position);
            pages[share(key, workers.len())].records.push((key, record));
        }
        for (worker, page) in workers.iter().zip(pages) {
            worker.pages.send(page).await.map_err(|_| RebuildError::Worker)?;
        }
        progress(Progress::new(at, until, events, started));
    }
    Ok(())
}

/// The worker of a stream. Keys grow unevenly, so they are mixed first (Fibonacci hashing).
fn share(key: StreamKey, workers: usize) -> usize {
    let mixed = key.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    usize::try_from(mixed).unwrap_or(0) % workers
}

impl Progress {
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    fn new(at: Position, until: Position, events: u64, started: Instant) -> Self {
        let seconds = started.elapsed().as_secs_f64().max(1e-9);
        Self {
            done: at.0,
            total: until.0,
            events,
            events_per_second: events as f64 / seconds,
            seconds_left: seconds / (at.0.max(1) as f64) * (until.0 - at.0) as f64,
        }
    }
}

impl ReadModels {
    /// Builds new models beside the serving ones, and switches to them when they have caught up.
    /// The old ones stay on disk until the next rebuild ([`roll_back`](crate::roll_back)). A
    /// rebuild also retries parked streams.
    ///
    /// It works the same without a running server: open the models, then rebuild.
    ///
    /// # Errors
    /// [`RebuildError`]; the models are unchanged.
    #[expect(
        clippy::await_holding_invalid_type,
        reason = "an operator's command runs it in a task of its own"
    )]
    pub async fn rebuild(
        &self,
        progress: impl Fn(Progress) + Send + Sync,
    ) -> Result<Rebuilt, RebuildError> {
        let core = &self.core;
        let _rebuilding = core.rebuilding.lock().await;
        let shown = Arc::new(Mutex::new(None));
        *core.progress.lock() = Arc::downgrade(&shown);
        let started = Instant::now();
        let events = AtomicU64::new(0);
        let count = |report: Progress| {
            events.store(report.events, Ordering::Relaxed);
            *shown.lock() = Some(report);
            progress(report);
        };
        let (number, dir) = generation::begin(&core.dir)?;
        let until = self.checkpoint_now();
        let threads = core.options.threads();
        let mut models = build(&*core.log, &dir, until, threads, &count).await?;
        // Most new commits are folded while the projector runs, the rest alone.
        while self.checkpoint_now().0 - models.position.0 > TAKEOVER_COMMITS {
            catch_up(&*core.log, &mut models, self.checkpoint_now()).await?;
        }
        let saving = core.saving.lock_owned().await;
        let position = {
            let _projecting = core.projecting.lock().await;
            let checkpoint = self.checkpoint_now();
            catch_up(&*core.log, &mut models, checkpoint).await?;
            let old = std::mem::replace(&mut *core.models.write(), models);
            drop(old);
            self.reset_observers();
            checkpoint
        };
        let shared = Arc::clone(core);
        let saved = tokio::task::spawn_blocking(move || {
            let _saving = saving;
            save::save(&shared)?;
            generation::switch(&shared.dir, number)
        });
        saved.await.map_err(io::Error::other)??;
        let events = events.into_inner();
        Ok(Rebuilt { position, events, duration: started.elapsed() })
    }
}

impl ReadModels {
    /// The progress of the rebuild that runs, however it was started; `None` if none does.
    #[must_use]
    pub fn rebuilding(&self) -> Option<Progress> {
        *self.core.progress.lock().upgrade()?.lock()
    }
}

/// Continues to fold, up to `until`.
async fn catch_up(
    log: &dyn EventLog,
    models: &mut Models,
    until: Position,
) -> Result<(), RebuildError> {
    while models.position < until {
        let left = usize::try_from(until.0 - models.position.0).unwrap_or(PAGE_MAX);
        let records = log.read(&Scope::All, models.position, left.min(PAGE_MAX)).await?;
        if records.is_empty() {
            return Err(RebuildError::Short { until, tail: models.position });
        }
        for commit in decode(log, &records).await? {
            models.apply(&commit);
        }
    }
    Ok(())
}
