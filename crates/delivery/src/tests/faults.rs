//! Consumers whose records cannot be stored for a while.

use std::{sync::Arc, time::Duration};

use rookery_log::Millis;
use tokio::time::timeout;

use super::testing::{Scene, settle, user};
use crate::{
    BatchPlace, ConsumerKey, ConsumerOwner, Consumers, Feeds, PushedBatch, PushedConsumer,
    testing::ConsumersInMemory,
};

/// How long anything takes at most that does not wait for ever.
const SOON: Duration = Duration::from_secs(20);

fn key() -> ConsumerKey {
    ConsumerKey { owner: ConsumerOwner::User(user("alice")), name: "bot".to_owned() }
}

/// A room of Alice, and a consumer of hers.
async fn start() -> (Scene, Feeds, Arc<ConsumersInMemory>, Consumers, PushedConsumer) {
    let mut scene = Scene::new();
    scene.create("r", "alice").await;
    let feeds = scene.open().await;
    let records: Arc<ConsumersInMemory> = Arc::default();
    let consumers = Consumers::new(feeds.clone(), records.clone(), Duration::from_mins(1));
    let of = (feeds.clone(), consumers.clone());
    let pushed = PushedConsumer::open(of, key(), user("alice"), None, || Millis(1)).await.unwrap();
    (scene, feeds, records, consumers, pushed)
}

async fn say(scene: &mut Scene, feeds: &Feeds) {
    scene.message("r", "alice").await;
    settle(feeds).await;
}

async fn next(pushed: &mut PushedConsumer) -> PushedBatch {
    timeout(SOON, pushed.current()).await.expect("it goes on").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_goes_on_after_a_fault_of_the_store_whatever_was_stored() {
    for is_made in [false, true] {
        let (mut scene, feeds, records, _, mut pushed) = start().await;
        say(&mut scene, &feeds).await;
        let first = next(&mut pushed).await;
        records.fail(is_made);
        pushed.acknowledge().await.unwrap_err();
        records.repair();
        say(&mut scene, &feeds).await;
        let mut after = next(&mut pushed).await;
        if !is_made {
            assert_eq!(after.place, first.place, "it was not acknowledged");
            pushed.acknowledge().await.unwrap();
            after = next(&mut pushed).await;
        }
        assert_ne!(after.place, first.place);
        assert_eq!(after.events.len(), 1);
        pushed.acknowledge().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_ends_if_its_consumer_is_gone_after_a_fault() {
    let (mut scene, feeds, records, _, mut pushed) = start().await;
    say(&mut scene, &feeds).await;
    next(&mut pushed).await;
    records.fail(false);
    pushed.acknowledge().await.unwrap_err();
    records.repair();
    records.clear();
    let ended = timeout(SOON, pushed.current()).await.expect("it ends");
    assert!(ended.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_deletion_forgets_no_batch() {
    let (mut scene, feeds, records, consumers, mut pushed) = start().await;
    say(&mut scene, &feeds).await;
    let first = next(&mut pushed).await;
    records.fail(false);
    consumers.delete(&key()).await.unwrap_err();
    records.repair();
    let record = consumers.record(&key()).await.unwrap();
    let places: Vec<BatchPlace> = record.places().map(|(place, _)| place).collect();
    assert_eq!(places, [first.place]);
}
