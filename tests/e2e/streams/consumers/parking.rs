//! Events that a consumer sets aside.

use serde_json::{Value, json};

use super::{
    NAME,
    client::{Consuming, acknowledge, acknowledge_batch, parked, parking, texts_of},
    numbers, say, start,
};
use crate::server::{Server, eventually};

#[test]
fn a_parked_event_comes_no_more_and_the_consumer_goes_on_without_it() {
    let (_data, server, alice, bob, room) = start(&[]);
    say(&alice, &room, 0..3);
    let mut consuming = Consuming::start(&bob, NAME, 3);
    let batch = consuming.batch();
    let poison = batch["events"][1]["eventId"].clone();
    assert_eq!(parking(&bob, "park", NAME, &poison, Some("it is one")), Ok(()));
    let server = Server::start(&server.kill());
    let (alice, bob) = (alice.at(&server), bob.at(&server));
    let mut consuming = Consuming::start(&bob, NAME, 3);
    let again = consuming.batch();
    assert_eq!((&again["batch"], &again["position"]), (&batch["batch"], &batch["position"]));
    assert_eq!(texts_of(&again), ["0", "2"], "it is left out of the batch that comes again");
    let sequence = &batch["events"][1]["sequence"];
    let skipped =
        json!({ "roomId": room, "first": sequence, "last": sequence, "reason": "PARKED" });
    assert!(again["skipped"].as_array().unwrap().contains(&skipped), "{again}");
    acknowledge(&bob, NAME, &again["position"]);
    say(&alice, &room, 3..4);
    assert_eq!(texts_of(&consuming.batch()), numbers(3..4));
    let listed = parked(&bob, NAME);
    assert_eq!(listed["parkedCount"], 1);
    let node = &listed["parked"]["nodes"][0];
    assert_eq!((&node["eventId"], &node["reason"]), (&poison, &json!("it is one")));
    assert_eq!(node["event"]["text"], "1");
}

#[test]
fn a_retried_event_comes_alone_until_it_is_acknowledged_or_parked_again() {
    let (_data, server, alice, bob, room) = start(&[]);
    say(&alice, &room, 0..3);
    let mut consuming = Consuming::start(&bob, NAME, 3);
    let batch = consuming.batch();
    let poison = batch["events"][1]["eventId"].clone();
    parking(&bob, "park", NAME, &poison, Some("try later")).unwrap();
    acknowledge(&bob, NAME, &batch["position"]);
    parking(&bob, "retryParked", NAME, &poison, None).unwrap();
    let retry = consuming.batch();
    assert_eq!(texts_of(&retry), ["1"]);
    // The position alone was acknowledged before: it does not settle the event.
    acknowledge(&bob, NAME, &retry["position"]);
    let server = Server::start(&server.kill());
    let (alice, bob) = (alice.at(&server), bob.at(&server));
    let mut consuming = Consuming::start(&bob, NAME, 3);
    let again = consuming.batch();
    assert_eq!((&again["batch"], texts_of(&again)), (&retry["batch"], numbers(1..2)));
    parking(&bob, "park", NAME, &poison, Some("not yet")).unwrap();
    say(&alice, &room, 3..4);
    let next = consuming.batch();
    assert_eq!(texts_of(&next), numbers(3..4), "the others go on");
    assert_eq!(parked(&bob, NAME)["parked"]["nodes"][0]["reason"], "not yet");
    acknowledge(&bob, NAME, &next["position"]);
    parking(&bob, "retryParked", NAME, &poison, None).unwrap();
    let retry = consuming.batch();
    assert_eq!(acknowledge_batch(&bob, NAME, &retry), Ok(retry["position"].clone()));
    assert_eq!(parked(&bob, NAME)["parkedCount"], 0);
    assert_eq!(
        parking(&bob, "retryParked", NAME, &poison, None),
        Err("NO_SUCH_EVENT".into()),
        "it is settled"
    );
    say(&alice, &room, 4..5);
    assert_eq!(texts_of(&Consuming::start(&bob, NAME, 3).batch()), numbers(4..5));
}

#[test]
fn a_settled_event_does_not_come_with_its_first_batch() {
    let (_data, _server, alice, bob, room) = start(&[]);
    say(&alice, &room, 0..3);
    let mut consuming = Consuming::start(&bob, NAME, 3);
    let batch = consuming.batch();
    let id = |index: usize| batch["events"][index]["eventId"].clone();
    for index in [0, 1] {
        parking(&bob, "park", NAME, &id(index), Some("why")).unwrap();
    }
    parking(&bob, "discardParked", NAME, &id(0), None).unwrap();
    assert_eq!(parking(&bob, "discardParked", NAME, &id(0), None), Err("NO_SUCH_EVENT".into()));
    parking(&bob, "retryParked", NAME, &id(1), None).unwrap();
    let retry = consuming.batch();
    assert_eq!(texts_of(&retry), ["1"]);
    acknowledge_batch(&bob, NAME, &retry).unwrap();
    eventually("nothing is parked", || parked(&bob, NAME)["parkedCount"] == 0);
    let again = Consuming::start(&bob, NAME, 3).batch();
    assert_eq!((&again["batch"], texts_of(&again)), (&batch["batch"], vec!["2".to_owned()]));
}

#[test]
fn only_events_of_outstanding_batches_can_be_parked() {
    let (_data, _server, alice, bob, room) = start(&[]);
    let hidden = alice.create_room(json!({}));
    let secret = json!(alice.say(&hidden, "secret"));
    say(&alice, &room, 0..2);
    let mut consuming = Consuming::start(&bob, NAME, 1);
    let (first, second) = (consuming.batch(), consuming.batch());
    let id = |batch: &Value| batch["events"][0]["eventId"].clone();
    acknowledge(&bob, NAME, &first["position"]);
    let park =
        |event: &Value, name: &str, reason: &str| parking(&bob, "park", name, event, Some(reason));
    assert_eq!(park(&id(&first), NAME, "late"), Err("EVENT_NOT_DELIVERED".into()));
    assert_eq!(park(&secret, NAME, "curious"), Err("NO_SUCH_EVENT".into()));
    assert_eq!(park(&id(&second), "other", "lost"), Err("NO_SUCH_CONSUMER".into()));
    assert_eq!(park(&id(&second), NAME, &"x".repeat(1_025)), Err("TOO_LARGE".into()));
    assert_eq!(park(&id(&second), NAME, &"x".repeat(1_024)), Ok(()));
    assert_eq!(parking(&bob, "retryParked", NAME, &id(&first), None), Err("NO_SUCH_EVENT".into()));
}
