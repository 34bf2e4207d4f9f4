//! Room for all answers together.
//!
//! A long answer waits for room for the longest that it can become, and gives back what it does not need once it is made.
//! It asks once, holding nothing, so no two answers wait for each other.
//!
//! **Invariant:** one caller has a share of the room, so a caller whose answers nobody reads keeps no other one waiting.
//! **Invariant:** callers are remembered only while they have answers.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::num::NonZeroUsize;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};

use super::AnswerLimits;
use crate::transport::callers::CallerKey;

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
        Some(Permits { own: Some(own), all: Some(all), answers: Arc::clone(self), key })
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

/// Room that an answer has.
#[derive(Debug)]
struct Permits {
    own: Option<OwnedSemaphorePermit>,
    all: Option<OwnedSemaphorePermit>,
    answers: Arc<Answers>,
    key: CallerKey,
}

impl Permits {
    fn shrink(&mut self, bytes: usize) {
        for permit in [&mut self.own, &mut self.all].into_iter().flatten() {
            let surplus = permit.num_permits().saturating_sub(units(bytes));
            drop(permit.split(surplus));
        }
    }
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

/// Room for an answer until this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Held(#[expect(dead_code, reason = "it is there to be dropped")] Option<Permits>);

/// The room of one answer.
#[derive(Debug)]
pub(super) struct Room {
    among: Option<(Arc<Answers>, CallerKey)>,
    entered: OnceCell<Mutex<Option<Permits>>>,
}

impl Room {
    pub(super) fn among(answers: &Arc<Answers>, key: CallerKey) -> Self {
        Self { among: Some((Arc::clone(answers), key)), entered: OnceCell::new() }
    }

    pub(super) fn unlimited() -> Self {
        Self { among: None, entered: OnceCell::new() }
    }

    /// All answers, if this one is among them.
    pub(super) fn answers(&self) -> Option<&Arc<Answers>> {
        self.among.as_ref().map(|(answers, _)| answers)
    }

    /// Waits until there is room for the answer. Once there is, there stays.
    pub(super) async fn enter(&self) {
        let Some((answers, key)) = &self.among else { return };
        self.entered.get_or_init(|| async { Mutex::new(answers.enter(*key).await) }).await;
    }

    /// Gives back what an answer of `bytes` does not need.
    pub(super) fn shrink(&self, bytes: usize) -> Held {
        let mut permits = self.entered.get().and_then(|permits| permits.lock().take());
        if let Some(permits) = &mut permits {
            permits.shrink(bytes);
        }
        Held(permits)
    }
}
