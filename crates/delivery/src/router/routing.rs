//! Routing: what the projector does with a batch, and how subscribers come and go.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use parking_lot::Mutex;
use rookery_domain::UserId;
use rookery_log::Position;
use rookery_projection::{Committed, ReadModels};
use rookery_view::View;

use super::{
    counters::Counters,
    inbox::{Entry, Inbox},
    index::{Batch, Index},
};
use crate::{Delivery, feed::Memberships};

/// Takes each commit behind the models to the subscribers whom it concerns.
pub(crate) struct Router {
    // Locked before the ring and the models, never after.
    index: Mutex<Index>,
    /// The position of the index, for a look without the lock.
    position: AtomicU64,
    /// Subscribers who are to be woken, once the checkpoint has moved.
    waking: Mutex<Vec<Arc<Inbox>>>,
}

impl Router {
    pub(crate) fn new(position: Position, inbox_entries_max: usize) -> Self {
        Self {
            index: Mutex::new(Index::new(position, inbox_entries_max)),
            position: AtomicU64::new(position.0),
            waking: Mutex::default(),
        }
    }

    /// How far commits have been routed.
    pub(crate) fn position(&self) -> Position {
        Position(self.position.load(Ordering::Acquire))
    }

    /// Routes commits, which come in order and which the models have applied.
    pub(crate) fn route(
        &self,
        commits: &[Arc<Committed>],
        models: &ReadModels,
        counters: &Counters,
    ) {
        let mut index = self.index.lock();
        let view = View::of(models);
        let mut batch = Batch::default();
        for committed in commits {
            index.route(committed, &view, &mut batch);
        }
        for (user, inbox) in &batch.full {
            if index.remove(user, inbox) {
                Counters::up(&counters.overflows);
                Counters::down(&counters.live);
            }
        }
        self.position.store(index.position.0, Ordering::Release);
        Counters::add(&counters.routed, batch.routed);
        *self.waking.lock() = batch.wake;
    }

    /// Rings once for each subscriber who has got something.
    pub(crate) fn wake(&self, counters: &Counters) {
        let wakes = std::mem::take(&mut *self.waking.lock());
        Counters::add(&counters.wakes, wakes.len());
        for inbox in &wakes {
            inbox.ring();
        }
    }

    /// Lets all subscribers read on from the log: the memberships may be others than those that the
    /// commits have led to. Nobody may route meanwhile.
    pub(crate) fn start_anew(&self, counters: &Counters) {
        let mut index = self.index.lock();
        let position = index.position;
        for inbox in index.clear() {
            Counters::down(&counters.live);
            inbox.close(position);
            inbox.ring();
        }
    }

    /// Brings a subscriber who is at `position` to the live side, if no more than `commits_max`
    /// commits are missing and the ring has them: what concerns her of these waits in the inbox.
    /// Without a position she begins with what comes now. Gives the inbox, and from where on it has
    /// everything.
    pub(super) fn join(
        &self,
        (models, counters): (&ReadModels, &Counters),
        position: Option<Position>,
        memberships: &mut Memberships,
        commits_max: usize,
    ) -> Option<(Arc<Inbox>, Position)> {
        let mut index = self.index.lock();
        let routed = index.position;
        let position = position.unwrap_or(routed);
        let missing = usize::try_from(routed.0.checked_sub(position.0)?).ok()?;
        if missing > commits_max {
            return None;
        }
        let commits = match missing {
            0 => Vec::new(),
            _ => models.latest_after(position, missing)?,
        };
        let view = View::of(models);
        let waiting = commits.iter().filter_map(|committed| {
            let delivery = memberships.consider(committed, &view)?;
            let Delivery { before, plain, .. } = delivery;
            Some(Entry { position: committed.position, before, plain })
        });
        let inbox = Arc::new(Inbox::new(waiting));
        let user = memberships.user();
        let rooms = if index.knows(user) { Vec::new() } else { view.joined_at(user, routed) };
        index.add(user, rooms, Arc::clone(&inbox));
        Counters::up(&counters.live);
        Some((inbox, position))
    }

    /// Takes a subscriber away.
    pub(super) fn leave(&self, user: &UserId, inbox: &Arc<Inbox>, counters: &Counters) {
        if self.index.lock().remove(user, inbox) {
            Counters::down(&counters.live);
        }
    }
}
