//! Room for all answers that are being made.
//!
//! A long answer waits for room for the longest that it can become. Once it is made it gives all of that back, and counts
//! among those that are not read yet ([`Unread`]). It asks once, holding nothing, so no two answers wait for each other.
//!
//! **Invariant:** nobody who waits for room depends on a client: an answer that is made has given its room back.
//! **Invariant:** one caller has a share of the room, so a caller who asks for much keeps no other one waiting.
//! **Invariant:** callers are remembered only while they have answers.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock, Weak};

use parking_lot::Mutex;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};

use super::AnswerLimits;
use super::unread::{Unread, UnreadPlace};
use crate::limits::callers::CallerKey;
use crate::limits::untaken::Taker;

/// What a permit of a semaphore stands for.
const UNIT_BYTES: usize = 1024;

/// Callers whose answers have room at the same time, each with all of its share.
const SHARES: usize = 8;

/// All answers that are being made or waiting to be read.
#[derive(Debug)]
pub(crate) struct Answers {
    limits: AnswerLimits,
    /// Units for one caller.
    share: usize,
    all: Arc<Semaphore>,
    callers: Mutex<HashMap<CallerKey, Weak<Semaphore>>>,
    /// Those that are made, and that their clients have not read yet.
    unread: Arc<Unread>,
    /// Turns of executions that take long. Half of the processors are left to all others.
    pub(super) lanes: Semaphore,
}

impl Answers {
    pub(crate) fn new(limits: AnswerLimits) -> Arc<Self> {
        let one = units(limits.bytes_max);
        let all = units(limits.all_bytes_max).max(one);
        let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Arc::new(Self {
            share: (all / SHARES).max(one),
            all: Arc::new(Semaphore::new(all)),
            callers: Mutex::default(),
            unread: Unread::new((all * UNIT_BYTES).max(limits.bytes_max)),
            lanes: Semaphore::new((processors / 2).max(1)),
            limits,
        })
    }

    pub(crate) fn limits(&self) -> &AnswerLimits {
        &self.limits
    }

    fn caller(&self, key: CallerKey) -> Arc<Semaphore> {
        let mut callers = self.callers.lock();
        let new = || Arc::new(Semaphore::new(self.share));
        match callers.entry(key) {
            Entry::Occupied(mut known) => known.get().upgrade().unwrap_or_else(|| {
                let share = new();
                known.insert(Arc::downgrade(&share));
                share
            }),
            Entry::Vacant(vacant) => {
                let share = new();
                vacant.insert(Arc::downgrade(&share));
                share
            }
        }
    }

    #[expect(
        clippy::await_holding_invalid_type,
        reason = "the permit is of the share of one caller, who alone waits for it"
    )]
    async fn enter(self: &Arc<Self>, key: CallerKey) -> Option<Permits> {
        let units = u32::try_from(units(self.limits.bytes_max)).unwrap_or(u32::MAX);
        let share = self.caller(key);
        // Neither semaphore is ever closed.
        let own = share.acquire_many_owned(units).await.ok()?;
        let all = Arc::clone(&self.all).acquire_many_owned(units).await.ok()?;
        Some(Permits { own: Some(own), _all: all, answers: Arc::clone(self), key })
    }

    #[cfg(test)]
    pub(super) fn unread_bytes(&self) -> usize {
        self.unread.bytes()
    }

    #[cfg(test)]
    pub(super) fn callers(&self) -> usize {
        self.callers.lock().len()
    }

    #[cfg(test)]
    pub(super) fn free_bytes(&self) -> usize {
        self.all.available_permits() * UNIT_BYTES
    }
}

fn units(bytes: usize) -> usize {
    bytes.div_ceil(UNIT_BYTES).clamp(1, Semaphore::MAX_PERMITS.min(u32::MAX as usize))
}

/// Room of an answer that is being made.
#[derive(Debug)]
struct Permits {
    own: Option<OwnedSemaphorePermit>,
    _all: OwnedSemaphorePermit,
    answers: Arc<Answers>,
    key: CallerKey,
}

impl Drop for Permits {
    fn drop(&mut self) {
        self.own = None;
        let mut callers = self.answers.callers.lock();
        if callers.get(&self.key).is_some_and(|share| share.strong_count() == 0) {
            callers.remove(&self.key);
        }
    }
}

/// An answer counts among those that are not read yet until this is dropped.
#[derive(Debug, Default)]
pub struct Held(Option<UnreadPlace>);

impl Held {
    /// The answer takes so many bytes now.
    pub(crate) fn resize(&mut self, bytes: usize) {
        if let Some(place) = &mut self.0 {
            place.resize(bytes);
        }
    }
}

/// The room of one answer.
#[derive(Debug)]
pub(super) struct Room {
    among: Option<(Arc<Answers>, CallerKey)>,
    /// Whether an answer that is long waits for room. A step of a subscription does not.
    waits: bool,
    /// The connection that takes the answer, once that is known.
    taker: OnceLock<Taker>,
    entered: OnceCell<Mutex<Option<Permits>>>,
    made: Mutex<Option<Held>>,
}

impl Room {
    fn new(among: Option<(Arc<Answers>, CallerKey)>, waits: bool, taker: OnceLock<Taker>) -> Self {
        Self { among, waits, taker, entered: OnceCell::new(), made: Mutex::default() }
    }

    pub(super) fn among(answers: &Arc<Answers>, key: CallerKey) -> Self {
        Self::new(Some((Arc::clone(answers), key)), true, OnceLock::new())
    }

    /// For steps of a subscription, which count once they are made.
    pub(super) fn of_steps(&self) -> Self {
        Self::new(self.among.clone(), false, self.taker.clone())
    }

    /// All answers, if this one is among them.
    pub(super) fn answers(&self) -> Option<&Arc<Answers>> {
        self.among.as_ref().map(|(answers, _)| answers)
    }

    /// Says which connection takes the answer.
    pub(super) fn taken_by(&self, taker: &Taker) {
        // It is said once.
        let _ = self.taker.set(taker.clone());
    }

    /// Waits until there is room for the answer. Once there is, there stays.
    pub(super) async fn enter(&self) {
        let Some((answers, key)) = self.among.as_ref().filter(|_| self.waits) else { return };
        self.entered.get_or_init(|| async { Mutex::new(answers.enter(*key).await) }).await;
    }

    /// An answer of `bytes` is made: it waits for its client from now on, and for nobody else.
    pub(super) fn unread(&self, bytes: usize) -> Held {
        drop(self.entered.get().and_then(|permits| permits.lock().take()));
        let place = self.among.as_ref().and_then(|(answers, key)| {
            answers.unread.place(*key, bytes, self.taker.get().cloned().unwrap_or_default())
        });
        Held(place)
    }

    /// The same; it is kept here until it is [held](Self::held).
    pub(super) fn made(&self, bytes: usize) {
        let held = self.unread(bytes);
        *self.made.lock() = Some(held);
    }

    /// The answer, which takes `bytes` now.
    pub(super) fn held(&self, bytes: usize) -> Held {
        let made = self.made.lock().take();
        let Some(mut held) = made else { return self.unread(bytes) };
        held.resize(bytes);
        held
    }
}
