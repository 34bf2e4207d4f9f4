//! Durable consumers: batches that come again until they are acknowledged, and never after.

mod attacks;
pub(crate) mod client;
mod model;
mod parking;

use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use self::client::{Consuming, acknowledge, delete, reset, texts, texts_of, try_acknowledge};
use crate::{
    client::{Client, two},
    server::{Server, eventually, succeed},
};

const NAME: &str = "archive";

/// The parts of a batch that never change.
fn boundaries(batch: &Value) -> (Value, Value) {
    (batch["batch"].clone(), batch["position"].clone())
}

/// Two users in a room, and a consumer of the second at the end of what has happened.
fn start(arguments: &[&str]) -> (TempDir, Server, Client, Client, String) {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), arguments);
    let (alice, bob, room) = two(&server);
    Consuming::start(&bob, NAME, 100).drain(&bob, NAME);
    (data, server, alice, bob, room)
}

fn say(client: &Client, room: &str, numbers: std::ops::Range<usize>) {
    for number in numbers {
        client.say(room, &number.to_string());
    }
    settle(client);
}

/// Waits until the read side has everything that the client has written.
fn settle(client: &Client) {
    client.position();
}

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

fn consumer(client: &Client, name: &str) -> Value {
    let document = "{ viewer { consumers { nodes { name position connected attempts behind
        oldestUnacknowledgedAt acknowledgedAt createdAt owner { userId } } } } }";
    let answer = client.run(document, &json!({}));
    let nodes = answer["viewer"]["consumers"]["nodes"].as_array().unwrap().clone();
    nodes.into_iter().find(|node| node["name"] == name).unwrap_or_default()
}

#[test]
fn a_batch_comes_again_with_its_boundaries_after_cuts_and_kills_until_it_is_acknowledged() {
    let (_data, server, alice, bob, room) = start(&[]);
    say(&alice, &room, 0..5);
    let mut consuming = Consuming::start(&bob, NAME, 3);
    let (first, second) = (consuming.batch(), consuming.batch());
    assert_eq!(texts_of(&first), numbers(0..3));
    assert_eq!(texts_of(&second), numbers(3..5));
    assert_ne!(first["batch"], second["batch"]);
    // More has happened, and more would fit.
    say(&alice, &room, 5..9);
    drop(consuming);
    let mut consuming = Consuming::start(&bob, NAME, 100);
    for batch in [&first, &second] {
        let again = consuming.batch();
        assert_eq!(boundaries(&again), boundaries(batch), "after a cut");
        assert_eq!(again["events"], batch["events"]);
        assert_eq!((&batch["attempt"], &again["attempt"]), (&json!(1), &json!(2)));
    }
    let server = Server::start(&server.kill());
    let bob = bob.at(&server);
    let mut consuming = Consuming::start(&bob, NAME, 1);
    assert_eq!(boundaries(&consuming.batch()), boundaries(&first), "after a kill");
    assert_eq!(boundaries(&consuming.batch()), boundaries(&second));
    acknowledge(&bob, NAME, &first["position"]);
    assert_eq!(
        texts_of(&consuming.batch()),
        numbers(5..6),
        "the third comes after the first ended"
    );
    drop(consuming);
    let server = Server::start(&server.kill());
    let bob = bob.at(&server);
    let mut consuming = Consuming::start(&bob, NAME, 100);
    assert_eq!(boundaries(&consuming.batch()), boundaries(&second), "the first is gone for good");
    assert_eq!(texts_of(&consuming.batch()), numbers(5..6));
    acknowledge(&bob, NAME, &second["position"]);
    assert_eq!(texts_of(&consuming.batch()), numbers(6..9));
}

#[test]
fn after_a_silence_the_outstanding_batches_come_again() {
    let (_data, _server, alice, bob, room) = start(&["--limits-consumer-silence", "300ms"]);
    say(&alice, &room, 0..2);
    let mut consuming = Consuming::start(&bob, NAME, 1);
    let (first, second) = (consuming.batch(), consuming.batch());
    for attempt in 2..5 {
        for batch in [&first, &second] {
            let again = consuming.batch();
            assert_eq!(boundaries(&again), boundaries(batch));
            assert_eq!(again["attempt"], attempt);
        }
    }
    let listed = consumer(&bob, NAME);
    assert!(listed["attempts"].as_i64() >= Some(4), "{listed}");
    assert_ne!(listed["oldestUnacknowledgedAt"], Value::Null);
    acknowledge(&bob, NAME, &second["position"]);
    assert_eq!(consumer(&bob, NAME)["oldestUnacknowledgedAt"], Value::Null);
    alice.say(&room, "2");
    loop {
        // Batches that were on their way come first.
        let batch = consuming.batch();
        if batch["batch"] != first["batch"] && batch["batch"] != second["batch"] {
            assert_eq!(texts_of(&batch), ["2"]);
            break;
        }
    }
}

