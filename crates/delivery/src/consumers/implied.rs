//! Ends of batches that follow from the log, and need not be stored before the batch is sent.
//!
//! **Invariant:** an implied end is the position of the first commit of a room after the begin that concerns the owner.
//! It depends on nothing but the log: neither on a filter nor on redactions, ignored users or receipts.
//! **Invariant:** a record that another run of the server stored gets the implied batches that may have been sent,
//! before anything else happens to it.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use rookery_log::{Position, StreamKind};
use rookery_projection::Committed;

use super::{ConsumerFault, ConsumerKey, ConsumerOwner, ConsumerRecord, Consumers};
use super::{OUTSTANDING_MAX, OutstandingBatch};

/// How long the models may take to reach the end of the log.
const SHOWN_WITHIN: Duration = Duration::from_secs(10);

/// The way in which the end of a batch is known again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchEnd {
    /// It follows from the log. The batch is stored soon after it was sent.
    Implied,
    /// It was chosen. It is stored before the batch is sent.
    Chosen,
}

/// The commits of a batch in the making, as far as its end depends on them.
#[derive(Clone, Copy, Debug, Default)]
pub struct BatchCommits {
    of_rooms: usize,
    last: Position,
}

impl BatchCommits {
    /// Counts a commit that concerns the owner. Commits come in order.
    pub fn count(&mut self, committed: &Committed) {
        if is_of_room(committed) {
            self.of_rooms += 1;
            self.last = committed.position;
        }
    }

    /// How a batch of these commits is known again if it ends at `end`.
    #[must_use]
    pub fn end(&self, end: Position) -> BatchEnd {
        let is_first = self.of_rooms == 1 && self.last == end;
        if is_first { BatchEnd::Implied } else { BatchEnd::Chosen }
    }
}

/// Receipts do not count: a user who is far behind gets the last ones only.
fn is_of_room(committed: &Committed) -> bool {
    committed.kind == Some(StreamKind::Room)
}

/// The run of the server. It is another one after a fault, since then a record in memory may be lost.
pub(super) struct Run(AtomicU64);

impl Default for Run {
    fn default() -> Self {
        Self(AtomicU64::new(RandomState::new().build_hasher().finish()))
    }
}

impl Run {
    pub(super) fn now(&self) -> u64 {
        self.0.load(Relaxed)
    }

    pub(super) fn begin_another(&self) {
        self.0.fetch_add(1, Relaxed);
    }
}

impl Consumers {
    /// The stored record, with all batches that may have been sent.
    pub(super) async fn load(
        &self,
        key: &ConsumerKey,
    ) -> Result<Option<ConsumerRecord>, ConsumerFault> {
        let Some(stored) = self.shared.store.load(key)? else { return Ok(None) };
        let end = self.end_of_log();
        let is_known = stored.run == self.shared.run.now();
        // Nothing was sent of a history that this log does not have.
        if is_known || stored.epoch != self.epoch() || stored.next_begin() > end {
            return Ok(Some(stored));
        }
        let mut record = stored.clone();
        self.add_implied(key, &mut record, end).await?;
        Ok(self.save(key, &stored, &mut record).await?.then_some(record))
    }

    /// Stores the record. Returns whether it exists.
    pub(super) async fn save(
        &self,
        key: &ConsumerKey,
        before: &ConsumerRecord,
        after: &mut ConsumerRecord,
    ) -> Result<bool, ConsumerFault> {
        after.run = self.shared.run.now();
        let saved = self.shared.store.save(key, before, after).await;
        if saved.is_err() {
            self.shared.run.begin_another();
        }
        saved
    }

    /// Adds the implied batches up to `end` of which nobody knows whether they were sent.
    async fn add_implied(
        &self,
        key: &ConsumerKey,
        record: &mut ConsumerRecord,
        end: Position,
    ) -> Result<(), ConsumerFault> {
        let fault = |error: &dyn std::fmt::Display| ConsumerFault { reason: error.to_string() };
        let feeds = &self.shared.feeds;
        let shown = feeds.reader().wait_for(end, SHOWN_WITHIN).await;
        shown.map_err(|error| fault(&error))?;
        let ConsumerOwner::User(user) = &key.owner;
        let mut subscription = feeds.subscribe_after(user, record.next_begin());
        while record.batches.len() < OUTSTANDING_MAX {
            let page = subscription.piece_to(end).await.map_err(|error| fault(&error))?;
            let Some(mut page) = page else { break };
            while let Some(delivery) = subscription.take(&mut page) {
                let committed = &delivery.committed;
                if is_of_room(committed) && record.batches.len() < OUTSTANDING_MAX {
                    let (end, first_sent) = (committed.position, committed.received);
                    let batch = OutstandingBatch { end, first_sent, deliveries: 0, retried: None };
                    record.batches.push(batch);
                }
            }
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}
