//! Syncs: pages, deltas and the stream after them contain everything, once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    client::Client,
    resume::{Done, Random},
    server::Server,
};

const PAGE: &str = "query($after: SyncCursor, $since: Position, $first: Int, $limit: Int) {
    initialSync(after: $after, since: $since, first: $first, timelineLimit: $limit) {
        next position user { displayName }
        invites { roomId name topic invite { reason isDirect inviter { userId } } }
        closed { nodes { roomId closingReason } }
        updates { isReplacement gap stateChanges { nodes { type stateKey content } }
            room { roomId name topic memberCount members { nodes { userId } } }
            timeline { nodes { eventId sequence } pageInfo { startCursor } } } } }";

fn page(client: &Client, after: &Value, since: &Value, first: u64) -> Value {
    let variables = json!({ "after": after, "since": since, "first": first, "limit": 5 });
    client.run(PAGE, &variables)["initialSync"].clone()
}

/// All pages of one sync, with a pause for others between them.
fn pages(client: &Client, since: &Value, first: u64, mut between: impl FnMut()) -> Vec<Value> {
    let mut pages = vec![page(client, &Value::Null, since, first)];
    loop {
        let next = pages.last().unwrap()["next"].clone();
        if next.is_null() {
            return pages;
        }
        between();
        pages.push(page(client, &next, since, first));
    }
}

fn sequences(nodes: &Value) -> Vec<u64> {
    nodes.as_array().unwrap().iter().map(|node| node["sequence"].as_u64().unwrap()).collect()
}

#[test]
fn pages_of_a_sync_and_the_stream_are_everything_once_while_rooms_become_active() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob) = (Client::register(&server, "alice"), Client::register(&server, "bob"));
    let rooms: Vec<String> = (0..7)
        .map(|_| {
            let room = alice.create_room(json!({ "preset": "PUBLIC", "name": "0" }));
            bob.act("joinRoom", json!({ "room": { "roomId": room } }));
            room
        })
        .collect();
    let mut random = Random(0x5ea1);
    for round in 0..6 {
        let found = pages(&bob, &Value::Null, 2, || {
            for _ in 0..random.below(5) {
                let room = &rooms[usize::try_from(random.below(7)).unwrap()];
                alice.say(room, "in between");
                let name = round.to_string();
                alice.act("setRoomName", json!({ "roomId": room, "name": name }));
            }
        });
        let position = &found[0]["position"];
        assert!(found.iter().all(|page| page["position"] == *position), "one position");
        let updates = found.iter().flat_map(|page| page["updates"].as_array().unwrap());
        let shown: Vec<&str> =
            updates.clone().map(|update| update["room"]["roomId"].as_str().unwrap()).collect();
        assert_eq!(shown.iter().collect::<BTreeSet<_>>().len(), rooms.len(), "{shown:?}");
        assert_eq!(shown.len(), rooms.len(), "a room is on two pages");
        let mut ends: BTreeMap<String, u64> = updates
            .map(|update| {
                let room = update["room"]["roomId"].as_str().unwrap().to_owned();
                (room, *sequences(&update["timeline"]["nodes"]).last().unwrap())
            })
            .collect();
        let lasts: Vec<String> = rooms.iter().map(|room| alice.say(room, "last")).collect();
        let mut stream = bob.follow(position.as_str());
        let mut missing: BTreeSet<&String> = lasts.iter().collect();
        while !missing.is_empty() {
            let item = stream.item();
            let Some(sequence) = item["sequence"].as_u64() else { continue };
            let end = ends.get_mut(item["room"]["roomId"].as_str().unwrap()).unwrap();
            assert_eq!(sequence, *end + 1, "the stream does not go on where the page ends");
            *end = sequence;
            missing.retain(|id| item["eventId"] != id.as_str());
        }
    }
}

/// A client's copy of its rooms, updated by deltas.
#[derive(Default)]
struct Copy {
    /// Name, count of members, and the known part of the timeline.
    rooms: BTreeMap<String, (Value, Value, BTreeSet<u64>)>,
}

impl Copy {
    fn apply(&mut self, client: &Client, pages: &[Value]) {
        for closed in pages[0]["closed"]["nodes"].as_array().unwrap() {
            self.rooms.remove(closed["roomId"].as_str().unwrap());
        }
        for update in pages.iter().flat_map(|page| page["updates"].as_array().unwrap()) {
            let id = update["room"]["roomId"].as_str().unwrap().to_owned();
            let (name, count) =
                (update["room"]["name"].clone(), update["room"]["memberCount"].clone());
            let events = sequences(&update["timeline"]["nodes"]);
            if update["isReplacement"] == true {
                self.rooms.insert(id, (name, count, events.into_iter().collect()));
                continue;
            }
            let room = self.rooms.get_mut(&id).expect("what is extended is known");
            for change in update["stateChanges"]["nodes"].as_array().unwrap() {
                if change["type"] == "m.room.name" {
                    room.0 = change["content"]["name"].clone();
                }
            }
            assert_eq!(room.0, name, "the changes of the state lead to the name");
            room.1 = count;
            room.2.extend(events);
            if !update["gap"].is_null() {
                let document =
                    "query($room: RoomID!, $before: Cursor) { room(by: { roomId: $room }) {
                    timeline(last: 100, before: $before) { nodes { sequence } } } }";
                let variables = json!({ "room": id, "before": update["gap"] });
                let answer = client.run(document, &variables);
                room.2.extend(sequences(&answer["room"]["timeline"]["nodes"]));
            }
        }
    }
}

