//! What delivery costs, in numbers.

use rookery_log::Position;

use super::{begin, narrow};
use crate::{
    Options, Turn,
    testing::{Scene, settle, user},
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
    assert_eq!((models.delivery().subscribers, models.delivery().live), (1_001, 1_001));
    for _ in 0..10 {
        scene.message("tea", "alice").await;
    }
    settle(&models).await;
    let counted = models.delivery();
    assert_eq!((counted.routed, counted.wakes), (10, 1), "ten commits, one batch, one to wake");
    for _ in 0..10 {
        let Turn::Live(delivery) = alice.turn().await.unwrap() else { panic!("she is live") };
        assert!(delivery.plain);
    }
    assert!(alice.is_caught_up());
    drop((alice, others));
    assert_eq!((models.delivery().subscribers, models.delivery().live), (0, 0));
}

#[tokio::test]
async fn a_full_inbox_is_counted_and_read_on_from_the_log() {
    let (mut scene, models) = begin(narrow(4, 64)).await;
    let mut alice = models.subscribe(&user("alice"));
    for _ in 0..9 {
        scene.message("tea", "alice").await;
    }
    settle(&models).await;
    assert_eq!((models.delivery().overflows, models.delivery().live), (1, 0));
    let mut told = 0;
    while !alice.is_caught_up() {
        match alice.turn().await.unwrap() {
            Turn::Live(_) => told += 1,
            Turn::Behind(mut page) => {
                while alice.take(&mut page).is_some() {
                    told += 1;
                }
            }
        }
    }
    assert_eq!(told, 9);
    assert_eq!(models.delivery().live, 1);
    assert!(alice.position() > Position(9));
}
