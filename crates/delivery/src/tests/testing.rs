//! Feeds of models over an artificial log.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
};

use rookery_fixture::Fixture;
pub(crate) use rookery_fixture::{Redacted, room, user};
use rookery_log::EventLog;
use rookery_projection::ReadModels;
use rookery_view::Reader;

use crate::Feeds;
pub(crate) use crate::testing::settle;

/// The settings of the models and of delivery that tests change.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub(crate) rebuild_threads: usize,
    pub(crate) ring_commits_max: Option<usize>,
    pub(crate) far_commits: Option<u64>,
    pub(crate) pages_bytes_max: Option<usize>,
    pub(crate) inbox_commits_max: Option<usize>,
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

    pub(crate) async fn open(&self) -> Feeds {
        self.open_with(Options { rebuild_threads: 2, ..Options::default() }).await
    }

    pub(crate) async fn open_with(&self, options: Options) -> Feeds {
        self.open_on(self.log.clone(), options).await
    }

    /// Feeds over another view of the log.
    pub(crate) async fn open_on(&self, log: Arc<dyn EventLog>, options: Options) -> Feeds {
        let (of_models, of_delivery) =
            (rookery_projection::Options::default(), crate::Options::default());
        let of_models = rookery_projection::Options {
            rebuild_threads: options.rebuild_threads,
            ring_commits_max: options.ring_commits_max.unwrap_or(of_models.ring_commits_max),
            pages_bytes_max: options.pages_bytes_max.unwrap_or(of_models.pages_bytes_max),
            ..of_models
        };
        let of_delivery = crate::Options {
            far_commits: options.far_commits.unwrap_or(of_delivery.far_commits),
            inbox_commits_max: options.inbox_commits_max.unwrap_or(of_delivery.inbox_commits_max),
        };
        let models = ReadModels::open(log, self.dir.path(), of_models, |_| {}).await.unwrap();
        Feeds::new(Reader::new(models), of_delivery)
    }
}