#[test]
fn deltas_keep_a_copy_right() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob) = (Client::register(&server, "alice"), Client::register(&server, "bob"));
    let rooms: Vec<String> =
        (0..5).map(|_| alice.create_room(json!({ "preset": "PUBLIC", "name": "0" }))).collect();
    let mut random = Random(0xde17a);
    let mut copy = Copy::default();
    let mut since = Value::Null;
    let mut kinds = BTreeSet::new();
    for round in 0..25 {
        for _ in 0..random.below(8) {
            let room = &rooms[usize::try_from(random.below(5)).unwrap()];
            match random.below(7) {
                0 => drop(bob.act("joinRoom", json!({ "room": { "roomId": room } }))),
                1 => drop(bob.act("leaveRoom", json!({ "roomId": room }))),
                2 => {
                    alice.act("kickUser", json!({ "roomId": room, "userId": bob.user_id }));
                }
                3 => {
                    let name = format!("{round}");
                    alice.act("setRoomName", json!({ "roomId": room, "name": name }));
                }
                4 => (0..8).for_each(|_| drop(alice.say(room, "many"))),
                _ => drop(alice.say(room, "one")),
            }
        }
        let found = pages(&bob, &since, 2, || {});
        let updates = found.iter().flat_map(|page| page["updates"].as_array().unwrap());
        kinds.extend(
            updates.map(|update| (update["isReplacement"] == true, update["gap"].is_null())),
        );
        copy.apply(&bob, &found);
        since = found[0]["position"].clone();
        let whole = pages(&bob, &Value::Null, 100, || {});
        assert_eq!(whole[0]["position"], since, "nobody else writes");
        let rooms = whole[0]["updates"].as_array().unwrap();
        assert_eq!(rooms.len(), copy.rooms.len(), "round {round}");
        for update in rooms {
            let room = &copy.rooms[update["room"]["roomId"].as_str().unwrap()];
            assert_eq!(room.0, update["room"]["name"]);
            assert_eq!(room.1, update["room"]["memberCount"]);
            let (first, last) = (room.2.first().unwrap(), room.2.last().unwrap());
            assert_eq!(room.2.len() as u64, last - first + 1, "the copy has a hole");
            assert_eq!(Some(last), sequences(&update["timeline"]["nodes"]).last());
        }
    }
    let gap = (false, false);
    assert!(kinds.contains(&gap) && kinds.len() == 3, "not all kinds came up: {kinds:?}");
}

#[test]
fn a_delta_names_new_invites_and_what_was_closed_and_why() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob) = (Client::register(&server, "alice"), Client::register(&server, "bob"));
    let create = |name: &str| alice.create_room(json!({ "name": name, "topic": "Ravens" }));
    let (left, kicked, withdrawn, fresh) = (create("l"), create("k"), create("w"), create("f"));
    let invite = |room: &str| {
        let input = json!({ "roomId": room, "userId": bob.user_id, "reason": "come" });
        alice.act("inviteUser", input);
    };
    for room in [&left, &kicked] {
        invite(room);
        bob.act("joinRoom", json!({ "room": { "roomId": room } }));
    }
    invite(&withdrawn);
    let before = page(&bob, &Value::Null, &Value::Null, 10);
    assert_eq!(before["invites"].as_array().unwrap().len(), 1);
    assert_eq!(before["closed"]["nodes"], json!([]));
    bob.act("leaveRoom", json!({ "roomId": left }));
    for room in [&kicked, &withdrawn] {
        alice.act("kickUser", json!({ "roomId": room, "userId": bob.user_id }));
    }
    invite(&fresh);
    let delta = page(&bob, &Value::Null, &before["position"], 10);
    assert_eq!(delta["updates"], json!([]));
    let expected = json!([{ "roomId": fresh, "name": "f", "topic": "Ravens",
        "invite": { "reason": "come", "isDirect": false,
            "inviter": { "userId": alice.user_id } } }]);
    assert_eq!(delta["invites"], expected);
    let closed: BTreeSet<(String, String)> = delta["closed"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            (it["roomId"].as_str().unwrap().into(), it["closingReason"].as_str().unwrap().into())
        })
        .collect();
    let reasons = [(left, "LEFT"), (kicked, "KICKED"), (withdrawn, "WITHDRAWN")];
    let reasons = reasons.map(|(room, reason)| (room, reason.to_owned()));
    assert_eq!(closed, BTreeSet::from(reasons));
}

