//! A reader of models over an artificial log.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
};

use rookery_fixture::Fixture;
pub(crate) use rookery_fixture::{room, room_id, user};
use rookery_log::EventLog;
use rookery_projection::{Options, ReadModels};

use crate::Reader;

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

    pub(crate) async fn open(&self) -> Reader {
        self.open_with(Options { rebuild_threads: 2, ..Options::default() }).await
    }

    pub(crate) async fn open_with(&self, options: Options) -> Reader {
        let log: Arc<dyn EventLog> = self.log.clone();
        let models = ReadModels::open(log, self.dir.path(), options, |_| {}).await.unwrap();
        Reader::new(models)
    }
}

/// Brings the models to the end of the log.
pub(crate) async fn settle(reader: &Reader) {
    reader.models().catch_up().await.unwrap();
}
