//! Models over an artificial log, and models that fail on demand.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
};

use parking_lot::Mutex;
use rookery_fixture::Fixture;
pub(crate) use rookery_fixture::{EPOCH, room, room_id, user};
use rookery_log::EventLog;

use crate::{Committed, Options, ReadModels};

/// Model and event type at which the models panic. Each test uses an event type of its own.
static TRIPS: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

pub(crate) fn set_trip(model: &str, kind: &str) {
    TRIPS.lock().push((model.into(), kind.into()));
}

pub(crate) fn clear_trip(kind: &str) {
    TRIPS.lock().retain(|(_, other)| other != kind);
}

/// Panics if the commit has an event at which this model should panic.
pub(crate) fn trip(model: &str, committed: &Committed) {
    let trips = TRIPS.lock().clone();
    let kinds = trips.iter().filter(|(other, _)| other == model).map(|(_, kind)| kind);
    for kind in kinds {
        let has = |event: &rookery_domain::RoomEvent| event.pdu.kind.to_string() == *kind;
        assert!(!committed.room_events().any(|(_, event)| has(event)), "tripped over {kind}");
    }
}

/// An artificial log.
pub(crate) struct Scene(Fixture);

impl Deref for Scene {
    type Target = Fixture;

    fn deref(&self) -> &Fixture {
        &self.0
    }
}

impl DerefMut for Scene {
    fn deref_mut(&mut self) -> &mut Fixture {
        &mut self.0
    }
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self(Fixture::new())
    }

    pub(crate) async fn open(&self) -> ReadModels {
        self.open_with(Options { rebuild_threads: 2, ..Options::default() }).await
    }

    pub(crate) async fn open_with(&self, options: Options) -> ReadModels {
        let log: Arc<dyn EventLog> = self.log.clone();
        ReadModels::open(log, self.dir.path(), options, |_| {}).await.unwrap()
    }
}

/// Brings the models to the end of the log.
pub(crate) async fn settle(models: &ReadModels) {
    models.catch_up().await.unwrap();
}