#[test]
fn a_batch_that_nobody_acknowledges_is_reported_and_never_dropped() {
    let (_data, server, alice, bob, room) = start(&["--limits-consumer-silence", "50ms"]);
    alice.say(&room, "poison");
    let mut consuming = Consuming::start(&bob, NAME, 1);
    let first = consuming.batch();
    while consuming.batch()["attempt"].as_i64() < Some(12) {}
    eventually("the log names the batch to the operator", || {
        server.logged("does not acknowledge a batch").iter().any(|line| line.contains(NAME))
    });
    let again = consuming.batch();
    assert_eq!(boundaries(&again), boundaries(&first));
    assert_eq!(texts_of(&again), ["poison"]);
}

#[test]
fn an_acknowledgement_holds_for_ever_and_only_batches_can_be_acknowledged() {
    let (_data, _server, alice, bob, room) = start(&[]);
    let before = consumer(&bob, NAME)["position"].clone();
    say(&alice, &room, 0..2);
    let middle = json!(bob.position());
    say(&alice, &room, 2..4);
    let mut consuming = Consuming::start(&bob, NAME, 4);
    let batch = consuming.batch();
    assert_eq!(try_acknowledge(&bob, NAME, &middle), Err("POSITION_NOT_DELIVERED".into()));
    assert_eq!(consumer(&bob, NAME)["position"], before);
    let end = batch["position"].clone();
    assert_eq!(try_acknowledge(&bob, NAME, &end), Ok(end.clone()));
    // A repeated and an older one change nothing.
    for older in [&end, &middle, &before] {
        assert_eq!(try_acknowledge(&bob, NAME, older), Ok(end.clone()));
    }
    alice.say(&room, "4");
    let later = json!(bob.position());
    assert_eq!(texts_of(&consuming.batch()), ["4"]);
    assert_eq!(try_acknowledge(&bob, NAME, &later), Ok(later.clone()));
    assert_eq!(try_acknowledge(&bob, "other", &later), Err("NO_SUCH_CONSUMER".into()));
    assert_eq!(try_acknowledge(&alice, NAME, &later), Err("NO_SUCH_CONSUMER".into()));
}

#[test]
fn another_connection_takes_a_consumer_over() {
    let (_data, _server, alice, bob, room) = start(&[]);
    let mut first = Consuming::start(&bob, NAME, 100);
    assert_eq!(first.next().expect("a chunk")["caughtUp"], true);
    let mut second = Consuming::start(&bob, NAME, 100);
    assert_eq!(first.next(), Err("CONSUMER_TAKEN_OVER".into()));
    alice.say(&room, "hello");
    assert_eq!(texts_of(&second.batch()), ["hello"]);
    assert_eq!(consumer(&bob, NAME)["connected"], true);
    drop(second);
    eventually("it is not connected", || consumer(&bob, NAME)["connected"] == false);
}

