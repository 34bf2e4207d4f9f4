//! Redacted content is gone: from every answer at once, and from every file after a compaction.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use crate::{
    client::Client,
    server::{Server, fail, run, succeed},
};

/// Redacted texts, each in a different place.
const MESSAGE: &str = "the owl flies at midnight";
const EDIT: &str = "the owl flies at two in the morning";
const TOPIC: &str = "about the owl and where it flies";
const REASON: &str = "he knows too much about the owl";
const SECRETS: [&str; 4] = [MESSAGE, EDIT, TOPIC, REASON];

/// A room with secrets.
struct Told {
    data: TempDir,
    server: Server,
    alice: Client,
    carol: Client,
    room: String,
    /// The position of the stream before any message.
    start: String,
    /// The message, the topic, and the member event with the reason.
    events: [String; 3],
}

fn event_id(payload: &Value) -> String {
    assert_eq!(payload["refusal"], Value::Null);
    payload["event"]["eventId"].as_str().expect("an event").to_owned()
}

fn told() -> Told {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| Client::register(&server, name));
    let room = alice.create_room(json!({ "name": "Birds", "preset": "PUBLIC", "isListed": true }));
    for client in [&bob, &carol] {
        client.act("joinRoom", json!({ "room": { "roomId": room } }));
    }
    let start = alice.position();
    let message = alice.say(&room, MESSAGE);
    let edit = json!({ "roomId": room, "body": EDIT, "edits": message });
    event_id(&alice.act("sendMessage", edit));
    let topic = event_id(&alice.act("setRoomTopic", json!({ "roomId": room, "topic": TOPIC })));
    let kick = json!({ "roomId": room, "userId": bob.user_id, "reason": REASON });
    let kick = event_id(&alice.act("kickUser", kick));
    let events = [message, topic, kick];
    Told { data, server, alice, carol, room, start, events }
}

impl Told {
    fn redact(&self) {
        for event in &self.events {
            let input = json!({ "roomId": self.room, "eventId": event, "reason": "a slip" });
            event_id(&self.alice.act("redactEvent", input));
        }
    }

    /// All that GraphQL returns about the room and its events to one of its members.
    fn everything(&self, client: &Client) -> String {
        let document = "query($room: RoomID!, $start: Position!, $after: Cursor) {
            initialSync(first: 10) { rooms { topic lastMessage { ...all }
                timeline(last: 50) { nodes { ...all } } } invites { roomId topic } }
            room(by: { roomId: $room }) { name topic state { nodes { ...all } }
                members(first: 50) { nodes { displayName } }
                all: timeline(first: 100, after: $after) { nodes { ...all } } }
            publicRooms(first: 10) { nodes { topic lastMessage { ...all } } }
            events(after: $start) { events { ... on RoomEvent { ...all } } } }
            fragment all on RoomEvent { id text content previousContent pdu
                latestEdit { content text } replaced { content } }";
        let variables = json!({ "room": self.room, "start": self.start });
        let mut all = client.run(document, &variables).to_string();
        for event in &self.events {
            let document = "query($room: RoomID!, $event: EventID!) {
                event(eventId: $event) { id content text pdu }
                room(by: { roomId: $room }) { event(eventId: $event) { content text }
                    timeline(around: $event, first: 5) { nodes { content text pdu } } } }";
            let variables = json!({ "room": self.room, "event": event });
            let found = client.run(document, &variables);
            let node = "query($id: ID!) { node(id: $id) { ... on RoomEvent { content text } } }";
            let node = client.run(node, &json!({ "id": found["event"]["id"] }));
            all.extend([found.to_string(), node.to_string()]);
        }
        all
    }
}

/// The possible forms of a text in a file: unchanged, as hexadecimal digits, and as base64 at each
/// of its three alignments.
fn forms(text: &str) -> Vec<Vec<u8>> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut forms = vec![text.as_bytes().to_vec()];
    forms.push(text.bytes().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect());
    for shift in 0..3 {
        let bytes = &text.as_bytes()[shift..];
        let groups = bytes.chunks_exact(3).flat_map(|group| {
            let number =
                group.iter().fold(0_usize, |number, byte| number << 8 | usize::from(*byte));
            [18, 12, 6, 0].map(|at| DIGITS[number >> at & 63])
        });
        forms.push(groups.collect());
    }
    forms
}

