//! The cost of delivery, in numbers.

use rookery_log::Position;

use super::{Follower, begin, narrow};
use crate::{
    NextDelivery,
    tests::testing::{Options, Scene, settle, user},
};

#[tokio::test]
async fn a_commit_of_a_room_wakes_its_members_and_nobody_else() {
    let mut scene = Scene::new();
    scene.create("tea", "alice").await;
    let others: Vec<_> = (0..1_000).map(|number| format!("other{number}")).collect();
    for (number, name) in others.iter().enumerate() {
        scene.create(&format!("room{}", number % 50), name).await;
    }
    let models = scene.open_with(Options { rebuild_threads: 1, ..Options::default() }).await;
    let mut alice = models.subscribe(&user("alice"));
    let others: Vec<_> = others.iter().map(|name| models.subscribe(&user(name))).collect();
    assert_eq!((models.counters().subscribers, models.counters().live), (1_001, 1_001));
    for _ in 0..10 {
        scene.message("tea", "alice").await;
    }
    settle(&models).await;
    let counted = models.counters();
    assert_eq!((counted.routed, counted.wakes), (10, 1), "ten commits, one batch, one to wake");
    for _ in 0..10 {
        let NextDelivery::Live(delivery) = alice.turn().await.unwrap() else {
            panic!("she is live")
        };
        assert!(delivery.plain);
    }
    assert!(alice.is_caught_up());
    drop((alice, others));
    assert_eq!((models.counters().subscribers, models.counters().live), (0, 0));
}

#[tokio::test]
async fn a_full_inbox_is_counted_and_read_on_from_the_log() {
    let (mut scene, models) = begin(narrow(4, 64)).await;
    let mut alice = models.subscribe(&user("alice"));
    for _ in 0..9 {
        scene.message("tea", "alice").await;
    }
    settle(&models).await;
    assert_eq!((models.counters().overflows, models.counters().live), (1, 0));
    let mut told = 0;
    while !alice.is_caught_up() {
        match alice.turn().await.unwrap() {
            NextDelivery::Live(_) => told += 1,
            NextDelivery::Behind(mut page) => {
                while alice.take(&mut page).is_some() {
                    told += 1;
                }
            }
        }
    }
    assert_eq!(told, 9);
    assert_eq!(models.counters().live, 1);
    assert!(alice.position() > Position(9));
}

/// Lets `readers` catch up at the same time from positions between 100 and 140, each with another
/// user. Returns the pages that were read. The ring is empty, as after a start of the server.
async fn pages_of_a_storm(readers: u64, pages_bytes_max: usize) -> u64 {
    let mut scene = Scene::new();
    scene.create("tea", "alice").await;
    for _ in 0..400 {
        scene.message("tea", "alice").await;
    }
    let options = Options {
        pages_bytes_max: Some(pages_bytes_max),
        rebuild_threads: 1,
        ..Options::default()
    };
    let models = scene.open_with(options).await;
    assert!(models.models().latest(Position(401)).is_none());
    let mut catching_up = tokio::task::JoinSet::new();
    for number in 0..readers {
        let models = models.clone();
        catching_up.spawn(async move {
            let position = Position(100 + number % 40);
            let mut follower = Follower::after(&models, "alice", position);
            follower.read(usize::MAX, usize::MAX).await;
            assert_eq!(follower.told.len() as u64, 401 - position.0);
        });
    }
    while let Some(caught_up) = catching_up.join_next().await {
        caught_up.unwrap();
    }
    let counted = models.counters();
    assert_eq!(counted.live, 0, "all of them are gone");
    counted.page_reads
}

#[tokio::test]
async fn readers_that_catch_up_together_read_the_log_hardly_more_often_than_one_does() {
    let plenty = rookery_projection::Options::default().pages_bytes_max;
    let alone = pages_of_a_storm(1, plenty).await;
    assert!(alone > 30, "{alone} pages");
    assert_eq!(pages_of_a_storm(200, plenty).await, alone);
    // With memory for about a quarter of the pages that they read: more than the six pages over
    // which they are spread.
    let together = pages_of_a_storm(200, 150_000).await;
    assert!(together <= 2 * alone, "{together} pages, where one reads {alone}");
}
