//! The budget of one answer: bytes, work, and the time between two pauses.
//!
//! The cost of a request bounds the number of fields of its answer. Their length and the work
//! behind them show only while the answer is made. So resolvers take both out of a budget, which
//! the request carries in its data.
//!
//! **Invariant:** memory is bounded: one answer by [`AnswerLimits::bytes_max`], all answers in
//! progress by [`AnswerLimits::all_bytes_max`] and [`FREE_BYTES`] for each, and unread answers by
//! as much again.
//! **Invariant:** a resolver runs for at most [`SLICE`] and one step of its own before others get a
//! turn.

mod answers;
mod pace;
#[cfg(test)]
mod tests;
mod unread;

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize};
use std::task::Poll;
use std::time::{Duration, Instant};

use rookery_graphql_documents::{Refusal, code};

use async_graphql::{Error, ErrorExtensions as _};
use cpu_time::ThreadTime;
use parking_lot::Mutex;

pub(crate) use answers::Answers;
pub use answers::Held;
pub(crate) use pace::{Stops, run, run_stream};

use super::callers::CallerKey;
use super::untaken::Taker;

/// Bytes of an answer that need no shared room.
const FREE_BYTES: usize = 64 * 1024;

/// How long an execution runs before it yields to others.
pub(crate) const SLICE: Duration = Duration::from_micros(500);

/// How much processor time an execution may take in all before it counts as heavy.
pub(crate) const LIGHT: Duration = Duration::from_millis(8);

/// A cheaper execution is never heavy, so its processor time is not measured.
const LIGHT_COST: usize = 100;

/// The cost from which an execution is heavy at once: each of its steps may be long.
const HEAVY_COST: usize = 5_000;

/// The limits of one answer, and of all answers in progress.
#[derive(Clone, Debug)]
pub struct AnswerLimits {
    /// Bytes of an answer. A field counts as the text of its value, plus [`FIELD_BYTES`].
    pub bytes_max: usize,
    /// Bytes of all answers in progress. Unread answers may take as much again.
    pub all_bytes_max: usize,
    /// The most work for an answer, in the units of `docs/limits.md`.
    pub work_max: usize,
}

impl Default for AnswerLimits {
    fn default() -> Self {
        Self { bytes_max: 8 << 20, all_bytes_max: 128 << 20, work_max: 100_000 }
    }
}

/// The bytes of a field beside the text of its value: its name and its memory.
pub const FIELD_BYTES: usize = 48;

/// The exhausted part of a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exhausted {
    /// The answer is too long.
    Bytes {
        /// The greatest length.
        max: usize,
    },
    /// The events of the answer are too long.
    Events {
        /// The greatest length.
        max: usize,
    },
    /// The answer needs too much work.
    Work {
        /// The greatest work.
        max: usize,
    },
}

impl Exhausted {
    /// The code for the client.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Bytes { .. } | Self::Events { .. } => code::ANSWER_TOO_LARGE,
            Self::Work { .. } => code::TOO_MUCH_WORK,
        }
    }

    /// The message, which says what to do.
    #[must_use]
    pub fn message(self) -> String {
        match self {
            Self::Bytes { max } => format!(
                "The answer is longer than {max} bytes: ask for smaller pages, for fewer fields, or for each field once."
            ),
            Self::Events { max } => format!(
                "The answer is made of events of more than {max} bytes: ask for smaller pages, or for fewer of them."
            ),
            Self::Work { max } => format!(
                "The server would have to look at more than {max} things for this answer: ask for \
                 less at a time, or use a filter that accepts more."
            ),
        }
    }

    /// The refusal that the client gets instead of an answer.
    pub(crate) fn refusal(self) -> Refusal {
        Refusal::new(self.code(), self.message())
    }
}

impl From<Exhausted> for Error {
    fn from(exhausted: Exhausted) -> Self {
        Self::new(exhausted.message())
            .extend_with(|_, extensions| extensions.set("code", exhausted.code()))
    }
}

/// The rest of the budget of one answer. Copies share it.
#[derive(Clone)]
pub struct Budget(Arc<Shared>);

struct Shared {
    bytes_max: usize,
    work_max: usize,
    bytes: AtomicUsize,
    events: AtomicUsize,
    work: AtomicUsize,
    exhausted: AtomicU8,
    pace: Pace,
    room: answers::Room,
    attached: Mutex<Option<Arc<dyn Any + Send + Sync>>>,
}

impl std::fmt::Debug for Budget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Budget").field("exhausted", &self.exhausted()).finish_non_exhaustive()
    }
}