/// The files below `folder` that contain any of the secrets, in any form.
fn files_with_secrets(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with_secrets(&path));
        } else if let Ok(bytes) = std::fs::read(&path) {
            let has = |form: &Vec<u8>| bytes.windows(form.len()).any(|window| window == form);
            if SECRETS.iter().flat_map(|secret| forms(secret)).any(|form| has(&form)) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

fn assert_silent(said: &str) {
    for secret in SECRETS {
        assert!(!said.contains(secret), "{secret} is still told:\n{said}");
    }
}

#[test]
fn what_is_redacted_is_in_no_answer_and_after_compacting_in_no_file() {
    let told = told();
    let before = told.everything(&told.carol);
    for secret in SECRETS {
        assert!(before.contains(secret), "the search does not find {secret}:\n{before}");
    }
    let mut stream = told.carol.follow(None);
    told.redact();
    for client in [&told.alice, &told.carol] {
        assert_silent(&told.everything(client));
    }
    let item = stream.until(|item| item["type"] == "m.room.redaction");
    assert_eq!(item["text"], Value::Null);
    let data = told.data.path();
    let refused = fail(data, &["compact"], "");
    assert!(refused.contains("stop the server"), "{refused}");
    assert_silent(&succeed(data, &["export", "-"], ""));

    let Told { data, server, alice, carol, room, start, events } = told;
    assert!(server.stop().success());
    assert!(!files_with_secrets(data.path()).is_empty(), "the search finds what is there");
    assert!(run(data.path(), &["compact"], "").success);
    assert_eq!(files_with_secrets(data.path()), Vec::<String>::new());
    let verified = succeed(data.path(), &["verify"], "");
    assert!(verified.contains("intact") && verified.contains("equal to a rebuild"));
    assert_silent(&succeed(data.path(), &["export", "-"], ""));

    let server = Server::start(data.path());
    let (alice, carol) = (alice.at(&server), carol.at(&server));
    let told = Told { data, server, alice, carol, room, start, events };
    assert_silent(&told.everything(&told.carol));
    told.alice.say(&told.room, "on it goes");
}

#[test]
fn a_redacted_event_says_so_by_whom_and_why_to_who_may_know() {
    let told = told();
    told.redact();
    let document = "query($event: EventID!) { event(eventId: $event) { isRedacted content text type
        sender { userId } redactedBecause { reason by { userId } event { type } } } }";
    let ask = |client: &Client, event: &str| {
        client.run(document, &json!({ "event": event }))["event"].clone()
    };
    let event = ask(&told.carol, &told.events[0]);
    let because = json!({ "reason": "a slip", "by": { "userId": told.alice.user_id },
        "event": { "type": "m.room.redaction" } });
    assert_eq!(event["isRedacted"], true);
    assert_eq!((&event["content"], &event["text"]), (&json!({}), &Value::Null));
    assert_eq!(event["redactedBecause"], because);
    let kick = ask(&told.carol, &told.events[2]);
    assert_eq!(kick["content"], json!({ "membership": "leave" }), "what the room needs stays");
    // A member who left before the redaction sees no content, and not who redacted it.
    let dan = Client::register(&told.server, "dan");
    dan.act("joinRoom", json!({ "room": { "roomId": told.room } }));
    let said = told.alice.say(&told.room, "hello Dan");
    dan.act("leaveRoom", json!({ "roomId": told.room }));
    let input = json!({ "roomId": told.room, "eventId": said });
    event_id(&told.alice.act("redactEvent", input.clone()));
    let seen = ask(&dan, &said);
    assert_eq!((&seen["isRedacted"], &seen["redactedBecause"]), (&json!(true), &Value::Null));
    let live = ask(&told.carol, &told.alice.say(&told.room, "still here"));
    assert_eq!((&live["isRedacted"], &live["redactedBecause"]), (&json!(false), &Value::Null));
    // A second run changes nothing.
    let again = told.alice.act("redactEvent", input);
    assert_eq!((&again["event"], &again["refusal"]), (&Value::Null, &Value::Null));
}

#[test]
fn redactions_are_refused_by_rules() {
    let told = told();
    let redact = |event: &str| json!({ "roomId": told.room, "eventId": event });
    let [message, topic, _] = &told.events;
    assert_eq!(told.carol.refused("redactEvent", redact(message)), "INSUFFICIENT_POWER");
    assert_eq!(told.carol.refused("redactEvent", redact(topic)), "INSUFFICIENT_POWER");
    assert_eq!(told.carol.refused("redactEvent", redact("$nothing")), "NO_SUCH_EVENT");
    let other = told.carol.create_room(json!({ "name": "Other" }));
    let across = told.carol.say(&other, "elsewhere");
    assert_eq!(told.alice.refused("redactEvent", redact(&across)), "NO_SUCH_EVENT");
    let elsewhere = json!({ "roomId": other, "eventId": across });
    assert_eq!(told.alice.refused("redactEvent", elsewhere), "NO_SUCH_ROOM");
    let document = "query($room: RoomID!) { room(by: { roomId: $room }) {
        state(type: \"m.room.create\") { nodes { eventId } } } }";
    let create = told.alice.run(document, &json!({ "room": told.room }));
    let create = create["room"]["state"]["nodes"][0]["eventId"].as_str().unwrap();
    assert_eq!(told.alice.refused("redactEvent", redact(create)), "NOT_REDACTABLE");
    let own = told.carol.say(&told.room, "mine");
    event_id(&told.carol.act("redactEvent", redact(&own)));
}

#[test]
fn a_server_that_is_killed_after_a_redaction_tells_nothing_and_compacts_at_a_later_start() {
    let told = told();
    told.redact();
    let Told { data, server, alice, carol, room, start, events } = told;
    server.kill();
    assert!(!files_with_secrets(data.path()).is_empty(), "the search finds what is there");
    let server = Server::start(data.path());
    let (alice, carol) = (alice.at(&server), carol.at(&server));
    let mut told = Told { data, server, alice, carol, room, start, events };
    assert_silent(&told.everything(&told.carol));
    let verified = succeed(told.data.path(), &["verify"], "");
    assert!(verified.contains("equal to a rebuild"));
    assert!(told.server.stop().success());
    told.server = Server::start_with(told.data.path(), &["--compact-after", "1ms"]);
    assert_eq!(told.server.logged("rewriting them now").len(), 1);
    assert_eq!(files_with_secrets(told.data.path()), Vec::<String>::new());
    told.carol = told.carol.at(&told.server);
    assert_silent(&told.everything(&told.carol));
    assert!(told.server.stop().success());
    // There is nothing left to do.
    let server = Server::start_with(told.data.path(), &["--compact-after", "1ms"]);
    assert!(server.logged("rewriting them now").is_empty());
}
