//! Models over an artificial log, and models that fail on demand.

use std::{
    fs,
    ops::{Deref, DerefMut},
    path::Path,
    sync::Arc,
};

use parking_lot::Mutex;
use rookery_fixture::Fixture;
pub(crate) use rookery_fixture::{EPOCH, room, room_id, user};
use rookery_log::EventLog;

use crate::{Committed, Models, Options, ReadModels, storage::generation};

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

/// Compares the files of a generation whose names begin with one of `models` with the golden files
/// in `folder`. Never edit these: a change of a format needs a new version of the model or of the
/// snapshots, and golden files of its own.
pub(crate) fn are_those_of_the_golden_files(scene: &Scene, models: &[&str], folder: &str) {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/format-2").join(folder);
    let mut compared = 0;
    for entry in fs::read_dir(generation::path(scene.dir.path(), 1)).unwrap() {
        let (name, path) = entry.map(|entry| (entry.file_name(), entry.path())).unwrap();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let is_of = |model: &&str| stem.split('-').next() == Some(model);
        let Some(model) = models.iter().find(|model| is_of(model)) else { continue };
        let (_, version) = Models::VERSIONS.iter().find(|(name, _)| name == model).unwrap();
        let golden = golden.join(format!("v{version}-{}", name.to_str().unwrap()));
        let written = fs::read(&path).unwrap();
        if std::env::var_os("ROOKERY_WRITE_GOLDEN_FILES").is_some() {
            fs::create_dir_all(golden.parent().unwrap()).unwrap();
            fs::write(&golden, &written).unwrap();
        }
        let expected = fs::read(&golden).unwrap();
        assert!(written == expected, "{} is written otherwise than it was", golden.display());
        compared += 1;
    }
    assert!(compared >= models.len());
}

/// Brings the models to the end of the log.
pub(crate) async fn settle(models: &ReadModels) {
    models.catch_up().await.unwrap();
}
