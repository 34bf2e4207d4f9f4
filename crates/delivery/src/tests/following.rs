//! Catch-up-then-follow, and reading one's own writes.

use std::time::Duration;

use rookery_log::{PAGE_BYTES_MAX, Position};
use rookery_projection::Stale;
use serde_json::json;

use crate::{
    FollowError,
    tests::testing::{Options, Scene, settle},
};

#[tokio::test]
async fn follower_sees_every_commit_once_across_the_seam() {
    let mut scene = Scene::new();
    scene.create("a", "alice").await;
    let models = scene
        .open_with(Options { ring_commits_max: Some(7), rebuild_threads: 1, ..Options::default() })
        .await;
    for _ in 0..30 {
        scene.message("a", "alice").await;
    }
    settle(&models).await;
    let follower = models.follower();
    for limit in [1, 3, 7, 100] {
        let (mut at, mut seen) = (Position::ORIGIN, Vec::new());
        loop {
            let batch = follower.next(at, limit).await.unwrap();
            if batch.commits.is_empty() {
                break;
            }
            seen.extend(batch.commits.iter().map(|commit| commit.position.0));
            at = batch.position;
        }
        assert_eq!(seen, (1..=31).collect::<Vec<_>>(), "in pages of {limit}");
    }
}

#[tokio::test]
async fn follower_sees_every_commit_of_a_page_with_more_bytes_than_one_read() {
    let mut scene = Scene::new();
    scene.create("a", "alice").await;
    let text = "x".repeat(PAGE_BYTES_MAX / 3);
    for _ in 0..20 {
        let content = json!({ "msgtype": "m.text", "body": text });
        scene.send("a", "alice", "m.room.message", None, content).await;
    }
    let options =
        Options { ring_commits_max: Some(1), pages_bytes_max: Some(0), ..Options::default() };
    let models = scene.open_with(Options { rebuild_threads: 1, ..options }).await;
    settle(&models).await;
    let (follower, mut at, mut seen) = (models.follower(), Position::ORIGIN, Vec::new());
    while seen.len() < 21 {
        let batch = follower.next(at, 100).await.unwrap();
        assert!(!batch.commits.is_empty(), "stopped after {at}");
        let bytes: usize = batch.commits.iter().map(|commit| commit.len_bytes).sum();
        assert!(bytes < 3 * PAGE_BYTES_MAX, "{bytes} bytes at once");
        seen.extend(batch.commits.iter().map(|commit| commit.position.0));
        at = batch.position;
    }
    assert_eq!(seen, (1..=21).collect::<Vec<_>>());
}

#[tokio::test]
async fn follower_never_sees_what_the_models_have_not() {
    let mut scene = Scene::new();
    let models = scene.open().await;
    scene.create("a", "alice").await;
    let follower = models.follower();
    assert!(follower.next(Position::ORIGIN, 10).await.unwrap().commits.is_empty());
    assert!(follower.next(Position(1), 10).await.unwrap().commits.is_empty(), "merely early");
    let unknown = FollowError::Unknown { asked: Position(2), tail: Position(1) };
    assert_eq!(follower.next(Position(2), 10).await.unwrap_err(), unknown);
    settle(&models).await;
    assert_eq!(follower.next(Position::ORIGIN, 10).await.unwrap().commits.len(), 1);
}

#[tokio::test]
async fn running_projector_wakes_who_waits_and_stops_on_demand() {
    let mut scene = Scene::new();
    let models = scene.open().await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let runner = models.clone();
    let running = tokio::spawn(async move {
        runner.models().run(async { drop(stopped.await) }).await;
    });
    let position = scene.create("a", "alice").await;
    models.models().wait_for(position, Duration::from_mins(1)).await.unwrap();
    assert_eq!(models.view().position(), position);
    assert_eq!(models.follower().wait(Position::ORIGIN).await.unwrap(), position);
    drop(stop);
    running.await.unwrap();
    drop(models);
    let reopened = scene.open().await;
    assert_eq!(reopened.view().position(), position);
}

#[tokio::test]
async fn read_that_cannot_be_fresh_in_time_is_stale() {
    let scene = Scene::new();
    let models = scene.open().await;
    let stale = models.models().wait_for(Position(1), Duration::ZERO).await.unwrap_err();
    assert_eq!(stale, Stale { asked: Position(1), checkpoint: Position::ORIGIN });
}
