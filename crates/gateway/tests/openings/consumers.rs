//! Consumers whose batches wait for a turn, while others change their records.

use std::time::Duration;

use futures_util::{StreamExt as _, stream::BoxStream};
use rookery_delivery::{BatchPlace, ConsumerKey, ConsumerOwner, ConsumerPlace, ConsumerTurn};
use rookery_log::{Millis, Position};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::home::{Device, Home, data};

const CONSUME: &str = "subscription($max: Int) { consume(name: \"bot\", max: $max) {
    events { ... on RoomEvent { text } } position batch attempt } }";

const ACKNOWLEDGE: &str = "mutation($position: Position!) {
    acknowledge(input: { name: \"bot\", position: $position }) { refusal { code } } }";

const RESET: &str = "mutation { resetConsumer(input: { name: \"bot\", to: { beginning: true } }) {
    refusal { code } } }";

/// How long anything takes at most that does not wait for ever.
const SOON: Duration = Duration::from_secs(20);

type Chunks = BoxStream<'static, async_graphql::Response>;

fn key(name: &str, device: &Device) -> ConsumerKey {
    ConsumerKey { owner: ConsumerOwner::User(device.user.clone()), name: name.to_owned() }
}

async fn next(chunks: &mut Chunks) -> Value {
    let chunk = timeout(SOON, chunks.next()).await.expect("a chunk").expect("it goes on");
    data(chunk)["consume"].take()
}

/// The turn of another consumer of the user, which makes a long batch.
async fn other_turn(home: &Home, device: &Device) -> ConsumerTurn {
    let arrived = (home.consumers.arrive(), Millis(1));
    let other = home.consumers.attach(&key("other", device), ConsumerPlace::Now, arrived).await;
    other.unwrap().turn().await
}

/// How often the batches were sent, once that is as `is_wanted` wants it. The stream is polled meanwhile, and sends
/// nothing.
async fn until(
    home: &Home,
    (device, chunks): (&Device, &mut Chunks),
    is_wanted: impl Fn(&[(BatchPlace, u32)]) -> bool,
) {
    let reached = async {
        loop {
            let record = home.consumers.record(&key("bot", device)).await.unwrap();
            let sent: Vec<_> = record.places().map(|(at, it)| (at, it.deliveries)).collect();
            if is_wanted(&sent) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        chunk = next(chunks) => panic!("it waits for its turn: {chunk}"),
        () = reached => {}
    }
}

/// Ann in a room with `count` messages after the beginning of her consumer.
async fn start(count: usize) -> (Home, Device) {
    let home = Home::open().await;
    let ann = home.register("ann").await;
    let room = home.act(&ann, "createRoom", json!({})).await;
    let room = room["room"]["roomId"].as_str().unwrap();
    let mut chunks = home.subscribe(&ann, CONSUME, json!({ "max": 100 }));
    assert_eq!(next(&mut chunks).await["batch"], Value::Null);
    for number in 0..count {
        home.say(&ann, room, &number.to_string()).await;
    }
    (home, ann)
}

#[tokio::test]
async fn a_batch_that_is_acknowledged_while_it_waits_does_not_come() {
    let (home, ann) = start(40).await;
    let mut chunks = home.subscribe(&ann, CONSUME, json!({ "max": 20 }));
    let first = next(&mut chunks).await;
    assert_eq!(first["events"].as_array().map(Vec::len), Some(20));
    drop(chunks);
    let other = other_turn(&home, &ann).await;
    let mut chunks = home.subscribe(&ann, CONSUME, json!({ "max": 20 }));
    let is_sent_again = |sent: &[(BatchPlace, u32)]| sent.first().is_some_and(|it| it.1 == 2);
    until(&home, (&ann, &mut chunks), is_sent_again).await;
    let answer = home.ask(&ann, ACKNOWLEDGE, json!({ "position": first["position"] })).await;
    assert_eq!(answer["acknowledge"]["refusal"], Value::Null);
    drop(other);
    let then = next(&mut chunks).await;
    assert_ne!(then["batch"], first["batch"], "it was acknowledged");
    assert_eq!(then["events"][0]["text"], "20");
    home.close().await;
}

#[tokio::test]
async fn a_batch_from_before_a_reset_does_not_come_after_it() {
    let (home, ann) = start(20).await;
    let other = other_turn(&home, &ann).await;
    let mut chunks = home.subscribe(&ann, CONSUME, json!({ "max": 20 }));
    let is_made = |sent: &[(BatchPlace, u32)]| !sent.is_empty();
    until(&home, (&ann, &mut chunks), is_made).await;
    let answer = home.ask(&ann, RESET, json!({})).await;
    assert_eq!(answer["resetConsumer"]["refusal"], Value::Null);
    drop(other);
    next(&mut chunks).await;
    let record = home.consumers.record(&key("bot", &ann)).await.unwrap();
    let places: Vec<_> = record.places().map(|(place, batch)| (place, batch.deliveries)).collect();
    assert_eq!(places, [(BatchPlace::After(Position::ORIGIN), 1)], "what came is the past");
    home.close().await;
}

#[tokio::test]
async fn a_cursor_that_names_a_user_of_another_server_has_nothing_after_it() {
    let (home, ann) = start(0).await;
    let document =
        "query($after: String) { viewer { consumers(after: $after) { nodes { name } } } }";
    let all = home.ask(&ann, document, json!({})).await;
    assert_eq!(all["viewer"]["consumers"]["nodes"], json!([{ "name": "bot" }]));
    // "@x:other.example bot"
    let after = "QHg6b3RoZXIuZXhhbXBsZSBib3Q";
    let none = home.ask(&ann, document, json!({ "after": after })).await;
    assert_eq!(none["viewer"]["consumers"]["nodes"], json!([]));
    home.close().await;
}
