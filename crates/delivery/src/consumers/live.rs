//! The consumers that are in use, and their records in memory.
//!
//! **Invariant:** a record in memory equals the stored one. After a fault it is loaded again.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    time::Duration,
};

use parking_lot::Mutex;
use rookery_work::Lock;
use tokio::sync::watch;

use super::{
    ConsumerFault, ConsumerKey, ConsumerOwner, ConsumerRecord, ConsumerStore,
    attachment::ConsumerState,
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
    /// The consumers with a connection or a command.
    live: Mutex<HashMap<ConsumerKey, Weak<Live>>>,
}

/// A consumer in use.
pub(super) struct Live {
    pub(super) key: ConsumerKey,
    /// `None` if it has to be loaded.
    pub(super) record: Lock<Option<ConsumerRecord>>,
    pub(super) state: watch::Sender<ConsumerState>,
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
        let live = Mutex::default();
        Self { shared: Arc::new(Shared { feeds, store, silence, live }) }
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
        let listed = |(key, record)| {
            let connected = self.is_connected(&key);
            ListedConsumer { key, record, connected }
        };
        Ok(records.into_iter().map(listed).collect())
    }

    fn is_connected(&self, key: &ConsumerKey) -> bool {
        let live = self.shared.live.lock().get(key).and_then(Weak::upgrade);
        live.is_some_and(|live| live.state.borrow().is_connected)
    }

    /// The consumer with this key, which may not exist.
    pub(super) fn live(&self, key: &ConsumerKey) -> Arc<Live> {
        let mut all = self.shared.live.lock();
        if let Some(live) = all.get(key).and_then(Weak::upgrade) {
            return live;
        }
        let (record, state) = (Lock::new(None), watch::Sender::default());
        let live = Arc::new(Live { key: key.clone(), record, state });
        all.retain(|_, live| live.strong_count() > 0);
        all.insert(key.clone(), Arc::downgrade(&live));
        live
    }
}
