//! Transactions from a durable consumer, over real models.

use std::{sync::Arc, time::Duration};

use rookery_delivery::{
    ConsumerKey, ConsumerOwner, ConsumerStore, Consumers, testing::ConsumersInMemory,
};
use rookery_domain::{OwnedEventId, OwnedUserId};
use rookery_log::Millis;
use serde_json::{Value, json};
use tokio::{sync::oneshot, time::timeout};

use super::home::Home;
use crate::{ConsumerSource, Source as _, SourceError, Transaction};

fn bot() -> OwnedUserId {
    "@bridge:one.example".try_into().unwrap()
}

fn key() -> ConsumerKey {
    ConsumerKey { owner: ConsumerOwner::User(bot()), name: "matrix".to_owned() }
}

/// A source after a start of the server: nothing but the records is left.
pub(super) async fn source(
    home: &Home,
    records: &Arc<ConsumersInMemory>,
) -> (Consumers, ConsumerSource) {
    let store: Arc<dyn ConsumerStore> = records.clone();
    let consumers = Consumers::new(home.feeds.clone(), store, Duration::from_mins(1));
    let feeds = home.feeds.clone();
    let opened = ConsumerSource::open(feeds, consumers.clone(), key(), bot(), || Millis(1)).await;
    (consumers, opened.unwrap())
}

fn bodies(transaction: &Transaction) -> Vec<&Value> {
    transaction.events.iter().map(|event| &event["content"]["body"]).collect()
}

#[tokio::test]
async fn a_transaction_is_the_same_after_a_restart_until_it_is_acknowledged() {
    let home = Home::open().await;
    let records = Arc::default();
    let room = home.room(json!({})).await;
    let (_, mut first) = source(&home, &records).await;
    home.say(&room, "one", "t1").await;
    let sent = first.current().await.unwrap();
    assert_eq!(bodies(&sent), ["one"]);
    home.say(&room, "two", "t2").await;
    assert_eq!(first.current().await.unwrap(), sent, "it is not acknowledged");
    let (_, mut second) = source(&home, &records).await;
    assert_eq!(second.current().await.unwrap(), sent, "nor is it after a restart");
    second.acknowledge().await.unwrap();
    let (_, mut third) = source(&home, &records).await;
    let next = third.current().await.unwrap();
    assert_eq!(bodies(&next), ["two"]);
    assert_ne!(next.id, sent.id);
    home.close().await;
}

#[tokio::test]
async fn a_bridge_that_is_behind_reads_in_turns_with_the_other_readers_of_its_bot() {
    let home = Home::open().await;
    let records = Arc::default();
    let room = home.room(json!({})).await;
    drop(source(&home, &records).await);
    home.say(&room, "one", "t1").await;
    let (release, held) = oneshot::channel();
    let other = home.feeds.catching_up().run(bot(), held);
    let (_, mut source) = source(&home, &records).await;
    assert!(timeout(Duration::from_millis(200), source.current()).await.is_err());
    release.send(()).unwrap();
    other.await.unwrap();
    assert_eq!(bodies(&source.current().await.unwrap()), ["one"]);
    home.close().await;
}

#[tokio::test]
async fn content_that_was_redacted_before_a_try_is_not_in_it() {
    let home = Home::open().await;
    let records = Arc::default();
    let room = home.room(json!({})).await;
    let (_, mut source) = source(&home, &records).await;
    let event = home.say(&room, "secret", "t1").await;
    let sent = source.current().await.unwrap();
    assert_eq!(bodies(&sent), ["secret"]);
    home.call("PUT", &format!("rooms/{room}/redact/{event}/t2"), json!({})).await.ok();
    let again = source.current().await.unwrap();
    assert_eq!((&again.id, again.events.len()), (&sent.id, 1));
    assert_eq!(again.events[0]["content"], json!({}));
    home.close().await;
}

#[tokio::test]
async fn state_comes_with_what_it_replaced_and_an_event_on_which_a_bridge_fails_is_left_out() {
    let home = Home::open().await;
    let records = Arc::default();
    let room = home.room(json!({ "name": "before" })).await;
    let (consumers, mut source) = source(&home, &records).await;
    let name = format!("rooms/{room}/state/m.room.name");
    let renamed = home.call("PUT", &name, json!({ "name": "after" })).await.ok();
    let sent = source.current().await.unwrap();
    assert_eq!(sent.events[0]["unsigned"]["prev_content"], json!({ "name": "before" }));
    assert_eq!(sent.events[0]["state_key"], "");
    let event: OwnedEventId = renamed["event_id"].as_str().unwrap().try_into().unwrap();
    let place = home.feeds.reader().view().event(&event).unwrap().unwrap();
    let of = (event, place.position);
    consumers.park(&key(), of, "it crashes".to_owned(), Millis(1)).await.unwrap();
    assert_eq!(source.current().await.unwrap().events, Vec::<Value>::new());
    home.close().await;
}

#[tokio::test]
async fn a_deleted_consumer_ends_its_source() {
    let home = Home::open().await;
    let (consumers, mut source) = source(&home, &Arc::default()).await;
    consumers.delete(&key()).await.unwrap();
    assert_eq!(source.current().await, Err(SourceError::Over));
    home.close().await;
}