#[test]
fn a_delta_and_the_stream_after_it_join_while_others_write() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob) = (Client::register(&server, "alice"), Client::register(&server, "bob"));
    let room = alice.create_room(json!({ "preset": "PUBLIC", "name": "Tea" }));
    bob.act("joinRoom", json!({ "room": { "roomId": room } }));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                alice.say(&room, "a message");
            }
        });
        let stop = Done(&done);
        let mut since = json!(bob.position());
        let mut syncs = Vec::new();
        for _ in 0..20 {
            let sync = page(&bob, &Value::Null, &since, 10);
            since = sync["position"].clone();
            syncs.push(sync);
        }
        drop(stop);
        writer.join().unwrap();
        let last = alice.say(&room, "the last one");
        let mut end = None;
        for sync in &syncs {
            for update in sync["updates"].as_array().unwrap() {
                assert_eq!(update["isReplacement"], false);
                for sequence in sequences(&update["timeline"]["nodes"]) {
                    let is_next = end.is_none_or(|end| sequence == end + 1);
                    assert!(is_next || !update["gap"].is_null(), "{sequence} after {end:?}");
                    end = Some(sequence);
                }
            }
        }
        let mut stream = bob.follow(since.as_str());
        stream.until(|item| {
            if let Some(sequence) = item["sequence"].as_u64() {
                assert!(end.is_none_or(|end| sequence == end + 1), "the stream joins the delta");
                end = Some(sequence);
            }
            item["eventId"] == last.as_str()
        });
    });
}

#[test]
fn a_sync_of_one_room_and_a_cursor_that_was_changed() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    let rooms: Vec<String> =
        (0..3).map(|n| alice.create_room(json!({ "name": n.to_string() }))).collect();
    let one = "query($room: RoomID) { initialSync(roomId: $room) { rooms { roomId name } next } }";
    let answer = alice.run(one, &json!({ "room": rooms[1] }));
    let expected = json!({ "rooms": [{ "roomId": rooms[1], "name": "1" }], "next": null });
    assert_eq!(answer["initialSync"], expected);
    let next = page(&alice, &Value::Null, &Value::Null, 1)["next"].clone();
    let mut changed = next.as_str().unwrap().to_owned();
    changed.replace_range(3..4, if changed.as_bytes()[3] == b'x' { "y" } else { "x" });
    let paged = "query($after: SyncCursor) { initialSync(after: $after) { position } }";
    for wrong in [changed.as_str(), "", "nonsense"] {
        assert_eq!(alice.fail(paged, &json!({ "after": wrong })), "BAD_USER_INPUT", "{wrong}");
    }
    let other = tempdir().unwrap();
    let stranger = Server::start(other.path());
    let eve = Client::register(&stranger, "eve");
    (0..2).for_each(|_| drop(eve.create_room(json!({}))));
    let foreign = page(&eve, &Value::Null, &Value::Null, 1)["next"].clone();
    assert_eq!(alice.fail(paged, &json!({ "after": foreign })), "POSITION_UNKNOWN");
}

#[test]
fn every_invite_is_on_some_page_once() {
    const INVITES: usize = 103;
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob) = (Client::register(&server, "alice"), Client::register(&server, "bob"));
    let own = bob.create_room(json!({}));
    let before = bob.position();
    let invite = || alice.create_room(json!({ "invite": ["@bob:localhost"] }));
    let mut rooms: Vec<_> = (0..INVITES).map(|_| invite()).collect();
    let document = "query($since: Position, $after: SyncCursor) {
        initialSync(first: 1, since: $since, after: $after) {
            rooms { roomId } invites { roomId } next } }";
    for since in [Value::Null, before.into()] {
        let (mut found, mut joined, mut after) = (Vec::new(), Vec::new(), Value::Null);
        loop {
            let page = bob.run(document, &json!({ "since": since, "after": after }));
            let page = &page["initialSync"];
            for (list, name) in [(&mut found, "invites"), (&mut joined, "rooms")] {
                let rooms = page[name].as_array().unwrap().iter();
                list.extend(rooms.map(|room| room["roomId"].as_str().unwrap().to_owned()));
            }
            // Rooms that are active between two pages, and new invites, change nothing.
            alice.say(&rooms[0], "well?");
            if after.is_null() && since.is_null() {
                invite();
            }
            after = page["next"].clone();
            if after.is_null() {
                break;
            }
        }
        let expected = if since.is_null() { vec![own.clone()] } else { Vec::new() };
        assert_eq!(joined, expected);
        if since.is_null() {
            assert_eq!(found.len(), INVITES);
            found.reverse();
            assert_eq!(found, rooms, "the newest first");
            rooms.clone_from(&found);
        } else {
            assert_eq!(found.len(), INVITES + 1);
        }
    }
}
