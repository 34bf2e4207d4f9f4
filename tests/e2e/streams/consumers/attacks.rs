//! Programs that fight over a consumer, answer with the wrong batch, lose access or read nothing.

use serde_json::{Value, json};

use super::{
    NAME, boundaries,
    client::{
        Consuming, acknowledge, acknowledge_batch, delete, parking, reset, texts, texts_of,
        try_acknowledge,
    },
    consumer, numbers, say, settle, start,
};
use crate::{
    client::Client,
    server::{Server, eventually},
    services::registered::{add, ensure},
};

#[test]
fn a_batch_that_came_at_once_is_the_same_after_a_kill() {
    let (_data, server, alice, bob, room) = start(&[]);
    let mut consuming = Consuming::start(&bob, NAME, 100);
    assert_eq!(consuming.next().expect("a chunk")["caughtUp"], true);
    let mut came = Vec::new();
    for number in 0..2 {
        say(&alice, &room, number..number + 1);
        came.push(consuming.batch());
    }
    // Nothing of them needs to be stored now.
    let server = Server::start(&server.kill());
    let (alice, bob) = (alice.at(&server), bob.at(&server));
    say(&alice, &room, 2..9);
    let poison = came[1]["events"][0]["eventId"].clone();
    assert_eq!(parking(&bob, "park", NAME, &poison, Some("it came")), Ok(()));
    // Neither another size nor another filter changes them.
    let filter = json!({ "conditions": { "types": ["m.room.topic"] } });
    let mut consuming = Consuming::with(&bob, &json!({ "name": NAME, "max": 7, "filter": filter }));
    for batch in &came {
        let again = consuming.batch();
        assert_eq!(boundaries(&again), boundaries(batch));
        assert_eq!(texts_of(&again), [""; 0], "the filter wants topics");
    }
    let server = Server::start(&server.kill());
    let bob = bob.at(&server);
    assert_eq!(acknowledge_batch(&bob, NAME, &came[0]), Ok(came[0]["position"].clone()));
    acknowledge(&bob, NAME, &came[1]["position"]);
    let mut consuming = Consuming::start(&bob, NAME, 100);
    assert_eq!(texts(&consuming.drain(&bob, NAME)), numbers(2..9));
}

#[test]
fn a_batch_from_before_a_reset_settles_no_later_one() {
    let (_data, _server, alice, bob, room) = start(&[]);
    let begin = json!(bob.position());
    say(&alice, &room, 0..4);
    reset(&bob, NAME, &json!({ "position": begin }));
    let mut consuming = Consuming::start(&bob, NAME, 4);
    let old = consuming.batch();
    assert_eq!(texts_of(&old), numbers(0..4));
    reset(&bob, NAME, &json!({ "position": begin }));
    let new = loop {
        let batch = consuming.batch();
        if batch["batch"] != old["batch"] {
            break batch;
        }
    };
    assert_eq!(new["position"], old["position"], "both end at the same place");
    assert_eq!(acknowledge_batch(&bob, NAME, &old), Err("POSITION_NOT_DELIVERED".into()));
    assert_eq!(consumer(&bob, NAME)["position"], begin);
    assert_eq!(acknowledge_batch(&bob, NAME, &new), Ok(new["position"].clone()));
    assert_eq!(acknowledge_batch(&bob, NAME, &old), Ok(new["position"].clone()), "it is past");
}

#[test]
fn two_programs_that_take_a_consumer_from_each_other_lose_nothing() {
    let (_data, _server, alice, bob, room) = start(&[]);
    say(&alice, &room, 0..6);
    let mut first = Consuming::start(&bob, NAME, 1);
    let batch = first.batch();
    for round in 0..20 {
        let mut second = Consuming::start(&bob, NAME, 3);
        assert_eq!(boundaries(&second.batch()), boundaries(&batch), "round {round}");
        loop {
            match first.next() {
                // The chunk that was still in transit is one of the outstanding batches.
                Ok(chunk) => assert!(texts_of(&chunk).len() <= 1, "{chunk}"),
                Err(code) => break assert_eq!(code, "CONSUMER_TAKEN_OVER"),
            }
        }
        first = second;
    }
    assert!(consumer(&bob, NAME)["attempts"].as_i64() > Some(20));
    acknowledge(&bob, NAME, &batch["position"]);
    let mut last = Consuming::start(&bob, NAME, 100);
    assert_eq!(texts(&last.drain(&bob, NAME)), numbers(1..6));
}

