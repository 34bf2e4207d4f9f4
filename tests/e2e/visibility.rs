//! Every field and every way agrees with the oracle about who sees what, whatever happened to the
//! viewer and to the room's setting.

use std::collections::HashSet;

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    client::Client,
    oracle::{Expected, Logged, expect, log_of},
    resume::Random,
    server::Server,
};

/// Who may read what.
const SETTINGS: [&str; 4] = ["JOINED", "INVITED", "SHARED", "WORLD_READABLE"];

/// Histories with a name: what happens to the viewer, a letter each (see [`step`]).
const HISTORIES: [&str; 12] =
    ["", "i", "ij", "ijl", "ijk", "ijb", "il", "ik", "ijlij", "ijkij", "ijbu", "ib"];

/// Rooms with a history and changes of the setting drawn at random.
const RANDOM_ROOMS: usize = 40;

/// One thing that happens: `i`nvite, `j`oin, `l`eave, `k`ick, `b`an, `u`nban. What the rules
/// refuse does not happen, and the oracle reads what did.
fn step(alice: &Client, bob: &Client, room: &str, letter: char) {
    let target = json!({ "roomId": room, "userId": bob.user_id });
    let own = json!({ "roomId": room });
    match letter {
        'i' => alice.act("inviteUser", target),
        'j' => bob.act("joinRoom", own),
        'l' => bob.act("leaveRoom", own),
        'k' => alice.act("kickUser", target),
        'b' => alice.act("banUser", target),
        'u' => alice.act("unbanUser", target),
        _ => panic!("no such step: {letter}"),
    };
}

/// A room in which something is said and named before and after each step.
fn play(alice: &Client, bob: &Client, first: &str, history: &str, second: &str) -> String {
    let room = alice.create_room(json!({ "name": "0", "historyVisibility": first }));
    alice.say(&room, "before");
    for (index, letter) in history.chars().enumerate() {
        if index == history.len() / 2 && first != second {
            let input = json!({ "roomId": room, "visibility": second });
            alice.act("setHistoryVisibility", input);
        }
        step(alice, bob, &room, letter);
        alice.say(&room, &format!("after step {index}"));
        alice.act("setRoomName", json!({ "roomId": room, "name": (index + 1).to_string() }));
    }
    room
}

#[test]
fn everything_agrees_with_the_oracle_about_who_sees_what() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob) = (Client::register(&server, "alice"), Client::register(&server, "bob"));
    let start = bob.position();
    let mut stream = bob.follow(Some(&start));
    let mut rooms = Vec::new();
    for setting in SETTINGS {
        for history in HISTORIES {
            rooms.push((play(&alice, &bob, setting, history, setting), history.to_owned()));
        }
    }
    let mut random = Random(0x0123_4567_89ab_cdef);
    for _ in 0..RANDOM_ROOMS {
        let mut draw = |from: &'static [&'static str]| {
            from[usize::try_from(random.below(from.len() as u64)).unwrap()]
        };
        let (first, second) = (draw(&SETTINGS), draw(&SETTINGS));
        let history: String = (0..5).map(|_| draw(&["i", "j", "j", "l", "k", "b", "u"])).collect();
        rooms.push((play(&alice, &bob, first, &history, second), history));
    }
    let end = alice.create_room(json!({ "invite": [bob.user_id] }));

    let mut live = HashSet::new();
    let mut at_end = false;
    while !at_end {
        let item = stream.item();
        at_end = item["room"]["roomId"] == end.as_str();
        note(&mut live, &item, "live");
    }
    let polled = poll(&bob, &start, &end);
    assert_eq!(live, polled, "a stream and a poll show different events");
    let (mut seen, mut total) = (0, 0);
    for (room, history) in rooms {
        let log = log_of(&alice, &room);
        let expected = expect(&log, &bob.user_id);
        seen += expected.timeline.len();
        total += log.len();
        let hint = format!("room {room}, history {history:?}: {expected:#?}");
        for event in &log {
            let is_live = expected.live.contains(&event.id);
            assert_eq!(live.contains(&event.id), is_live, "{} on the stream, {hint}", event.id);
        }
        if is_known(&expected) {
            check_timeline(&bob, &room, &expected, &hint);
        }
        check_events(&bob, &room, &log, &expected, &hint);
        check_fields(&bob, &room, &expected, &hint);
    }
    assert!(0 < seen && seen < total, "the histories show too much or too little");
}

/// Takes the event of an item, which may come only once.
fn note(seen: &mut HashSet<String>, item: &Value, how: &str) {
    let invited = item["event"]["eventId"].as_str();
    if let Some(event) = item["eventId"].as_str().or(invited) {
        assert!(seen.insert(event.to_owned()), "{event} came twice, {how}");
    }
}

/// The same by polling, a few commits at a time.
fn poll(bob: &Client, start: &str, end: &str) -> HashSet<String> {
    let document = "query($after: Position!) { events(after: $after, limit: 7) { position events {
        ... on RoomEvent { eventId } ... on Invited { event { eventId } room { roomId } } } } }";
    let mut seen = HashSet::new();
    let mut after = json!(start);
    loop {
        let chunk = bob.run(document, &json!({ "after": after }))["events"].clone();
        for item in chunk["events"].as_array().unwrap() {
            note(&mut seen, item, "polled");
            if item["room"]["roomId"] == end {
                return seen;
            }
        }
        assert_ne!(chunk["position"], after, "polling does not get on");
        after = chunk["position"].clone();
    }
}