/// The start of an execution's current slice, and its processor time.
#[derive(Debug)]
struct Pace {
    /// Whether it pauses at all: an execution under a lock does not.
    pauses: bool,
    origin: Instant,
    /// Nanoseconds since the origin.
    slice_began: AtomicU64,
    /// Nanoseconds of processor time. The time that other threads had does not count: on a busy
    /// machine, a light execution would wait behind the heavy ones.
    ran: AtomicU64,
    cost: AtomicUsize,
    /// Whether a resolver said that the answer is long.
    is_long: AtomicBool,
}

const BYTES_EXHAUSTED: u8 = 1;
const WORK_EXHAUSTED: u8 = 2;
const EVENTS_EXHAUSTED: u8 = 3;

/// How many times longer than its answer the events of an answer may be.
const EVENTS_TIMES: usize = 2;

impl Budget {
    /// A budget for an answer that shares room with all others.
    pub(crate) fn among(answers: &Arc<Answers>, caller: CallerKey) -> Self {
        let limits = answers.limits();
        Self::new(limits, true, answers::Room::among(answers, caller))
    }

    /// Sets the cost of the request, before its execution.
    pub(crate) fn expect_cost(&self, cost: usize) {
        self.0.pace.cost.store(cost, Relaxed);
    }

    /// A budget of the same size for answers in sequence; `pauses` says whether others get a turn
    /// between their steps.
    #[must_use]
    pub fn like(&self, pauses: bool) -> Self {
        let limits = AnswerLimits {
            bytes_max: self.0.bytes_max,
            all_bytes_max: usize::MAX,
            work_max: self.0.work_max,
        };
        Self::new(&limits, pauses, self.0.room.of_steps())
    }

    /// Sets the connection that takes the answer. If its client does not read, that connection is
    /// closed when others need the room.
    pub(crate) fn taken_by(&self, taker: &Taker) {
        self.0.room.taken_by(taker);
    }

    /// A step of a subscription was made. It takes `bytes` until its client has it.
    #[must_use]
    pub fn unread(&self, bytes: usize) -> Held {
        self.0.room.unread(bytes)
    }

    /// The answer was made. From now on only its client delays it.
    fn made(&self) {
        // An answer that would be too long is not sent.
        self.0.room.made(if self.exhausted().is_some() { 0 } else { self.taken_bytes() });
    }

    /// Polls a step of a subscription in slices.
    pub async fn paced<F: Future>(&self, step: F) -> F::Output {
        let mut step = std::pin::pin!(step);
        std::future::poll_fn(|context| {
            self.begin_slice();
            step.as_mut().poll(context)
        })
        .await
    }

    /// The answer that is made now is long: a step of a subscription goes on in a lane from here.
    pub async fn go_to_lane(&self) {
        self.0.pace.is_long.store(true, Relaxed);
        yield_once().await;
    }

    fn new(limits: &AnswerLimits, pauses: bool, room: answers::Room) -> Self {
        let (slice_began, ran) = (AtomicU64::new(0), AtomicU64::new(0));
        let is_long = AtomicBool::new(false);
        Self(Arc::new(Shared {
            bytes_max: limits.bytes_max,
            work_max: limits.work_max,
            bytes: AtomicUsize::new(0),
            events: AtomicUsize::new(0),
            work: AtomicUsize::new(0),
            exhausted: AtomicU8::new(0),
            pace: Pace {
                pauses,
                origin: Instant::now(),
                slice_began,
                ran,
                cost: AtomicUsize::new(1),
                is_long,
            },
            room,
            attached: Mutex::default(),
        }))
    }

    /// Gives the next answer of a subscription the whole budget again.
    pub fn renew(&self) {
        self.0.bytes.store(0, Relaxed);
        self.0.events.store(0, Relaxed);
        self.0.work.store(0, Relaxed);
        self.0.exhausted.store(0, Relaxed);
        self.0.pace.is_long.store(false, Relaxed);
        *self.0.attached.lock() = None;
    }

    /// A value with the lifetime of the answer, created on first use. There is one of each type.
    #[must_use]
    pub fn attached<T: Any + Default + Send + Sync>(&self) -> Arc<T> {
        let mut attached = self.0.attached.lock();
        let known = attached.clone().and_then(|known| known.downcast().ok());
        known.unwrap_or_else(|| {
            let new = Arc::<T>::default();
            *attached = Some(new.clone());
            new
        })
    }

