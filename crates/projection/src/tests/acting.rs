//! The greatest action number of each device.

use crate::{
    Options, ReadModels,
    tests::testing::{Scene, are_those_of_the_golden_files, settle, user},
};

fn last(models: &ReadModels, who: &str, device: &str) -> u64 {
    models.read().last_action(&user(who), device)
}

async fn scene() -> Scene {
    let mut scene = Scene::new();
    scene.create("a", "alice").await;
    scene.create("b", "alice").await;
    scene.numbered("a", "alice", "PHONE", 1).await;
    scene.numbered("b", "alice", "PHONE", 7).await;
    scene.noted("alice", "PHONE", 5).await;
    scene.noted("alice", "LAPTOP", 4).await;
    scene.numbered("a", "bob", "PHONE", 2).await;
    scene
}

#[tokio::test]
async fn the_last_action_of_a_device_is_the_greatest_of_all_streams() {
    let mut scene = scene().await;
    let models = scene.open_with(Options { rebuild_threads: 1, ..Options::default() }).await;
    let all = |models: &ReadModels| {
        [("alice", "PHONE"), ("alice", "LAPTOP"), ("bob", "PHONE"), ("bob", "LAPTOP")]
            .map(|(who, device)| last(models, who, device))
    };
    assert_eq!(all(&models), [7, 4, 2, 0]);
    scene.noted("alice", "PHONE", 9).await;
    settle(&models).await;
    assert_eq!(all(&models), [9, 4, 2, 0]);
    models.save().await.unwrap();
    drop(models);
    let reopened = scene.open().await;
    assert_eq!(all(&reopened), [9, 4, 2, 0]);
    reopened.rebuild(|_| {}).await.unwrap();
    assert_eq!(all(&reopened), [9, 4, 2, 0]);
}

#[tokio::test]
async fn snapshot_of_numbered_actions_is_that_of_the_golden_file() {
    let scene = scene().await;
    let models = scene.open_with(Options { rebuild_threads: 1, ..Options::default() }).await;
    models.save().await.unwrap();
    are_those_of_the_golden_files(&scene, &["actions"], "numbered");
}