#[test]
fn a_consumer_that_is_reset_and_deleted_while_it_gets_batches_begins_again_each_time() {
    let (_data, _server, alice, bob, room) = start(&[]);
    let begin = json!(bob.position());
    alice.say_many(&room, "text", 300);
    for _ in 0..10 {
        let from = json!({ "position": begin });
        let arguments = json!({ "name": NAME, "max": 7, "from": from });
        let mut consuming = Consuming::with(&bob, &arguments);
        let batch = consuming.batch();
        reset(&bob, NAME, &from);
        // The reset may have come before or after the second batch.
        let again = loop {
            let next = consuming.batch();
            acknowledge_batch(&bob, NAME, &next).ok();
            if next["events"][0] == batch["events"][0] && next["batch"] != batch["batch"] {
                break next;
            }
        };
        assert_eq!(boundaries(&again).1, batch["position"], "it begins again");
        assert_eq!(delete(&bob, NAME)["name"], NAME);
        let code = loop {
            if let Err(code) = consuming.next() {
                break code;
            }
        };
        assert_eq!(code, "CONSUMER_DELETED");
    }
}

#[test]
fn after_a_kick_a_consumer_gets_nothing_of_the_room_also_from_the_beginning() {
    let (_data, _server, alice, bob, room) = start(&[]);
    say(&alice, &room, 0..2);
    let mut consuming = Consuming::start(&bob, NAME, 2);
    let before = consuming.batch();
    let poison = before["events"][0]["eventId"].clone();
    assert_eq!(parking(&bob, "park", NAME, &poison, Some("later")), Ok(()));
    alice.act("kickUser", json!({ "roomId": room, "userId": bob.user_id }));
    let secret = json!(alice.say(&room, "secret"));
    settle(&alice);
    acknowledge(&bob, NAME, &before["position"]);
    let after = consuming.drain(&bob, NAME);
    assert!(after.iter().any(|event| event["__typename"] == "RoomClosed"), "{after:?}");
    assert_eq!(texts(&after), [""; 0]);
    assert_eq!(parking(&bob, "park", NAME, &secret, Some("curious")), Err("NO_SUCH_EVENT".into()));
    reset(&bob, NAME, &json!({ "beginning": true }));
    let all = Consuming::start(&bob, NAME, 100).drain(&bob, NAME);
    assert!(!json!(all).to_string().contains("secret"), "{all:?}");
    assert!(texts(&all).contains(&"1".to_owned()), "what was visible then still is: {all:?}");
}

#[test]
fn a_program_that_reads_nothing_has_two_batches_and_costs_no_more() {
    let (_data, _server, alice, bob, room) = start(&[]);
    let mut silent = Consuming::start(&bob, NAME, 1);
    assert_eq!(silent.next().expect("a chunk")["caughtUp"], true);
    say(&alice, &room, 0..20);
    eventually("two batches are out", || consumer(&bob, NAME)["attempts"] == 1);
    let end = json!(bob.position());
    assert_eq!(try_acknowledge(&bob, NAME, &end), Err("POSITION_NOT_DELIVERED".into()));
    let (first, second) = (silent.batch(), silent.batch());
    assert_eq!((texts_of(&first), texts_of(&second)), (numbers(0..1), numbers(1..2)));
    acknowledge(&bob, NAME, &second["position"]);
    assert_eq!(texts(&silent.drain(&bob, NAME)), numbers(2..20));
}

#[test]
fn the_bot_of_a_service_and_its_users_have_consumers() {
    let (data, server, alice, _bob, _room) = start(&[]);
    let bot = add(&server, data.path(), "tea");
    let user = ensure(&bot, "_tea_carol");
    let room = alice.create_room(json!({ "preset": "PUBLIC" }));
    let begin = |client: &Client| {
        client.act("joinRoom", json!({ "roomId": room }));
        let mut consuming = Consuming::start(client, NAME, 100);
        consuming.drain(client, NAME);
        consuming
    };
    let both = [(begin(&bot), &bot), (begin(&user), &user)];
    alice.say(&room, "hello");
    for (mut consuming, client) in both {
        let batch = loop {
            let batch = consuming.batch();
            acknowledge(client, NAME, &batch["position"]);
            if texts_of(&batch) == ["hello"] {
                break batch;
            }
        };
        assert_eq!(consumer(client, NAME)["position"], batch["position"]);
        assert_eq!(consumer(client, NAME)["owner"]["userId"], json!(client.user_id));
    }
    let all = "{ admin { consumers(first: 100) { nodes { owner { userId } } } } }";
    let listed = alice.run(all, &json!({}))["admin"]["consumers"]["nodes"].clone();
    let owners: Vec<&Value> =
        listed.as_array().unwrap().iter().map(|it| &it["owner"]["userId"]).collect();
    assert!(
        owners.contains(&&json!(bot.user_id)) && owners.contains(&&json!(user.user_id)),
        "{listed}"
    );
}
