//! The process is killed under load, many times. Nothing acknowledged is lost, nothing is doubled,
//! and it always starts again.

use std::{
    collections::{HashMap, HashSet},
    thread,
    time::Duration,
};

use rookery_log::Rounds;
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    client::Client,
    resume::Random,
    server::{Server, succeed},
};

/// Rounds, unless `ROOKERY_CRASH_ROUNDS` or `cargo xtask torture` says otherwise.
const ROUNDS: u64 = 8;

/// Concurrent writers, each on its own device.
const WRITERS: usize = 4;

/// The knowledge of one writer about its actions.
#[derive(Default)]
struct Journal {
    /// The last action that it tried.
    last: i64,
    /// Acknowledged actions, with their events.
    acknowledged: HashMap<i64, String>,
}

#[test]
fn kill_under_load_loses_nothing_and_doubles_nothing() {
    let rounds = std::env::var("ROOKERY_CRASH_ROUNDS").ok().and_then(|n| n.parse().ok());
    let rounds = Rounds::of(rounds.unwrap_or(ROUNDS), 0xdead_beef);
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    let room = alice.create_room(json!({ "preset": "PUBLIC" }));
    let clients: Vec<Client> = (0..WRITERS)
        .map(|index| {
            let client = Client::register(&server, &format!("writer{index}"));
            client.act("joinRoom", json!({ "room": { "roomId": room } }));
            client
        })
        .collect();
    let mut journals: Vec<Journal> = (0..WRITERS).map(|_| Journal::default()).collect();
    server.kill();
    for seed in rounds {
        let mut random = Random(seed.max(1));
        let server = Server::start(data.path());
        thread::scope(|scope| {
            for (client, journal) in clients.iter().zip(&mut journals) {
                let client = client.at(&server);
                let room = &room;
                scope.spawn(move || write_until_killed(&client, room, journal));
            }
            // The moment of the kill is the point: it falls anywhere between two writes.
            thread::sleep(Duration::from_millis(20 + random.below(400)));
            server.kill();
        });
    }
    let server = Server::start(data.path());
    for (client, journal) in clients.iter().zip(&mut journals) {
        say_again(&client.at(&server), &room, journal);
    }
    check(&server, &alice, &room, &journals);
    server.kill();
    let verified = succeed(data.path(), &["verify"], "");
    assert!(verified.contains("equal to a rebuild"), "{verified}");
}

/// Asks for the outcome of the last action of a writer.
fn say_again(client: &Client, room: &str, journal: &mut Journal) {
    let (action, body) = (journal.last, format!("{} {}", client.user_id, journal.last));
    let input = json!({ "roomId": room, "body": body, "actionId": action });
    let event = client.act("sendMessage", input)["event"]["eventId"].clone();
    let before = journal.acknowledged.insert(action, event.as_str().unwrap().to_owned());
    assert!(before.is_none_or(|before| event == before), "a retry has another answer");
}

/// Retries the action whose answer is missing, then continues, until the server is gone.
fn write_until_killed(client: &Client, room: &str, journal: &mut Journal) {
    let document = "mutation($input: SendMessageInput!) { sendMessage(input: $input) {
        event { eventId } refusal { code message } } }";
    loop {
        if journal.last == 0 || journal.acknowledged.contains_key(&journal.last) {
            journal.last += 1;
        }
        let action = journal.last;
        let body = format!("{} {action}", client.user_id);
        let input = json!({ "roomId": room, "body": body, "actionId": action });
        let Some(answer) = client.try_post(document, &json!({ "input": input })) else { return };
        let payload = &answer.body["data"]["sendMessage"];
        match payload["event"]["eventId"].as_str() {
            Some(event) => journal.acknowledged.insert(action, event.to_owned()),
            None => return,
        };
    }
}

fn check(server: &Server, alice: &Client, room: &str, journals: &[Journal]) {
    let stored = all_messages(&alice.at(server), room);
    let mut bodies = HashSet::new();
    for (_, body) in &stored {
        assert!(bodies.insert(body.clone()), "{body:?} is there twice");
    }
    let events: HashSet<&String> = stored.iter().map(|(event, _)| event).collect();
    let mut acknowledged = 0;
    for journal in journals {
        for (action, event) in &journal.acknowledged {
            assert!(events.contains(event), "acknowledged action {action} is lost");
            acknowledged += 1;
        }
        let tried = usize::try_from(journal.last).unwrap();
        assert_eq!(tried, journal.acknowledged.len(), "a retry was never answered");
    }
    assert!(acknowledged > 0, "nothing was ever acknowledged");
    assert_eq!(stored.len(), acknowledged, "there is more than was sent");
}

/// Event IDs and texts of all messages of the room, by scrolling back.
pub(crate) fn all_messages(client: &Client, room: &str) -> Vec<(String, String)> {
    let document = "query($room: RoomID!, $before: Cursor) { room(by: { roomId: $room }) {
        timeline(last: 100, before: $before) {
            pageInfo { startCursor hasPreviousPage } edges { node { eventId type text } } } } }";
    let mut messages = Vec::new();
    let mut before = Value::Null;
    loop {
        let page = client.run(document, &json!({ "room": room, "before": before }));
        let timeline = &page["room"]["timeline"];
        for edge in timeline["edges"].as_array().unwrap().iter().rev() {
            if let Some(text) = edge["node"]["text"].as_str() {
                let event = edge["node"]["eventId"].as_str().unwrap();
                messages.push((event.to_owned(), text.to_owned()));
            }
        }
        if timeline["pageInfo"]["hasPreviousPage"] == false {
            return messages;
        }
        before = timeline["pageInfo"]["startCursor"].clone();
    }
}
