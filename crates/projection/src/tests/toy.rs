//! A model as small as can be: what the registry does for it is what it does for each model.

use std::{
    fs, io,
    sync::atomic::{AtomicBool, Ordering},
};

use rookery_log::{StreamId, StreamKind};
use serde::{Deserialize, Serialize};

use crate::{
    Committed, ReadModels, Retried,
    models::{Fold, StreamKey, Unfit},
    storage::generation,
    tests::testing::{Scene, settle},
};

/// The alias at which [`Toy`] fails until it is mended.
const UNLUCKY: &str = "unlucky";

/// Whether [`Toy`] can apply the commits of [`UNLUCKY`].
static MENDED: AtomicBool = AtomicBool::new(false);

/// How many commits an alias has.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Toy(u64);

impl Fold for Toy {
    const NAME: &'static str = "toys";
    const VERSION: u32 = 1;
    const KIND: StreamKind = StreamKind::Alias;
    type Shared = ();

    fn apply(&mut self, _: StreamKey, committed: &Committed, (): &mut ()) -> Result<(), Unfit> {
        if committed.stream == stream(UNLUCKY) && !MENDED.load(Ordering::Relaxed) {
            return Err(Unfit::new("it is not mended"));
        }
        self.0 += 1;
        Ok(())
    }
}

fn stream(alias: &str) -> StreamId {
    StreamId::new(StreamKind::Alias, &format!("#{alias}:rookery.test"))
}

fn count(models: &ReadModels, alias: &str) -> u64 {
    let models = models.read();
    let key = models.directory.key_of(&stream(alias)).unwrap();
    models.toys.get(key).unwrap().0
}

#[tokio::test]
async fn model_with_one_line_in_the_registry_is_saved_rebuilt_verified_parked_and_retried()
-> io::Result<()> {
    let mut scene = Scene::new();
    scene.create("a", "alice").await;
    let models = scene.open().await;
    for alias in ["attic", UNLUCKY, "attic"] {
        scene.alias(alias, Some("a")).await;
    }
    settle(&models).await;
    assert_eq!((count(&models, "attic"), count(&models, UNLUCKY)), (2, 0));

    // Parked, and nothing else is; a retry changes nothing before it is mended.
    let parked = models.read().parked();
    let [only] = &parked[..] else { panic!("{parked:?}") };
    assert_eq!((&*only.model, &only.stream), ("toys", &stream(UNLUCKY)));
    let retried = models.retry_parked().await.unwrap();
    assert_eq!(retried, Retried { mended: 0, parked });

    // Saved and opened, without a rebuild.
    models.save().await?;
    drop(models);
    let models = scene.open().await;
    assert_eq!(generation::current(scene.dir.path())?, Some(1));
    assert_eq!((count(&models, "attic"), models.read().parked().len()), (2, 1));

    // Retried.
    MENDED.store(true, Ordering::Relaxed);
    let retried = models.retry_parked().await.unwrap();
    assert_eq!(retried, Retried { mended: 1, parked: Vec::new() });
    assert_eq!(count(&models, UNLUCKY), 1);

    // Verified, and rebuilt.
    assert_eq!(models.verify(|_| {}).await.unwrap(), []);
    for row in models.core.models.write().toys.rows.values_mut() {
        row.value.0 = 7;
    }
    let differences = models.verify(|_| {}).await.unwrap();
    assert_eq!(differences.iter().map(|it| it.model).collect::<Vec<_>>(), ["toys"]);
    models.rebuild(|_| {}).await.unwrap();
    assert_eq!((count(&models, "attic"), count(&models, UNLUCKY)), (2, 1));
    assert_eq!(models.verify(|_| {}).await.unwrap(), []);

    // A damaged snapshot is refused by name, and a model without its snapshot is made again.
    models.save().await?;
    drop(models);
    let serving = generation::path(scene.dir.path(), 2);
    fs::write(serving.join("toys.snapshot"), "damaged")?;
    let tail = *rookery_log::EventLog::tail(&*scene.log).borrow();
    let refused = generation::load(&serving, rookery_fixture::EPOCH, tail).err().unwrap();
    assert_eq!(refused.iter().map(|it| it.model).collect::<Vec<_>>(), ["toys"]);
    assert_eq!(count(&scene.open().await, "attic"), 2);
    Ok(())
}
