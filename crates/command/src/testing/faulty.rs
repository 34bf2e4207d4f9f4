//! A log whose appends hang, fail, lose their answers or come late, as the test decides.
//!
//! **Invariant:** it keeps the promises of the port: appends are applied in the order in which they
//! were started, whatever their answers are and when they come.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::FutureExt;
use parking_lot::Mutex;
use rookery_log::{
    AppendError, Appended, Appending, CommandId, Commit, Epoch, ErasableLog, EraseError, EventLog,
    Guard, Hash, Head, MemoryLog, Position, ReadError, Record, Revision, Scope, StreamId,
    Unavailable,
};
use tokio::sync::{oneshot, watch};

/// The fate of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is decided as by every log, and answered.
    Write,
    /// It is decided, but the answer says that the outcome is unknown.
    LoseAnswer,
    /// Nothing is written, as on a full disk.
    Refuse,
    /// The answer says now that the outcome is unknown. The append keeps its place, and gets
    /// another fate later.
    Delay,
    /// The answer says that it was written, although it was not. No log may do so: for checks of
    /// checks.
    Pretend,
}

/// The handling of new appends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Pass,
    Hold,
    Refuse,
}

struct Waiting {
    commit: Commit,
    guard: Guard,
    answer: Option<oneshot::Sender<Result<Appended, AppendError>>>,
}

struct State {
    mode: Mode,
    waiting: VecDeque<Waiting>,
    reads_fail: bool,
    damaged: BTreeSet<Position>,
}

/// The log of one write side, over a log in memory that several may share.
pub struct FaultyLog {
    log: Arc<MemoryLog>,
    state: Mutex<State>,
}

impl FaultyLog {
    /// A log that behaves like `log` until a test changes that.
    #[must_use]
    pub fn new(log: &Arc<MemoryLog>) -> Arc<Self> {
        let state = State {
            mode: Mode::Pass,
            waiting: VecDeque::new(),
            reads_fail: false,
            damaged: BTreeSet::new(),
        };
        Arc::new(Self { log: Arc::clone(log), state: Mutex::new(state) })
    }

    /// Writes appends at once from now on, waiting ones first.
    pub fn pass(&self) {
        self.state.lock().mode = Mode::Pass;
        self.settle_all(Fate::Write);
    }

    /// Makes appends wait for [`Self::settle_next`] from now on.
    pub fn hold(&self) {
        self.state.lock().mode = Mode::Hold;
    }

    /// Simulates a full disk: refuses appends from now on. Waiting ones keep waiting.
    pub fn refuse(&self) {
        self.state.lock().mode = Mode::Refuse;
    }

    /// Sets whether reads fail.
    pub fn fail_reads(&self, fail: bool) {
        self.state.lock().reads_fail = fail;
    }

    /// Damages the record at `position` from now on.
    pub fn damage(&self, position: Position) {
        self.state.lock().damaged.insert(position);
    }

    /// How many appends have no final fate yet.
    pub fn waiting(&self) -> usize {
        self.state.lock().waiting.len()
    }

    /// Gives the oldest waiting append its fate. Returns `false` if none waits.
    pub fn settle_next(&self, fate: Fate) -> bool {
        let mut state = self.state.lock();
        let Some(mut next) = state.waiting.pop_front() else { return false };
        let told = match fate {
            Fate::Write => self.write(&next),
            Fate::LoseAnswer => self.write(&next).and(Err(unknown().into())),
            Fate::Pretend => Ok(self.pretended(&next)),
            Fate::Refuse | Fate::Delay => Err(unknown().into()),
        };
        if let Some(answer) = next.answer.take() {
            drop(answer.send(told));
        }
        if fate == Fate::Delay {
            state.waiting.push_front(next);
        }
        true
    }

    /// Gives all waiting appends the same fate.
    pub fn settle_all(&self, fate: Fate) {
        for _ in 0..self.waiting() {
            self.settle_next(fate);
        }
    }

    fn write(&self, waiting: &Waiting) -> Result<Appended, AppendError> {
        let appending = self.log.append(waiting.commit.clone(), waiting.guard);
        appending.now_or_never().unwrap_or_else(|| Err(unknown().into()))
    }

    fn pretended(&self, waiting: &Waiting) -> Appended {
        let head = self.log.head(&waiting.commit.stream).now_or_never();
        let revision = head.and_then(Result::ok).map_or(0, |head| head.revision.0);
        let revision = Revision(revision + waiting.commit.events.len() as u64);
        Appended { position: self.log.tail().borrow().next(), revision, repeated: false }
    }

    fn readable(&self) -> Result<&MemoryLog, Unavailable> {
        if self.state.lock().reads_fail { Err(unknown()) } else { Ok(&self.log) }
    }

    /// The records, unless one of them is damaged.
    fn whole(&self, read: Vec<Arc<Record>>) -> Result<Vec<Arc<Record>>, ReadError> {
        let state = self.state.lock();
        match read.iter().find(|record| state.damaged.contains(&record.position)) {
            None => Ok(read),
            Some(record) => Err(damaged(record.position)),
        }
    }
}

fn damaged(position: Position) -> ReadError {
    ReadError::Damaged { position, damage: "damaged by a test".into() }
}

fn unknown() -> Unavailable {
    Unavailable { reason: "made to fail by a test".into() }
}

#[async_trait]
impl EventLog for FaultyLog {
    fn epoch(&self) -> Epoch {
        self.log.epoch()
    }

    fn append(&self, commit: Commit, guard: Guard) -> Appending {
        let mut state = self.state.lock();
        match state.mode {
            Mode::Refuse => Box::pin(std::future::ready(Err(unknown().into()))),
            Mode::Pass if state.waiting.is_empty() => self.log.append(commit, guard),
            Mode::Pass | Mode::Hold => {
                let (answer, outcome) = oneshot::channel();
                state.waiting.push_back(Waiting { commit, guard, answer: Some(answer) });
                Box::pin(async move { outcome.await.unwrap_or_else(|_| Err(unknown().into())) })
            }
        }
    }

    async fn read(
        &self,
        scope: &Scope,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Arc<Record>>, ReadError> {
        self.whole(self.readable()?.read(scope, after, limit).await?)
    }

    async fn get(&self, positions: &[Position]) -> Result<Vec<Arc<Record>>, ReadError> {
        self.whole(self.readable()?.get(positions).await?)
    }

    async fn head(&self, stream: &StreamId) -> Result<Head, ReadError> {
        self.readable()?.head(stream).await
    }

    async fn find(&self, command: CommandId) -> Result<Option<Position>, ReadError> {
        self.readable()?.find(command).await
    }

    fn tail(&self) -> watch::Receiver<Position> {
        self.log.tail()
    }

    fn fault(&self) -> watch::Receiver<Option<Unavailable>> {
        self.log.fault()
    }

    async fn tail_hash(&self) -> Result<(Position, Hash), ReadError> {
        self.readable()?.tail_hash().await
    }
}

#[async_trait]
impl ErasableLog for FaultyLog {
    async fn erase(&self, position: Position, index: usize, left: Bytes) -> Result<(), EraseError> {
        {
            let state = self.state.lock();
            if state.mode == Mode::Refuse {
                return Err(unknown().into());
            }
            if state.damaged.contains(&position) {
                return Err(EraseError::Unreadable(damaged(position)));
            }
        }
        self.log.erase(position, index, left).await
    }
}