fn check_timeline(bob: &Client, room: &str, expected: &Expected, hint: &str) {
    let document =
        "query($room: RoomID!, $first: Int, $after: Cursor, $last: Int, $before: Cursor) {
        room(id: $room) { timeline(first: $first, after: $after, last: $last, before: $before) {
            pageInfo { hasPreviousPage hasNextPage startCursor endCursor }
            nodes { eventId } } } }";
    let mut pages = Vec::new();
    for back in [true, false] {
        let mut events = Vec::new();
        let mut cursor = Value::Null;
        loop {
            let variables = if back {
                json!({ "room": room, "last": 3, "before": cursor })
            } else {
                json!({ "room": room, "first": 3, "after": cursor })
            };
            let answer = bob.run(document, &variables);
            let page = answer["room"]["timeline"].clone();
            let ids = page["nodes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|node| node["eventId"].as_str().unwrap().to_owned());
            let ids: Vec<String> = ids.collect();
            let more = if back { "hasPreviousPage" } else { "hasNextPage" };
            let more = page["pageInfo"][more] == true;
            assert!(!more || ids.len() == 3, "a page ends early, {hint}");
            if back {
                events.splice(0..0, ids);
                cursor = page["pageInfo"]["startCursor"].clone();
            } else {
                events.extend(ids);
                cursor = page["pageInfo"]["endCursor"].clone();
            }
            if !more {
                break;
            }
        }
        pages.push(events);
    }
    assert_eq!(pages[0], expected.timeline, "scrolling back, {hint}");
    assert_eq!(pages[1], expected.timeline, "scrolling forward, {hint}");
}

fn check_events(bob: &Client, room: &str, log: &[Logged], expected: &Expected, hint: &str) {
    for events in log.chunks(3) {
        let mut document = String::from("query($room: RoomID!) { room(id: $room) { roomId ");
        for (index, Logged { id, .. }) in events.iter().enumerate() {
            document += &format!("e{index}: event(eventId: {id:?}) {{ eventId }} ");
        }
        document += "} ";
        for (index, Logged { id, .. }) in events.iter().enumerate() {
            let node = node_id(id);
            document += &format!("e{index}: event(id: {id:?}) {{ eventId content }} ");
            document += &format!("n{index}: node(id: {node:?}) {{ id }} ");
        }
        let answer = bob.run(&(document + "}"), &json!({ "room": room }));
        for (index, Logged { id, .. }) in events.iter().enumerate() {
            let visible = expected.timeline.contains(id);
            let key = format!("e{index}");
            assert_eq!(!answer[&key].is_null(), visible, "event({id}), {hint}");
            let in_room = visible && is_known(expected);
            assert_eq!(!answer["room"][&key].is_null(), in_room, "Room.event({id}), {hint}");
            let node = &answer[format!("n{index}")];
            assert_eq!(!node.is_null(), visible, "node of {id}, {hint}");
        }
    }
}

/// Whether there is such a room for the viewer. What a room showed to everybody, and no longer
/// does, can be asked for by event ID, but the room is gone for strangers.
fn is_known(expected: &Expected) -> bool {
    expected.membership != "none" || expected.setting == "world_readable"
}

/// The global ID of an object is its Matrix ID in base64.
fn node_id(id: &str) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(id)
}

fn check_fields(bob: &Client, room: &str, expected: &Expected, hint: &str) {
    let document = "query($room: RoomID!, $node: ID!, $alice: UserID!) {
        node(id: $node) { id ... on Room { name } }
        room(id: $room) { name topic memberCount invitedCount activity creator { userId }
            inviter { userId } lastMessage { eventId } state { eventId }
            members { totalCount nodes { userId } } member(userId: $alice) { displayName } } }";
    let variables = json!({
        "room": room,
        "node": node_id(room),
        "alice": "@alice:localhost",
    });
    let answer = bob.run(document, &variables);
    let inside = expected.membership == "join" || expected.setting == "world_readable";
    let outside = inside || expected.membership == "invite";
    let known = is_known(expected);
    assert_eq!(!answer["node"].is_null(), known, "node of the room, {hint}");
    let found = &answer["room"];
    assert_eq!(!found.is_null(), known, "room, {hint}");
    if !known {
        return;
    }
    let name = if outside { json!(expected.name) } else { Value::Null };
    assert_eq!(found["name"], name, "name, {hint}");
    assert_eq!(answer["node"]["name"], name, "name of the node, {hint}");
    assert_eq!(found["memberCount"].is_null(), !outside, "memberCount, {hint}");
    for field in ["invitedCount", "activity", "creator", "member"] {
        assert_eq!(found[field].is_null(), !inside, "{field}, {hint}");
    }
    for list in [&found["state"], &found["members"]["nodes"]] {
        assert_eq!(list.as_array().unwrap().is_empty(), !inside, "{list}, {hint}");
    }
    assert_eq!(found["members"]["totalCount"] == 0, !inside, "members, {hint}");
    let invited = expected.membership == "invite";
    assert_eq!(found["inviter"].is_null(), !invited, "inviter, {hint}");
    assert_eq!(
        found["lastMessage"]["eventId"].as_str(),
        expected.last_message.as_deref(),
        "{hint}"
    );
}
