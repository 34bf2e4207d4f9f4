//! What making one answer may take: bytes, work, and the time between two pauses.
//!
//! The cost of a request says how many fields its answer can have; only while the answer is made does the server learn
//! how long they are and how much it reads for them. So resolvers take both out of a budget, which the request carries
//! in its data.
//!
//! **Invariant:** memory is bounded: one answer by [`AnswerLimits::bytes_max`], all that are being made by
//! [`AnswerLimits::all_bytes_max`] and [`FREE_BYTES`] for each, and those that nobody has read yet by as much again.
//! **Invariant:** a resolver runs for no longer than [`SLICE`] and one step of its own before others have their turn.

mod answers;
mod pace;
#[cfg(test)]
mod tests;
mod unread;

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize};
use std::task::Poll;
use std::time::{Duration, Instant};

use async_graphql::{Error, ErrorExtensions as _};
use parking_lot::Mutex;

pub(crate) use answers::Answers;
pub use answers::Held;
pub(crate) use pace::{Stops, run};

use super::callers::CallerKey;
use super::untaken::Taker;
use crate::operation::refusal::{Refusal, code};

/// Bytes of an answer that need no room among those of all answers.
const FREE_BYTES: usize = 64 * 1024;

/// How long an execution runs before it pauses, so that others have their turn.
pub(crate) const SLICE: Duration = Duration::from_micros(500);

/// How long an execution may run in all before it counts as a heavy one.
pub(crate) const LIGHT: Duration = Duration::from_millis(8);

/// How much one answer may take, and all that are made at a time.
#[derive(Clone, Debug)]
pub struct AnswerLimits {
    /// Bytes of an answer. A field counts as the text of its value, and [`FIELD_BYTES`] with it.
    pub bytes_max: usize,
    /// Bytes of all answers that are being made; those that their clients have not read yet have as much again.
    pub all_bytes_max: usize,
    /// What may be looked at for an answer, in the units of `docs/limits.md`.
    pub work_max: usize,
}

impl Default for AnswerLimits {
    fn default() -> Self {
        Self { bytes_max: 8 << 20, all_bytes_max: 128 << 20, work_max: 100_000 }
    }
}

/// What a field counts beside the text of its value: its name, and what it takes in memory.
pub const FIELD_BYTES: usize = 48;

/// What was used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exhausted {
    /// The answer is longer than it may be.
    Bytes {
        /// The most that it may be.
        max: usize,
    },
    /// The events that it is made of are longer than they may be.
    Events {
        /// The most that they may be.
        max: usize,
    },
    /// More was looked at for it than may be.
    Work {
        /// The most that may be.
        max: usize,
    },
}

impl Exhausted {
    /// The code that tells a client.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Bytes { .. } | Self::Events { .. } => code::ANSWER_TOO_LARGE,
            Self::Work { .. } => code::TOO_MUCH_WORK,
        }
    }

    /// What is wrong, and what to do.
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
                "The server would have to look at more than {max} things for this answer: ask for less at a time, or for \
                 what a filter lets pass more often."
            ),
        }
    }

    /// What a client is told instead of an answer.
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

/// What is left for one answer. Copies share what they have.
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

/// When an execution began to run since it last paused, and for how long it has run.
#[derive(Debug)]
struct Pace {
    /// Whether it pauses at all: what is executed under a lock does not.
    pauses: bool,
    origin: Instant,
    /// Nanoseconds since the origin.
    slice_began: AtomicU64,
    ran: AtomicU64,
}

const BYTES_EXHAUSTED: u8 = 1;
const WORK_EXHAUSTED: u8 = 2;
const EVENTS_EXHAUSTED: u8 = 3;

/// How many times longer than an answer the events may be that it is made of.
const EVENTS_TIMES: usize = 2;

impl Budget {
    /// A budget for an answer that has to find room among all others.
    pub(crate) fn among(answers: &Arc<Answers>, caller: CallerKey) -> Self {
        let limits = answers.limits();
        Self::new(limits, true, answers::Room::among(answers, caller))
    }

