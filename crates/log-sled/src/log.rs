//! The port of the event log, implemented with sled.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread,
};

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use rookery_log::{
    Appending, Backlog, CommandId, Commit, Epoch, ErasableLog, EraseError, EventLog, Guard, Hash,
    Head, PAGE_MAX, PageBytes, Position, ReadError, Record, Scope, StreamId, Unavailable,
};
use tokio::{runtime::Handle, sync::watch};

use crate::{
    OpenError, SledOptions,
    engine::{records::Records as _, store::Store},
    files::head,
    format::Draft,
    open::{self, Opened, Prepared, recover::End},
    slot::Slot,
    threads,
    wake::{self, Answer},
    writer::{InFlight, Job, Reply, Writer, recent::Recent},
};

/// Reads of more records than this run on a thread that may block.
const INLINE_MAX: usize = 64;

/// The state that the writer thread and the readers share.
pub(crate) struct Shared {
    pub(crate) epoch: Epoch,
    /// The open engine.
    pub(crate) slot: Slot,
    pub(crate) recent: Recent,
    end: Mutex<End>,
    tail: watch::Sender<Position>,
    fault: watch::Sender<Option<Unavailable>>,
    broken: Mutex<Option<Unavailable>>,
    in_flight: Arc<InFlight>,
}

impl Shared {
    /// Shows readers the log up to `end`, which is on stable storage.
    pub(crate) fn publish(&self, end: End) {
        *self.end.lock() = end;
        wake::replace(&self.tail, end.position);
    }

    /// The reason why the log accepts no writes until it was opened again, if there is one.
    pub(crate) fn broken(&self) -> Option<Unavailable> {
        self.broken.lock().clone()
    }

    /// Stops writes until the log was opened again. The first reason stays.
    pub(crate) fn break_down(&self, unavailable: Unavailable) -> Unavailable {
        let first = self.broken.lock().get_or_insert(unavailable).clone();
        self.set_fault(Some(first.clone()));
        first
    }

    /// Replaces the reason why the log accepts no writes; `None` lets it write again.
    pub(crate) fn set_broken(&self, unavailable: Option<Unavailable>) {
        self.broken.lock().clone_from(&unavailable);
        self.set_fault(unavailable);
    }

    /// Reports whether the log accepts writes.
    pub(crate) fn set_fault(&self, fault: Option<Unavailable>) {
        if *self.fault.borrow() != fault {
            wake::replace(&self.fault, fault);
        }
    }

    /// The end of the log for readers.
    pub(crate) fn published(&self) -> Position {
        self.end().position
    }

    pub(crate) fn end(&self) -> End {
        *self.end.lock()
    }

    fn record(&self, store: &Store, position: Position) -> Result<Arc<Record>, ReadError> {
        if let Some(record) = self.recent.get(position) {
            return Ok(record);
        }
        let record = store.record(position)?.map(Arc::new);
        record
            .ok_or_else(|| ReadError::Damaged { position, damage: "the record is missing".into() })
    }

    fn read(
        &self,
        store: &Store,
        scope: &Scope,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Arc<Record>>, ReadError> {
        let tail = self.end().position;
        if after >= tail || limit == 0 {
            return Ok(Vec::new());
        }
        match scope {
            Scope::All => match self.recent.page(after, tail, limit) {
                Some(page) => Ok(page),
                None => store.page(after, tail, limit),
            },
            Scope::Stream(stream) => self.read_stream(store, stream, after, tail, limit),
        }
    }

    fn read_stream(
        &self,
        store: &Store,
        stream: &StreamId,
        mut after: Position,
        tail: Position,
        limit: usize,
    ) -> Result<Vec<Arc<Record>>, ReadError> {
        let (mut page, mut bytes) = (Vec::new(), PageBytes::default());
        loop {
            let wanted = limit - page.len();
            let positions = store.positions(stream, after, tail, wanted);
            let positions = positions.map_err(|error| error.at(after.next()))?;
            for position in &positions {
                let record = self.record(store, *position)?;
                // The index names streams by a hash; the record has the name.
                if record.commit.stream == *stream {
                    let is_full = bytes.add(&record);
                    page.push(record);
                    if is_full {
                        return Ok(page);
                    }
                }
            }
            match positions.last() {
                Some(last) if positions.len() == wanted && page.len() < limit => after = *last,
                _ => return Ok(page),
            }
        }
    }
}

/// A log that may be opened. Its folder is locked, and no file was changed.
pub struct PreparedLog {
    dir: PathBuf,
    options: SledOptions,
    prepared: Prepared,
}

impl PreparedLog {
    /// Whether opening the log may bring back erased content. That is so if its end is torn,
    /// because an erasure changes only the record. Then erase the content again.
    #[must_use]
    pub fn erasures_in_doubt(&self) -> bool {
        self.prepared.erasures_in_doubt()
    }