#[test]
fn a_user_has_five_consumers_and_makes_room_by_deleting_one() {
    let (_data, _server, alice, bob, room) = start(&[]);
    for number in 1..5 {
        let mut consuming = Consuming::start(&bob, &format!("number-{number}"), 100);
        consuming.next().expect("there is room");
    }
    assert_eq!(Consuming::start(&bob, "sixth", 100).next(), Err("TOO_MANY_CONSUMERS".into()));
    assert!(Consuming::start(&alice, "sixth", 100).next().is_ok(), "others have their own five");
    let mut ending = Consuming::start(&bob, "number-1", 100);
    ending.next().expect("it is there");
    assert_eq!(delete(&bob, "number-1")["name"], "number-1");
    loop {
        match ending.next() {
            Ok(_) => {}
            Err(code) => {
                assert_eq!(code, "CONSUMER_DELETED");
                break;
            }
        }
    }
    assert_eq!(delete(&bob, "number-1")["refusal"]["code"], "NO_SUCH_CONSUMER");
    assert!(Consuming::start(&bob, "sixth", 100).next().is_ok());
    for name in ["", "two words", &"x".repeat(65), "ä"] {
        assert_eq!(Consuming::start(&bob, name, 100).next(), Err("BAD_USER_INPUT".into()));
    }
    for max in [0, 257] {
        assert_eq!(Consuming::start(&bob, "sixth", max).next(), Err("BAD_USER_INPUT".into()));
    }
    // A new consumer begins with what comes, unless it says otherwise.
    assert_eq!(delete(&bob, "sixth")["name"], "sixth");
    let mut fresh = Consuming::with(&bob, &json!({ "name": "fresh" }));
    assert_eq!(fresh.next().expect("a chunk")["caughtUp"], true);
    alice.say(&room, "new");
    assert_eq!(texts_of(&fresh.batch()), ["new"]);
}

#[test]
fn a_reset_consumer_begins_again_without_the_content_that_was_redacted() {
    let (_data, _server, alice, bob, room) = start(&[]);
    let secret = alice.say(&room, "secret");
    let middle = bob.position();
    alice.say(&room, "known");
    let mut consuming = Consuming::start(&bob, NAME, 1);
    let (first, second) = (consuming.batch(), consuming.batch());
    assert_eq!(texts_of(&first), ["secret"]);
    alice.act("redactEvent", json!({ "roomId": room, "eventId": secret }));
    settle(&alice);
    // The batch that comes again has the boundaries and not the content.
    let mut consuming = Consuming::start(&bob, NAME, 1);
    let again = consuming.batch();
    assert_eq!(boundaries(&again), boundaries(&first));
    assert_eq!(again["events"][0]["eventId"], json!(secret));
    assert_eq!(texts_of(&again), [""; 0]);
    acknowledge(&bob, NAME, &second["position"]);
    let after = consuming.drain(&bob, NAME);
    assert!(after.iter().any(|event| event["redacts"] == json!(secret)), "{after:?}");

    let payload = reset(&bob, NAME, &json!({ "position": middle }));
    assert_eq!(payload["position"], json!(middle));
    let batch = consuming.batch();
    assert_eq!(texts_of(&batch), ["known"], "also on the connection that is open");
    assert_ne!(batch["batch"], second["batch"], "batches after a reset are new ones");
    for to in [json!({ "beginning": true }), json!({ "time": "2020-01-01T00:00:00Z" })] {
        reset(&bob, NAME, &to);
        let mut consuming = Consuming::start(&bob, NAME, 100);
        let all = consuming.drain(&bob, NAME);
        assert!(all.iter().any(|event| event["__typename"] == "RoomOpened"), "{to}");
        assert_eq!(texts(&all), ["known"], "{to}");
        assert!(all.iter().any(|event| event["redacts"] == json!(secret)), "{to}");
    }
    reset(&bob, NAME, &json!({ "time": "2100-01-01T00:00:00Z" }));
    alice.say(&room, "later");
    settle(&alice);
    let mut consuming = Consuming::start(&bob, NAME, 100);
    assert_eq!(texts(&consuming.drain(&bob, NAME)), ["later"]);
    assert_eq!(
        reset(&bob, "other", &json!({ "beginning": true }))["refusal"]["code"],
        "NO_SUCH_CONSUMER"
    );
}

/// Imported messages have old times. The search for a moment must not take their commits for earlier ones.
#[test]
fn a_reset_to_a_moment_before_an_import_skips_nothing() {
    let (data, server, alice, bob, room) = start(&[]);
    say(&alice, &room, 0..5);
    let fifth = alice.say(&room, "5");
    say(&alice, &room, 6..10);
    let document = "query($id: EventID!) { event(eventId: $id) { receivedAt sentAt } }";
    let moment = alice.run(document, &json!({ "id": fifth }))["event"]["receivedAt"].clone();
    drop(server);
    let logs = tempdir().unwrap();
    let mut lines = String::new();
    for number in 0..300 {
        lines += &format!("[{:02}:{:02}] <ada> line {number}\n", 10 + number / 60, number % 60);
    }
    std::fs::create_dir_all(logs.path().join("2004/01/02")).unwrap();
    std::fs::write(logs.path().join("2004/01/02/#tea.txt"), lines).unwrap();
    succeed(data.path(), &["import", "irc", logs.path().to_str().unwrap()], "");
    let server = Server::start(data.path());
    let (alice, bob) = (alice.at(&server), bob.at(&server));
    alice.say(&room, "10");
    settle(&alice);
    reset(&bob, NAME, &json!({ "time": moment }));
    let got = texts(&Consuming::start(&bob, NAME, 100).drain(&bob, NAME));
    let due = numbers(5..11);
    assert_eq!(got[got.len().saturating_sub(due.len())..], due, "everything since the moment");
}

