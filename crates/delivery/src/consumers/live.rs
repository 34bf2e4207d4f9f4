//! The consumers that are in use, and their records in memory.
//!
//! **Invariant:** a record in memory equals the stored one, apart from batches with an implied end and their number of
//! deliveries: these are stored a moment later. After a fault it is loaded again.

use std::{
    collections::HashMap,
    sync::{Arc, Weak, atomic::AtomicU64},
    time::Duration,
};

use parking_lot::Mutex;
use rookery_work::Lock;
use tokio::sync::watch;

use super::{
    ConsumerFault, ConsumerKey, ConsumerOwner, ConsumerRecord, ConsumerStore,
    attachment::ConsumerState, implied::Run, turns::OwnerTurns,
};
use crate::Feeds;

/// All consumers of the server. Cheap to clone.
#[derive(Clone)]
pub struct Consumers {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) feeds: Feeds,
    pub(super) store: Arc<dyn ConsumerStore>,
    pub(super) silence: Duration,
    pub(super) run: Run,
    pub(super) turns: OwnerTurns,
    /// How many connections have arrived.
    pub(super) arrivals: AtomicU64,
    /// The consumers with a connection or a command.
    live: Mutex<HashMap<ConsumerKey, Weak<Live>>>,
}

/// A consumer in use.
pub(super) struct Live {
    pub(super) key: ConsumerKey,
    pub(super) record: Lock<Held>,
    pub(super) state: watch::Sender<ConsumerState>,
}

/// The record of a consumer in use.
#[derive(Default)]
pub(super) struct Held {
    /// `None` if it has to be loaded.
    pub(super) record: Option<ConsumerRecord>,
    /// Whether it has batches that are not stored.
    pub(super) is_ahead: bool,
    /// Whether a task stores it soon.
    pub(super) is_watched: bool,
}

/// A consumer in a list.
#[derive(Clone, Debug)]
pub struct ListedConsumer {
    /// Its owner and name.
    pub key: ConsumerKey,
    /// Its record.
    pub record: ConsumerRecord,
    /// Whether a connection has it now.
    pub connected: bool,
}

impl Consumers {
    /// The consumers in `store`. Batches that were not acknowledged for as long as `silence` come
    /// again.
    #[must_use]
    pub fn new(feeds: Feeds, store: Arc<dyn ConsumerStore>, silence: Duration) -> Self {
        let (run, arrivals, live) = (Run::default(), AtomicU64::new(0), Mutex::default());
        let turns = OwnerTurns::default();
        Self { shared: Arc::new(Shared { feeds, store, silence, run, turns, arrivals, live }) }
    }

    /// After how long without an acknowledgement the outstanding batches come again.
    #[must_use]
    pub fn silence(&self) -> Duration {
        self.shared.silence
    }

    /// Up to `limit` consumers after the one with the key `after`, by owner and name; only those of
    /// `owner`, if that is given.
    ///
    /// # Errors
    /// [`ConsumerFault`].
    pub fn list(
        &self,
        owner: Option<&ConsumerOwner>,
        after: Option<&ConsumerKey>,
        limit: usize,
    ) -> Result<Vec<ListedConsumer>, ConsumerFault> {
        let records = self.shared.store.list(owner, after, limit)?;
        let listed = |(key, stored)| {
            let live = self.shared.live.lock().get(&key).and_then(Weak::upgrade);
            let (record, connected) = live.map_or((None, false), |live| live.state.borrow().now());
            // The store may lack the batches of the last second.
            let record = record.map_or(stored, |record| (*record).clone());
            ListedConsumer { key, record, connected }
        };
        Ok(records.into_iter().map(listed).collect())
    }

    /// The consumer with this key, which may not exist.
    pub(super) fn live(&self, key: &ConsumerKey) -> Arc<Live> {
        let mut all = self.shared.live.lock();
        if let Some(live) = all.get(key).and_then(Weak::upgrade) {
            return live;
        }
        let (record, state) = (Lock::new(Held::default()), watch::Sender::default());
        let live = Arc::new(Live { key: key.clone(), record, state });
        // Only when the map would grow, so that a connection does not cost as much as there are consumers.
        if all.len() == all.capacity() {
            all.retain(|_, live| live.strong_count() > 0);
        }
        all.insert(key.clone(), Arc::downgrade(&live));
        live
    }
}