    /// Opens the log.
    ///
    /// # Errors
    /// [`OpenError`] names the obstacle and the way out.
    pub fn open(self) -> Result<SledLog, OpenError> {
        let Self { dir, options, prepared } = self;
        let opened = prepared.open(&dir, &options)?;
        SledLog::start(&dir, options, opened)
    }
}

/// The event log in a folder, on sled.
///
/// Dropping it answers the started appends, writes the anchor and closes the engine.
pub struct SledLog {
    shared: Arc<Shared>,
    jobs: mpsc::Sender<Job>,
    thread: Option<thread::JoinHandle<()>>,
}

impl SledLog {
    /// Opens the log in `dir`, or creates one there.
    ///
    /// # Errors
    /// [`OpenError`] names the obstacle and the way out. A log that lacks acknowledged commits is
    /// never opened.
    pub fn open(dir: &Path, options: SledOptions) -> Result<Self, OpenError> {
        Self::prepare(dir, options)?.open()
    }

    /// Locks the folder `dir` and checks whether its log may be opened, without a change to any
    /// file. A caller that opens more than a log prepares everything before it opens anything.
    ///
    /// # Errors
    /// [`OpenError`], as from [`Self::open`].
    pub fn prepare(dir: &Path, options: SledOptions) -> Result<PreparedLog, OpenError> {
        let prepared = open::prepare(dir, &options)?;
        Ok(PreparedLog { dir: dir.to_owned(), options, prepared })
    }

