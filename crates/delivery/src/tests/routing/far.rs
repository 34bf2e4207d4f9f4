//! A user who is far behind reads their own rooms, and receives the same items.

use proptest::{collection::vec, prelude::*};
use rookery_log::Position;

use super::{
    Follower, USERS, begin, narrow,
    story::{act, play},
    told_by_oracle,
};
use crate::{
    Feeds,
    tests::testing::{Options, Scene, settle, user},
};

/// All public receipts: the user and the room, each with its place.
async fn receipts(scene: &Scene, models: &Feeds) -> Vec<(String, u64)> {
    let mut receipts = Vec::new();
    for name in USERS {
        let who = format!("user/{}", user(name));
        let told = told_by_oracle(scene, models, &user(name), Position::ORIGIN).await;
        receipts.extend(
            told.iter().filter_map(|line| receipt(line)).filter(|(of, _)| of.starts_with(&who)),
        );
    }
    receipts
}

fn receipt(line: &str) -> Option<(String, u64)> {
    let (position, of) = line.split_once(": receipt ")?;
    Some((of.to_owned(), position.parse().unwrap()))
}

/// `told` without the receipts of others that a later one of the same user in the same room has
/// superseded.
fn without_superseded(told: &[String], own: &str, all: &[(String, u64)]) -> Vec<String> {
    let is_superseded = |line: &str| {
        let Some((of, at)) = receipt(line).filter(|(of, _)| !of.starts_with(own)) else {
            return false;
        };
        all.iter().any(|(other, later)| *other == of && *later > at)
    };
    told.iter().filter(|line| !is_superseded(line)).cloned().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn the_shorter_way_tells_what_the_log_tells_but_for_superseded_receipts(
        acts in vec(act(), 1..60),
        after in 0u64..40,
        cuts in vec((1usize..4, 1usize..6), 0..4),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let options = Options { far_commits: Some(1), ..narrow(4, 4) };
            let (mut scene, models) = begin(options).await;
            // Rooms of other users, so that there is something to leave out.
            for number in 0..30 {
                scene.create(&format!("room{number}"), "dan").await;
            }
            for act in &acts {
                play(&mut scene, act).await;
            }
            settle(&models).await;
            let after = Position(after.min(models.view().position().0));
            let all = receipts(&scene, &models).await;
            for name in USERS {
                let mut follower = Follower::after(&models, name, after);
                for (turns, of_page) in &cuts {
                    follower.read(*turns, *of_page).await;
                    follower.cut(&models);
                }
                follower.read(usize::MAX, usize::MAX).await;
                let expected = told_by_oracle(&scene, &models, &user(name), after).await;
                let own = format!("user/{}", user(name));
                prop_assert!(follower.told.iter().all(|told| expected.contains(told)));
                prop_assert_eq!(
                    without_superseded(&follower.told, &own, &all),
                    without_superseded(&expected, &own, &all),
                    "{}", name
                );
            }
            Ok(())
        })?;
    }
}

#[tokio::test]
async fn one_far_behind_whose_rooms_are_quiet_does_not_read_the_log() {
    let mut scene = Scene::new();
    scene.create("tea", "alice").await;
    let after = scene.create("pot", "bob").await;
    scene.message("tea", "alice").await;
    for _ in 0..500 {
        scene.message("pot", "bob").await;
    }
    let last = scene.message("tea", "alice").await;
    let options = Options { far_commits: Some(100), rebuild_threads: 1, ..Options::default() };
    let models = scene.open_with(options).await;
    let mut alice = Follower::after(&models, "alice", after);
    alice.read(usize::MAX, usize::MAX).await;
    assert_eq!(alice.told, ["3: m.room.message".to_owned(), format!("{last}: m.room.message")]);
    let counted = models.counters();
    assert_eq!((counted.shortcuts, counted.page_reads, counted.live), (1, 0, 1));
}

#[tokio::test]
async fn one_far_behind_whose_rooms_are_busy_reads_along_the_log() {
    let mut scene = Scene::new();
    scene.create("tea", "alice").await;
    scene.create("pot", "bob").await;
    scene.member("pot", "alice", "join").await;
    for _ in 0..50 {
        scene.message("tea", "alice").await;
        scene.message("pot", "bob").await;
    }
    let options = Options { far_commits: Some(50), rebuild_threads: 1, ..Options::default() };
    let models = scene.open_with(options).await;
    let mut alice = Follower::after(&models, "alice", Position(3));
    alice.read(usize::MAX, usize::MAX).await;
    assert_eq!(alice.told.len(), 100);
    assert_eq!((models.counters().shortcuts, models.counters().page_reads), (0, 13));
}
