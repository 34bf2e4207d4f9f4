//! Feeds of a log, and records of consumers in memory, for tests.

#![expect(clippy::missing_panics_doc, clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use async_trait::async_trait;
use parking_lot::Mutex;
use rookery_domain::{EventId, OwnedEventId};
use rookery_log::EventLog;
use rookery_projection::ReadModels;
use rookery_view::Reader;

use crate::{
    ConsumerFault, ConsumerKey, ConsumerOwner, ConsumerRecord, ConsumerStore, CreateError, Feeds,
    Options, ParkedEvent,
};

/// Feeds of models of `log`, in a folder of their own. They follow the log in [`settle`].
pub async fn feeds(log: Arc<dyn EventLog>, folder: &Path) -> Feeds {
    let options = rookery_projection::Options::default();
    let models = ReadModels::open(log, folder, options, |_| {}).await.unwrap();
    Feeds::new(Reader::new(models), Options::default())
}

/// Brings the models to the end of the log.
pub async fn settle(feeds: &Feeds) {
    feeds.models().catch_up().await.unwrap();
}

/// Records in memory. It lists none.
#[derive(Debug, Default)]
pub struct ConsumersInMemory {
    all: Mutex<BTreeMap<ConsumerKey, ConsumerRecord>>,
    is_broken: AtomicBool,
    changes_before_failing: AtomicBool,
}

impl ConsumersInMemory {
    /// Lets each change fail from now on: after it was made, if `is_made`, or else before.
    pub fn fail(&self, is_made: bool) {
        self.changes_before_failing.store(is_made, Relaxed);
        self.is_broken.store(true, Relaxed);
    }

    /// Lets changes succeed again.
    pub fn repair(&self) {
        self.is_broken.store(false, Relaxed);
    }

    /// Loses all records.
    pub fn clear(&self) {
        self.all.lock().clear();
    }

    fn change<T>(
        &self,
        change: impl FnOnce(&mut BTreeMap<ConsumerKey, ConsumerRecord>) -> T,
    ) -> Result<T, ConsumerFault> {
        let fault = ConsumerFault { reason: "the disk is full".into() };
        match (self.is_broken.load(Relaxed), self.changes_before_failing.load(Relaxed)) {
            (false, _) => Ok(change(&mut self.all.lock())),
            (true, false) => Err(fault),
            (true, true) => {
                change(&mut self.all.lock());
                Err(fault)
            }
        }
    }
}

#[async_trait]
impl ConsumerStore for ConsumersInMemory {
    fn load(&self, key: &ConsumerKey) -> Result<Option<ConsumerRecord>, ConsumerFault> {
        Ok(self.all.lock().get(key).cloned())
    }

    fn parked(
        &self,
        _: &ConsumerKey,
        _: Option<&EventId>,
        _: usize,
    ) -> Result<Vec<(OwnedEventId, ParkedEvent)>, ConsumerFault> {
        Ok(Vec::new())
    }

    fn list(
        &self,
        _: Option<&ConsumerOwner>,
        _: Option<&ConsumerKey>,
        _: usize,
    ) -> Result<Vec<(ConsumerKey, ConsumerRecord)>, ConsumerFault> {
        Ok(Vec::new())
    }

    async fn create(
        &self,
        key: &ConsumerKey,
        record: ConsumerRecord,
    ) -> Result<ConsumerRecord, CreateError> {
        let made = self.change(|all| all.entry(key.clone()).or_insert(record).clone());
        made.map_err(CreateError::Fault)
    }

    async fn save(
        &self,
        key: &ConsumerKey,
        _: &ConsumerRecord,
        after: &ConsumerRecord,
    ) -> Result<bool, ConsumerFault> {
        self.change(|all| all.get_mut(key).map(|record| *record = after.clone()).is_some())
    }

    async fn delete(&self, key: &ConsumerKey) -> Result<bool, ConsumerFault> {
        self.change(|all| all.remove(key).is_some())
    }
}