    /// A budget of the same size for answers that are made one after the other; `pauses`: whether between their steps
    /// others have their turn.
    #[must_use]
    pub fn like(&self, pauses: bool) -> Self {
        let limits = AnswerLimits {
            bytes_max: self.0.bytes_max,
            all_bytes_max: usize::MAX,
            work_max: self.0.work_max,
        };
        Self::new(&limits, pauses, self.0.room.of_steps())
    }

    /// Says which connection takes the answer: if nobody reads it, that one is closed when others need the room.
    pub(crate) fn taken_by(&self, taker: &Taker) {
        self.0.room.taken_by(taker);
    }

    /// A step of a subscription is made, and takes `bytes` until its client has it.
    #[must_use]
    pub fn unread(&self, bytes: usize) -> Held {
        self.0.room.unread(bytes)
    }

    /// The answer is made: from now on it waits for its client alone.
    fn made(&self) {
        // What was to be longer than it may be is not sent.
        self.0.room.made(if self.exhausted().is_some() { 0 } else { self.taken_bytes() });
    }

    /// Drives a step of a subscription slice by slice.
    pub async fn paced<F: Future>(&self, step: F) -> F::Output {
        let mut step = std::pin::pin!(step);
        std::future::poll_fn(|context| {
            self.begin_slice();
            step.as_mut().poll(context)
        })
        .await
    }

    fn new(limits: &AnswerLimits, pauses: bool, room: answers::Room) -> Self {
        let (slice_began, ran) = (AtomicU64::new(0), AtomicU64::new(0));
        Self(Arc::new(Shared {
            bytes_max: limits.bytes_max,
            work_max: limits.work_max,
            bytes: AtomicUsize::new(0),
            events: AtomicUsize::new(0),
            work: AtomicUsize::new(0),
            exhausted: AtomicU8::new(0),
            pace: Pace { pauses, origin: Instant::now(), slice_began, ran },
            room,
            attached: Mutex::default(),
        }))
    }

    /// Lets the next answer of a subscription have all that the first one had.
    pub fn renew(&self) {
        self.0.bytes.store(0, Relaxed);
        self.0.events.store(0, Relaxed);
        self.0.work.store(0, Relaxed);
        self.0.exhausted.store(0, Relaxed);
        *self.0.attached.lock() = None;
    }

    /// What ends with the answer, made when it is first asked for. There is one of it.
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

    /// What was used up, if anything was.
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

    /// Takes the bytes of a part of the answer. Waits for room among all answers if this is a long one.
    ///
    /// # Errors
    /// [`Exhausted`] if something is used up: the answer will not be sent, so there is no use in making more of it.
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

    /// Takes the bytes of events that are kept in memory until the answer is made.
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

    /// Takes the work of looking at `units` of what may not come to stand in the answer.
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

    /// Lets others have their turn, if this execution has had its own. To be called between steps.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub async fn pause(&self) -> Result<(), Exhausted> {
        self.check()?;
        if self.0.pace.pauses && self.is_slice_over() {
            yield_once().await;
            if self.is_slice_over() {
                // Nobody drives it slice by slice.
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

    fn end_slice(&self) {
        let began = self.0.pace.slice_began.load(Relaxed);
        self.0.pace.ran.fetch_add(self.now().saturating_sub(began), Relaxed);
    }

    /// Whether it has run for so long that it waits for its turn among those that have.
    fn is_heavy(&self) -> bool {
        u128::from(self.0.pace.ran.load(Relaxed)) > LIGHT.as_nanos()
    }

    /// What keeps room for the answer, made as it is in `len` bytes, until it is sent.
    pub(crate) fn held(&self, len: usize) -> Held {
        self.0.room.held(len)
    }

    /// About how long the answer is.
    #[must_use]
    pub fn taken_bytes(&self) -> usize {
        self.0.bytes.load(Relaxed)
    }
}

/// Lets others have their turn. It wakes itself at once and not when the task has returned, as tokio's own does: by that
/// the sets of futures around it know that they are to return too, and do not ask all others first.
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
