//! Room for all answers in progress.
//!
//! A long answer waits for room for its greatest possible length. When it is finished it releases
//! that room, and counts among the unread answers ([`Unread`]). It asks once and holds nothing
//! meanwhile, so no two answers wait for each other.
//!
//! **Invariant:** no wait for room depends on a client: a finished answer has released its room.
//! **Invariant:** one caller has a share of the room, so a caller with many requests does not delay
//! others.
//! **Invariant:** callers are remembered only while they have answers.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, OnceLock, Weak};

use parking_lot::Mutex;
use rookery_work::Lanes;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};

use super::AnswerLimits;
use super::unread::{Unread, UnreadPlace};
use crate::limits::callers::CallerKey;
use crate::limits::untaken::Taker;

/// The bytes of one permit.
const UNIT_BYTES: usize = 1024;

/// How many callers can have their whole share at the same time.
const SHARES: usize = 8;

/// All answers in progress and all unread ones.
#[derive(Debug)]
pub(crate) struct Answers {
    limits: AnswerLimits,
    /// The permits of one caller.
    share: usize,
    all: Arc<Semaphore>,
    callers: Mutex<HashMap<CallerKey, Weak<Semaphore>>>,
    /// Finished answers that their clients have not read yet.
    unread: Arc<Unread>,
    /// The threads of heavy executions. Half of the processors are left to all others.
    lanes: Lanes,
}

impl Answers {
    pub(crate) fn new(limits: AnswerLimits) -> Arc<Self> {
        let one = units(limits.bytes_max);
        let all = units(limits.all_bytes_max).max(one);
        Arc::new(Self {
            share: (all / SHARES).max(one),
            all: Arc::new(Semaphore::new(all)),
            callers: Mutex::default(),
            unread: Unread::new((all * UNIT_BYTES).max(limits.bytes_max)),
            lanes: Lanes::default(),
            limits,
        })
    }

    pub(crate) fn limits(&self) -> &AnswerLimits {
        &self.limits
    }

    pub(crate) fn lanes(&self) -> &Lanes {
        &self.lanes
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

/// The room of an answer in progress.
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

/// A finished answer. It counts as unread until this is dropped.
#[derive(Debug, Default)]
pub struct Held(Option<UnreadPlace>);

impl Held {
    /// The size of the answer, as far as it counts.
    pub(crate) fn bytes(&self) -> usize {
        self.0.as_ref().map_or(0, UnreadPlace::bytes)
    }

    /// Sets the present size of the answer.
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
    /// Whether a long answer waits for room. A step of a subscription does not.
    waits: bool,
    /// The connection that takes the answer, once it is known.
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

    /// Room for the steps of a subscription, which count once they are made.
    pub(super) fn of_steps(&self) -> Self {
        Self::new(self.among.clone(), false, self.taker.clone())
    }

    /// All answers, if this one is among them.
    pub(super) fn answers(&self) -> Option<&Arc<Answers>> {
        self.among.as_ref().map(|(answers, _)| answers)
    }

    /// Sets the connection that takes the answer.
    pub(super) fn taken_by(&self, taker: &Taker) {
        // It is set once.
        let _ = self.taker.set(taker.clone());
    }

    /// Waits until there is room for the answer. After that it has the room.
    pub(super) async fn enter(&self) {
        let Some((answers, key)) = self.among.as_ref().filter(|_| self.waits) else { return };
        self.entered.get_or_init(|| async { Mutex::new(answers.enter(*key).await) }).await;
    }

    /// An answer of `bytes` was made. From now on only its client delays it.
    pub(super) fn unread(&self, bytes: usize) -> Held {
        drop(self.entered.get().and_then(|permits| permits.lock().take()));
        let place = self.among.as_ref().and_then(|(answers, key)| {
            answers.unread.place(*key, bytes, self.taker.get().cloned().unwrap_or_default())
        });
        Held(place)
    }

    /// The same; the place is kept here until it is [held](Self::held).
    pub(super) fn made(&self, bytes: usize) {
        let held = self.unread(bytes);
        *self.made.lock() = Some(held);
    }

    /// The answer, whose size is `bytes` now.
    pub(super) fn held(&self, bytes: usize) -> Held {
        let made = self.made.lock().take();
        let Some(mut held) = made else { return self.unread(bytes) };
        held.resize(bytes);
        held
    }
}
