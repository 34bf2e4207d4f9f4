//! Routing: the router's work for a batch of the projector, and for new and leaving subscribers.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use parking_lot::Mutex;
use rookery_domain::UserId;
use rookery_log::Position;
use rookery_projection::{Committed, ReadModels};
use rookery_view::{Followings, View};

use super::{
    counters::Counters,
    inbox::{Inbox, WaitingCommit},
    index::{Batch, Index},
};
use crate::{Delivery, feed::Memberships};

/// Passes each commit behind the models to the subscribers that it concerns.
pub(crate) struct Router {
    /// The rooms that services follow.
    followings: Arc<Followings>,
    // Locked before the ring and the models, never after.
    index: Mutex<Index>,
    /// The position of the index, readable without the lock.
    position: AtomicU64,
    /// Subscribers to wake once the checkpoint has moved.
    waking: Mutex<Vec<Arc<Inbox>>>,
}

impl Router {
    pub(crate) fn new(
        followings: Arc<Followings>,
        position: Position,
        inbox_entries_max: usize,
    ) -> Self {
        Self {
            followings,
            index: Mutex::new(Index::new(position, inbox_entries_max)),
            position: AtomicU64::new(position.0),
            waking: Mutex::default(),
        }
    }

    /// The position up to which commits were routed.
    pub(crate) fn position(&self) -> Position {
        Position(self.position.load(Ordering::Acquire))
    }

    /// Routes commits in order, after the models have applied them.
    pub(crate) fn route(
        &self,
        commits: &[Arc<Committed>],
        models: &ReadModels,
        counters: &Counters,
    ) {
        let mut index = self.index.lock();
        let view = View::of(models, &self.followings);
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

    /// Wakes each subscriber with new entries once.
    pub(crate) fn wake(&self, counters: &Counters) {
        let wakes = std::mem::take(&mut *self.waking.lock());
        Counters::add(&counters.wakes, wakes.len());
        for inbox in &wakes {
            inbox.ring();
        }
    }

    /// Makes all subscribers continue from the log, because the memberships may differ from those
    /// after the routed commits. No commit may be routed meanwhile.
    pub(crate) fn start_anew(&self, counters: &Counters) {
        let mut index = self.index.lock();
        let position = index.position;
        for inbox in index.clear() {
            Counters::down(&counters.live);
            inbox.close(position);
            inbox.ring();
        }
    }

    /// Moves a subscriber at `position` to the live side, if at most `commits_max` commits are
    /// missing and the ring has them: those that concern its user wait in the inbox. Without a
    /// position it starts with the next commit. Returns the inbox, and the position after which it
    /// is complete.
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
        let view = View::of(models, &self.followings);
        let waiting = commits.iter().filter_map(|committed| {
            let delivery = memberships.consider(committed, &view)?;
            let Delivery { before, plain, .. } = delivery;
            Some(WaitingCommit { position: committed.position, before, plain })
        });
        let inbox = Arc::new(Inbox::new(waiting));
        let user = memberships.user();
        let rooms = if index.knows(user) { Vec::new() } else { view.joined_at(user, routed) };
        index.add(user, rooms, Arc::clone(&inbox));
        Counters::up(&counters.live);
        Some((inbox, position))
    }

    /// Removes a subscriber.
    pub(super) fn leave(&self, user: &UserId, inbox: &Arc<Inbox>, counters: &Counters) {
        if self.index.lock().remove(user, inbox) {
            Counters::down(&counters.live);
        }
    }
}
