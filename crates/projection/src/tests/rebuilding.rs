//! Rebuilding beside readers and writers.

use std::sync::Mutex;

use crate::{
    ReadModels, roll_back,
    tests::testing::{Scene, room, settle},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rebuild_under_load_loses_nothing() {
    let mut scene = Scene::new();
    let models = scene.open().await;
    scene.create("a", "alice").await;
    for _ in 0..200 {
        scene.message("a", "alice").await;
    }
    settle(&models).await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let runner = models.clone();
    let running = tokio::spawn(async move { runner.run(async { drop(stopped.await) }).await });
    let rebuilder = models.clone();
    let rebuilding = tokio::spawn(async move { rebuilder.rebuild(|_| {}).await });
    let mut last = scene.message("a", "alice").await;
    while !rebuilding.is_finished() {
        last = scene.message("a", "alice").await;
        models.wait_for(last, std::time::Duration::from_mins(1)).await.unwrap();
    }
    rebuilding.await.unwrap().unwrap();
    last = last.max(scene.message("a", "alice").await);
    models.wait_for(last, std::time::Duration::from_mins(1)).await.unwrap();
    let len = {
        let models = models.read();
        models.timeline_len(models.room(&room("a")).unwrap())
    };
    assert_eq!(len, last.0 + 4, "one event for each commit, five in the first");
    assert_eq!(models.verify(|_| {}).await.unwrap(), []);
    drop(stop);
    running.await.unwrap();
}

#[tokio::test]
async fn progress_ends_at_the_total() {
    let mut scene = Scene::new();
    let models = scene.open().await;
    for _ in 0..5_000 {
        scene.message("a", "alice").await;
    }
    settle(&models).await;
    let reports = Mutex::new(Vec::new());
    let rebuilt = models.rebuild(|report| reports.lock().unwrap().push(report)).await.unwrap();
    let reports = reports.into_inner().unwrap();
    assert!(reports.len() > 1, "one for each page");
    assert!(reports.is_sorted_by_key(|report| report.done));
    let last = reports.last().unwrap();
    assert_eq!((last.done, last.total, last.events), (5_000, 5_000, 5_000));
    assert_eq!((rebuilt.position.0, rebuilt.events), (5_000, 5_000));
}

#[tokio::test]
async fn models_from_before_a_rebuild_can_serve_again() {
    let mut scene = Scene::new();
    let models = scene.open().await;
    scene.create("a", "alice").await;
    settle(&models).await;
    models.save().await.unwrap();
    assert!(roll_back(scene.dir.path()).is_err(), "there was no rebuild");
    models.rebuild(|_| {}).await.unwrap();
    scene.message("a", "alice").await;
    settle(&models).await;
    let live = models.digest().await.unwrap();
    drop(models);
    roll_back(scene.dir.path()).unwrap();
    let rolled_back: ReadModels = scene.open().await;
    assert_eq!(rolled_back.core.models.read().dir.file_name().unwrap(), "generation-1");
    assert_eq!(rolled_back.digest().await.unwrap(), live);
}

#[tokio::test]
async fn verification_names_the_model_that_differs() {
    let mut scene = Scene::new();
    let models = scene.open().await;
    scene.create("a", "alice").await;
    settle(&models).await;
    {
        let mut models = models.core.models.write();
        let row = models.summaries.rows.values_mut().next().unwrap();
        row.value.name = Some("forged".into());
    }
    let differences = models.verify(|_| {}).await.unwrap();
    let names: Vec<_> = differences.iter().map(|difference| difference.model).collect();
    assert_eq!(names, ["summaries"]);
}