/// Otherwise a cut would let it read the same commits again, and it might never come to the end.
#[test]
fn a_consumer_whose_filter_wants_nothing_of_a_long_log_moves_on_in_batches() {
    let (_data, _server, alice, bob, room) = start(&["--limits-rate", "none"]);
    alice.say_many(&room, "unwanted", 10_100);
    settle(&alice);
    let filter = json!({ "conditions": { "types": ["m.room.topic"] } });
    let mut consuming =
        Consuming::with(&bob, &json!({ "name": NAME, "max": 100, "filter": filter }));
    let first = consuming.batch();
    assert_eq!((&first["events"], &first["caughtUp"]), (&json!([]), &json!(false)));
    acknowledge(&bob, NAME, &first["position"]);
    let second = consuming.batch();
    assert_eq!((&second["events"], &second["caughtUp"]), (&json!([]), &json!(true)));
    assert_ne!(second["position"], first["position"]);
}

#[test]
fn a_consumer_gets_what_the_stream_has() {
    let (_data, server, alice, bob, room) = start(&[]);
    let eve = Client::register(&server, "eve");
    eve.act("joinRoom", json!({ "roomId": room }));
    let begin = bob.position();
    reset(&bob, NAME, &json!({ "position": begin }));
    let ignore = json!({ "input": { "userId": eve.user_id, "isIgnored": true } });
    let document = "mutation($input: SetUserIgnoredInput!) { setUserIgnored(input: $input) {
        refusal { code } } }";
    bob.run(document, &ignore);
    for number in 0..4 {
        alice.say(&room, &format!("text {number}"));
        eve.say(&room, "ignored");
        alice.act("setRoomTopic", json!({ "roomId": room, "topic": number.to_string() }));
    }
    settle(&alice);
    settle(&eve);
    let filter = json!({ "conditions": { "notTypes": ["m.room.topic"] } });
    let arguments = json!({ "name": NAME, "filter": filter, "max": 3 });
    let mut consuming = Consuming::with(&bob, &arguments);
    let (mut events, mut skipped) = (Vec::new(), Vec::new());
    loop {
        let chunk = consuming.next().expect("a chunk");
        events.extend(chunk["events"].as_array().unwrap().clone());
        skipped.extend(chunk["skipped"].as_array().unwrap().clone());
        acknowledge(&bob, NAME, &chunk["position"]);
        if chunk["caughtUp"] == true {
            break;
        }
    }
    let document =
        "query($after: Position!, $filter: FilterBy) { events(after: $after, filter: $filter) {
        events { __typename ... on RoomEvent { eventId type sequence text room { roomId } }
            ... on IgnoredUsersChanged { user { userId } } }
        skipped { roomId first last reason } } }";
    let polled = bob.run(document, &json!({ "after": begin, "filter": filter }))["events"].clone();
    assert_eq!(json!(events), polled["events"]);
    let count = |ranges: &[Value], reason: &str| -> i64 {
        let of = ranges.iter().filter(|range| range["reason"] == reason);
        of.map(|range| range["last"].as_i64().unwrap() - range["first"].as_i64().unwrap() + 1).sum()
    };
    let ranges = polled["skipped"].as_array().unwrap();
    for reason in ["IGNORED", "FILTERED"] {
        assert_eq!(count(&skipped, reason), count(ranges, reason), "{reason}");
        assert_eq!(count(&skipped, reason), 4, "{reason}");
    }
}