    /// The exhausted part, if any.
    #[must_use]
    pub fn exhausted(&self) -> Option<Exhausted> {
        match self.0.exhausted.load(Relaxed) {
            BYTES_EXHAUSTED => Some(Exhausted::Bytes { max: self.0.bytes_max }),
            EVENTS_EXHAUSTED => Some(Exhausted::Events { max: self.events_max() }),
            WORK_EXHAUSTED => Some(Exhausted::Work { max: self.0.work_max }),
            _ => None,
        }
    }

    fn events_max(&self) -> usize {
        self.0.bytes_max.saturating_mul(EVENTS_TIMES)
    }

    fn check(&self) -> Result<(), Exhausted> {
        self.exhausted().map_or(Ok(()), Err)
    }

    fn exhaust(&self, what: u8) -> Result<(), Exhausted> {
        // The first reason counts.
        let _ = self.0.exhausted.compare_exchange(0, what, Relaxed, Relaxed);
        self.check()
    }

    /// Takes the bytes of a part of the answer. For a long answer it waits for room among all
    /// answers.
    ///
    /// # Errors
    /// [`Exhausted`] if a part of the budget is exhausted. The answer will not be sent, so stop
    /// making it.
    pub async fn take(&self, bytes: usize) -> Result<(), Exhausted> {
        let taken = self.0.bytes.fetch_add(bytes, Relaxed).saturating_add(bytes);
        if taken > self.0.bytes_max {
            return self.exhaust(BYTES_EXHAUSTED);
        }
        if taken > FREE_BYTES {
            self.0.room.enter().await;
        }
        self.check()
    }

    /// Takes the bytes of events that stay in memory until the answer is made.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub async fn keep(&self, bytes: usize) -> Result<(), Exhausted> {
        let kept = self.0.events.fetch_add(bytes, Relaxed).saturating_add(bytes);
        if kept > self.events_max() {
            return self.exhaust(EVENTS_EXHAUSTED);
        }
        if kept > FREE_BYTES {
            self.0.room.enter().await;
        }
        self.check()
    }

    /// Takes the work for `units` that may not appear in the answer.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub fn look_at(&self, units: usize) -> Result<(), Exhausted> {
        let done = self.0.work.fetch_add(units, Relaxed).saturating_add(units);
        if done > self.0.work_max {
            return self.exhaust(WORK_EXHAUSTED);
        }
        self.check()
    }

    /// Yields to others, if this execution has used its slice. Call it between steps.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub async fn pause(&self) -> Result<(), Exhausted> {
        self.check()?;
        if self.0.pace.pauses && self.is_slice_over() {
            yield_once().await;
            if self.is_slice_over() {
                // It is not polled in slices.
                self.begin_slice();
            }
        }
        Ok(())
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.pace.origin.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn is_slice_over(&self) -> bool {
        let began = self.0.pace.slice_began.load(Relaxed);
        u128::from(self.now().saturating_sub(began)) > SLICE.as_nanos()
    }

    fn begin_slice(&self) {
        self.0.pace.slice_began.store(self.now(), Relaxed);
    }

    /// Runs one slice: calls `poll`, which has to come back on this thread.
    fn slice<T>(&self, poll: impl FnOnce() -> T) -> T {
        self.begin_slice();
        if self.0.pace.cost.load(Relaxed) < LIGHT_COST {
            return poll();
        }
        let began = ThreadTime::now();
        let polled = poll();
        let took = began.elapsed().as_nanos();
        self.0.pace.ran.fetch_add(u64::try_from(took).unwrap_or(u64::MAX), Relaxed);
        polled
    }

    /// Whether it has taken so much processor time, costs so much, or is so long, that it runs in the lanes.
    fn is_heavy(&self) -> bool {
        if self.0.pace.is_long.load(Relaxed) {
            return true;
        }
        match self.0.pace.cost.load(Relaxed) {
            HEAVY_COST.. => true,
            LIGHT_COST.. => u128::from(self.0.pace.ran.load(Relaxed)) > LIGHT.as_nanos(),
            _ => false,
        }
    }

    /// Holds room for the finished answer of `len` bytes until it is sent.
    pub(crate) fn held(&self, len: usize) -> Held {
        self.0.room.held(len)
    }

    /// The approximate length of the answer.
    #[must_use]
    pub fn taken_bytes(&self) -> usize {
        self.0.bytes.load(Relaxed)
    }
}

/// Yields to other tasks. It wakes itself at once and not when the task has returned, as tokio's
/// own yield does. So the sets of futures around it know that they have to return too, without
/// polling all others first.
async fn yield_once() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