    fn start(dir: &Path, options: SledOptions, opened: Opened) -> Result<Self, OpenError> {
        let Opened { epoch, store, end } = opened;
        let head_file = head::Writer::open(dir)?;
        let store = Arc::new(store);
        let shared = Arc::new(Shared {
            epoch,
            slot: Slot::new(Arc::clone(&store)),
            recent: Recent::new(options.recent_bytes),
            end: Mutex::new(end),
            tail: watch::Sender::new(end.position),
            fault: watch::Sender::new(None),
            broken: Mutex::new(None),
            in_flight: Arc::default(),
        });
        let on_panic = Arc::clone(&options.on_panic);
        let (jobs, queue) = mpsc::channel();
        let writer =
            Writer::new(Arc::clone(&shared), store, dir.to_owned(), options, head_file, end);
        let known = Arc::clone(&shared);
        let after_panic = move || {
            let reason = "the writer of the log has stopped: restart the server".into();
            let unavailable = known.break_down(Unavailable { reason });
            known.slot.abandon(unavailable);
        };
        let work = move || writer.run(&queue);
        let thread = threads::start("rookery-log", on_panic, work, after_panic);
        let thread = thread.map_err(OpenError::io("start a thread for", dir))?;
        Ok(Self { shared, jobs, thread: Some(thread) })
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(crate) fn send(&self, job: Job) -> Result<(), Unavailable> {
        self.jobs.send(job).map_err(|_| self.shared.broken().unwrap_or_else(closed))
    }

    /// Runs `work` on a thread that may block.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared, &Store) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let store = self.shared.slot.get().await?;
        let Ok(runtime) = Handle::try_current() else {
            return work(&self.shared, &store);
        };
        let shared = Arc::clone(&self.shared);
        let result = runtime.spawn_blocking(move || work(&shared, &store)).await;
        result.unwrap_or_else(|error| {
            let reason = format!("the read was interrupted: {error}").into();
            Err(Unavailable { reason }.into())
        })
    }
}

/// The error when no thread answers. It holds no reference to the log, which may be gone.
pub(crate) fn closed() -> Unavailable {
    Unavailable { reason: "the log has been closed".into() }
}

impl Drop for SledLog {
    fn drop(&mut self) {
        // If the thread has ended, no one receives this.
        drop(self.jobs.send(Job::Close));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

#[async_trait]
impl EventLog for SledLog {
    fn epoch(&self) -> Epoch {
        self.shared.epoch
    }

    fn append(&self, commit: Commit, guard: Guard) -> Appending {
        let (answer, outcome) = Answer::channel();
        let draft = Draft::of(&commit);
        let answer = Reply { answer, bytes: self.shared.in_flight.add(draft.len()) };
        let sent = self.send(Job::Append { commit, guard, draft, answer });
        Box::pin(async move {
            sent?;
            outcome.await.unwrap_or_else(|_| Err(closed().into()))
        })
    }

    fn backlog(&self) -> Option<Backlog> {
        self.shared.in_flight.backlog()
    }

    async fn read(
        &self,
        scope: &Scope,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Arc<Record>>, ReadError> {
        let limit = limit.min(PAGE_MAX);
        let end = self.shared.end().position;
        if *scope == Scope::All
            && after < end
            && let Some(page) = self.shared.recent.page(after, end, limit)
        {
            return Ok(page);
        }
        if limit <= INLINE_MAX || after >= end {
            let store = self.shared.slot.get().await?;
            return self.shared.read(&store, scope, after, limit);
        }
        let scope = scope.clone();
        self.blocking(move |shared, store| shared.read(store, &scope, after, limit)).await
    }

    async fn get(&self, positions: &[Position]) -> Result<Vec<Arc<Record>>, ReadError> {
        let tail = self.shared.end().position;
        let there = |position: &&Position| (Position(1)..=tail).contains(position);
        if positions.len() <= INLINE_MAX {
            let store = self.shared.slot.get().await?;
            let wanted = positions.iter().filter(there);
            return wanted.map(|position| self.shared.record(&store, *position)).collect();
        }
        let wanted: Vec<_> = positions.iter().filter(there).copied().collect();
        self.blocking(move |shared, store| {
            wanted.into_iter().map(|position| shared.record(store, position)).collect()
        })
        .await
    }

    async fn head(&self, stream: &StreamId) -> Result<Head, ReadError> {
        let store = self.shared.slot.get().await?;
        let last = store.last_of(stream, self.shared.end().position)?;
        Ok(last.map(|record| record.head()).unwrap_or_default())
    }

    async fn find(&self, command: CommandId) -> Result<Option<Position>, ReadError> {
        let store = self.shared.slot.get().await?;
        let made = store.made_by(command, self.shared.end().position)?;
        Ok(made.map(|record| record.position))
    }

    fn tail(&self) -> watch::Receiver<Position> {
        self.shared.tail.subscribe()
    }

    fn fault(&self) -> watch::Receiver<Option<Unavailable>> {
        self.shared.fault.subscribe()
    }

    async fn tail_hash(&self) -> Result<(Position, Hash), ReadError> {
        let End { position, hash } = self.shared.end();
        Ok((position, hash))
    }
}

#[async_trait]
impl ErasableLog for SledLog {
    async fn erase(&self, position: Position, index: usize, left: Bytes) -> Result<(), EraseError> {
        let (answer, outcome) = Answer::channel();
        self.send(Job::Erase { position, index, left, answer })?;
        outcome.await.unwrap_or_else(|_| Err(closed().into()))
    }
}