#[test]
fn operators_see_all_consumers_and_others_their_own() {
    let (_data, _server, alice, bob, room) = start(&[]);
    let mut own = Consuming::start(&alice, "bot", 100);
    own.drain(&alice, "bot");
    alice.say(&room, "more");
    let all = "query($after: String) { admin { consumers(first: 1, after: $after) {
        nodes { name behind owner { userId } } pageInfo { hasNextPage endCursor } } } }";
    // The first user administers the server.
    let (mut after, mut seen) = (Value::Null, Vec::new());
    loop {
        let page = alice.run(all, &json!({ "after": after }))["admin"]["consumers"].clone();
        for node in page["nodes"].as_array().unwrap() {
            assert!(node["behind"].as_i64().is_some(), "{node}");
            seen.push((node["owner"]["userId"].clone(), node["name"].clone()));
        }
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    let expected = [(json!(alice.user_id), json!("bot")), (json!(bob.user_id), json!(NAME))];
    assert_eq!(seen, expected);
    assert_eq!(bob.fail(all, &json!({})), "FORBIDDEN");
    let mine = consumer(&bob, NAME);
    assert_eq!(mine["owner"]["userId"], json!(bob.user_id));
    assert_eq!(mine["behind"], Value::Null, "the number tells how busy the server is");
    assert_ne!(mine["acknowledgedAt"], Value::Null);
    assert_eq!(consumer(&bob, "bot"), Value::Null);
}

/// The texts that await a consumer: the oldest of them, and those of its rooms.
fn awaiting(owner: &Client) -> (Vec<Value>, Vec<Value>) {
    let page = include_str!("../../../docs/services.md");
    let document =
        page.split("query Awaiting").nth(1).and_then(|it| it.split("```").next()).unwrap();
    let document =
        format!("query Awaiting{}", document.replace("eventId sentAt", "eventId sentAt text"));
    let position = consumer(owner, NAME)["position"].clone();
    let found = owner.run(&document, &json!({ "position": position }));
    let texts = |nodes: &Value| -> Vec<Value> {
        let nodes = nodes.as_array().unwrap().iter();
        nodes.map(|node| node["text"].clone()).filter(Value::is_string).collect()
    };
    let updates = found["initialSync"]["updates"].as_array().unwrap().iter();
    let rooms = updates.flat_map(|update| texts(&update["timeline"]["nodes"])).collect();
    (texts(&found["events"]["events"]), rooms)
}

#[test]
fn an_owner_sees_what_awaits_a_consumer_and_nobody_elses_events() {
    let (_data, _server, alice, bob, room) = start(&[]);
    let other = alice.create_room(json!({}));
    let mut consuming = Consuming::start(&bob, NAME, 100);
    consuming.drain(&bob, NAME);
    assert_eq!(awaiting(&bob), (Vec::new(), Vec::new()), "caught up");
    drop(consuming);
    for number in 0..3 {
        alice.say(&room, &format!("news {number}"));
        alice.say(&other, &format!("secret {number}"));
    }
    settle(&alice);
    let news: Vec<Value> = (0..3).map(|number| json!(format!("news {number}"))).collect();
    assert_eq!(awaiting(&bob), (news.clone(), news));
    Consuming::start(&bob, NAME, 100).drain(&bob, NAME);
    assert_eq!(awaiting(&bob), (Vec::new(), Vec::new()), "caught up again");
}

#[test]
fn a_consumer_belongs_to_the_user_and_ends_with_the_account() {
    let (_data, _server, alice, bob, room) = start(&[]);
    let mut consuming = Consuming::start(&bob, NAME, 100);
    consuming.next().expect("a chunk");
    let login = bob.log_in("correct horse");
    bob.run("mutation { logOut(input: {}) { devices } }", &json!({}));
    let code = loop {
        // The stream may have the event of the new device first.
        if let Err(code) = consuming.next() {
            break code;
        }
    };
    assert_eq!(code, "4403", "the connection ends with the session");
    alice.say(&room, "meanwhile");
    settle(&alice);
    let again = bob.on_device(login["token"].as_str().unwrap());
    let mut consuming = Consuming::start(&again, NAME, 100);
    assert_eq!(texts(&consuming.drain(&again, NAME)), ["meanwhile"]);
    let document = "mutation($input: DeactivateAccountInput!) { deactivateAccount(input: $input) {
        isDeactivated } }";
    again.run(document, &json!({ "input": { "password": "correct horse" } }));
    let all = "{ admin { consumers { nodes { name } } } }";
    assert_eq!(alice.run(all, &json!({}))["admin"]["consumers"]["nodes"], json!([]));
}
