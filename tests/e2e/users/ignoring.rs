//! Ignored users: their messages and invites reach the ignoring user on no path, and state does.

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    client::{Client, Socket, two},
    server::{Server, run},
};

fn ignore(client: &Client, user: &str, is_ignored: bool) -> Value {
    let document = "mutation($input: SetUserIgnoredInput!) { setUserIgnored(input: $input) {
        user { userId isIgnored } position refusal { code field } } }";
    let input = json!({ "userId": user, "isIgnored": is_ignored });
    client.run(document, &json!({ "input": input }))["setUserIgnored"].clone()
}

fn ignored(client: &Client, first: u32, after: &Value) -> Value {
    let document = "query($first: Int, $after: String) { viewer {
        ignoredUsers(first: $first, after: $after) {
            nodes { userId isIgnored } pageInfo { hasNextPage endCursor } } } }";
    let variables = json!({ "first": first, "after": after });
    client.run(document, &variables)["viewer"]["ignoredUsers"].clone()
}

/// The texts of messages.
fn texts(events: &Value) -> Vec<String> {
    let texts = events.as_array().unwrap().iter().filter_map(|event| event["text"].as_str());
    texts.map(ToOwned::to_owned).collect()
}

/// The texts in the room by scrollback, both ways, which have to be the same; page by page.
fn timeline(client: &Client, room: &str) -> Vec<String> {
    let document =
        "query($room: RoomID!, $first: Int, $after: Cursor, $last: Int, $before: Cursor) {
        room(by: { roomId: $room }) { timeline(
            first: $first, after: $after, last: $last, before: $before
        ) { nodes { text } pageInfo { hasPreviousPage hasNextPage startCursor endCursor } } } }";
    let page = |variables: Value| client.run(document, &variables)["room"]["timeline"].clone();
    let (mut forward, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = page(json!({ "room": room, "first": 2, "after": after }));
        forward.extend(texts(&page["nodes"]));
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    let (mut backward, mut before) = (Vec::new(), Value::Null);
    loop {
        let page = page(json!({ "room": room, "last": 2, "before": before }));
        backward.splice(0..0, texts(&page["nodes"]));
        before = page["pageInfo"]["startCursor"].clone();
        if page["pageInfo"]["hasPreviousPage"] == false {
            break;
        }
    }
    assert_eq!(forward, backward);
    forward
}

fn react(client: &Client, room: &str, event: &str) {
    let input = json!({ "roomId": room, "eventId": event, "key": "+" });
    assert_eq!(client.act("addReaction", input)["refusal"], Value::Null);
}

#[test]
fn ignored_users_are_a_list_of_their_users_own() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, _) = two(&server);
    let login = alice.log_in("correct horse");
    let phone = alice.on_device(login["token"].as_str().unwrap());
    let start = alice.position();
    let answer = ignore(&alice, &bob.user_id, true);
    assert_eq!(answer["user"], json!({ "userId": bob.user_id, "isIgnored": true }));
    ignore(&alice, "@carol:else.example", true);
    ignore(&alice, "@dan:else.example", true);
    ignore(&alice, "@dan:else.example", false);
    let document = "query($after: Position!) { events(after: $after) { events { __typename
        ... on IgnoredUsersChanged { user { userId isIgnored } } } } }";
    let told = |client: &Client| {
        let answer = client.run(document, &json!({ "after": start }));
        let users = answer["events"]["events"].as_array().unwrap().iter().map(|it| &it["user"]);
        let of = |user: &Value| {
            Some((user["userId"].as_str()?.to_owned(), user["isIgnored"].as_bool()?))
        };
        users.filter_map(of).collect::<Vec<_>>()
    };
    let of = |user: &str, is_ignored| (user.to_owned(), is_ignored);
    let (carol, dan) = ("@carol:else.example", "@dan:else.example");
    let expected = [of(&bob.user_id, true), of(carol, true), of(dan, false), of(dan, false)];
    assert_eq!(told(&phone), expected, "each as it is now");
    assert_eq!(told(&bob), []);
    let first = ignored(&alice, 1, &Value::Null);
    assert_eq!(first["nodes"], json!([{ "userId": bob.user_id, "isIgnored": true }]));
    assert_eq!(first["pageInfo"]["hasNextPage"], true);
    let second = ignored(&alice, 1, &first["pageInfo"]["endCursor"]);
    assert_eq!(second["nodes"], json!([{ "userId": carol, "isIgnored": true }]));
    assert_eq!(second["pageInfo"]["hasNextPage"], false);
    assert_eq!(ignored(&bob, 9, &Value::Null)["nodes"], json!([]));
    let refusal = json!({ "code": "TARGET_IS_SELF", "field": "userId" });
    assert_eq!(ignore(&alice, &alice.user_id, true)["refusal"], refusal);
    assert!(server.stop().success());
    assert!(run(data.path(), &["rebuild"], "").success);
    let server = Server::start(data.path());
    let nodes = ignored(&alice.at(&server), 9, &Value::Null)["nodes"].clone();
    assert_eq!(nodes.as_array().unwrap().len(), 2, "after a rebuild too");
}

#[test]
fn messages_of_ignored_users_are_on_no_path_until_they_are_ignored_no_longer() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let start = alice.position();
    let first = bob.say(&room, "bob one");
    let own = alice.say(&room, "alice one");
    react(&bob, &room, &own);
    for text in ["bob two", "Alice, are you there?"] {
        bob.say(&room, text);
    }
    let document = "query($room: RoomID!, $first: EventID!, $own: EventID!, $start: Position!) {
        room(by: { roomId: $room }) {
            unreadCount highlightCount lastMessage { text }
            first: event(eventId: $first) { text }
            own: event(eventId: $own) { reactions { nodes { count } } }
        }
        initialSync { rooms { timeline(last: 20) { nodes { text } } } }
        delta: initialSync(since: $start) { updates { timeline { nodes { text } } } }
        events(after: $start) { events { ... on RoomEvent { text } } skipped { reason first last } }
        users(search: \"bo\") { nodes { userId } }
    }";
    let variables = json!({ "room": room, "first": first, "own": own, "start": start });
    let all = ["bob one", "alice one", "bob two", "Alice, are you there?"];
    // Each way to read the messages, and the facts that count them.
    let check = |is_ignored: bool| {
        let expected: Vec<_> =
            all.iter().filter(|text| !is_ignored || text.starts_with("alice")).collect();
        assert_eq!(timeline(&alice, &room).iter().collect::<Vec<_>>(), expected);
        let answer = alice.run(document, &variables);
        let of_room = &answer["room"];
        let counts = (of_room["unreadCount"].as_u64(), of_room["highlightCount"].as_u64());
        assert_eq!(counts, if is_ignored { (Some(0), Some(0)) } else { (Some(2), Some(1)) });
        assert_eq!(of_room["lastMessage"]["text"], **expected.last().unwrap());
        assert_eq!(of_room["first"].is_null(), is_ignored, "{of_room}");
        let reactions = of_room["own"]["reactions"]["nodes"].as_array().unwrap().len();
        assert_eq!(reactions, usize::from(!is_ignored));
        for (way, nodes) in [
            ("sync", &answer["initialSync"]["rooms"][0]["timeline"]["nodes"]),
            ("delta", &answer["delta"]["updates"][0]["timeline"]["nodes"]),
            ("poll", &answer["events"]["events"]),
        ] {
            assert_eq!(texts(nodes).iter().collect::<Vec<_>>(), expected, "{way}");
        }
        let skipped = answer["events"]["skipped"].as_array().unwrap();
        assert!(skipped.iter().all(|it| it["reason"] == "IGNORED"), "{skipped:?}");
        assert_eq!(!skipped.is_empty(), is_ignored);
        let found = answer["users"]["nodes"].as_array().unwrap().len();
        assert_eq!(found, usize::from(!is_ignored), "in the search of users");
    };
    check(false);
    ignore(&alice, &bob.user_id, true);
    check(true);
    ignore(&alice, &bob.user_id, false);
    check(false);
}

#[test]
fn a_stream_accounts_for_the_events_of_ignored_users_and_goes_on_with_state() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let mut socket = alice.socket();
    let document = "subscription($after: Position!) { eventStream(after: $after) {
        events { __typename ... on RoomEvent { text sequence type } }
        skipped { first last reason } } }";
    socket.subscribe("1", document, &json!({ "after": bob.position() }));
    bob.say(&room, "before");
    let (mut seen, mut numbers) = (Vec::new(), Vec::new());
    let mut read_until = |end: &str| {
        while seen.last().is_none_or(|last| last != end) {
            let message = socket.receive();
            let chunk = &message["payload"]["data"]["eventStream"];
            for skipped in chunk["skipped"].as_array().unwrap() {
                assert_eq!(skipped["reason"], "IGNORED");
                let of = |end: &str| skipped[end].as_u64().unwrap();
                numbers.extend(of("first")..=of("last"));
            }
            for item in chunk["events"].as_array().unwrap() {
                numbers.extend(item["sequence"].as_u64());
                let name = item["text"].as_str().or(item["type"].as_str());
                seen.extend(name.map(ToOwned::to_owned));
            }
        }
    };
    // The stream is open, so the changes that follow are later than its list.
    read_until("before");
    ignore(&alice, &bob.user_id, true);
    bob.say(&room, "hidden");
    bob.act("leaveRoom", json!({ "roomId": room }));
    bob.act("joinRoom", json!({ "room": { "roomId": room } }));
    ignore(&alice, &bob.user_id, false);
    bob.say(&room, "after");
    read_until("after");
    assert_eq!(seen, ["before", "m.room.member", "m.room.member", "after"]);
    numbers.sort_unstable();
    let first = numbers[0];
    assert_eq!(numbers, (first..first + 5).collect::<Vec<_>>(), "each number once");
}

/// The texts on a stream, up to `end`.
fn texts_until(socket: &mut Socket, end: &str) -> Vec<String> {
    let mut seen = Vec::new();
    while seen.last().is_none_or(|last| last != end) {
        let message = socket.receive();
        seen.extend(texts(&message["payload"]["data"]["eventStream"]["events"]));
    }
    seen
}

#[test]
fn users_with_the_same_document_share_no_frame_of_an_ignored_user() {
    // A stream that is further behind than a few dozen commits reads several of them into one frame.
    const ROUNDS: usize = 40;
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let others = ["carol", "dan"].map(|name| Client::register(&server, name));
    for other in &others {
        other.act("joinRoom", json!({ "room": { "roomId": room } }));
    }
    ignore(&alice, &bob.user_id, true);
    let start = bob.position();
    let document = "subscription($after: Position) { eventStream(after: $after) {
        position events { ... on RoomEvent { text } } } }";
    let open = |client: &Client, after: &Value| {
        let mut socket = client.socket();
        socket.subscribe("1", document, &json!({ "after": after }));
        if after.is_null() {
            // The first chunk has a position alone, and the stream is live after it.
            socket.receive();
        }
        socket
    };
    let clients = [&others[0], &alice, &others[1]];
    let mut live = clients.map(|client| open(client, &Value::Null));
    let mut all = Vec::new();
    for number in 0..ROUNDS {
        let text = format!("bob {number}");
        bob.say(&room, &text);
        all.push(text);
        let text = format!("carol {number}");
        others[0].say(&room, &text);
        all.push(text);
    }
    let not_ignored: Vec<_> =
        all.iter().filter(|text| text.starts_with("carol")).cloned().collect();
    let check = |sockets: &mut [Socket; 3], way: &str| {
        for (number, socket) in sockets.iter_mut().enumerate() {
            let expected = if number == 1 { &not_ignored } else { &all };
            assert_eq!(
                texts_until(socket, all.last().unwrap()),
                *expected,
                "{way}, client {number}"
            );
        }
    };
    check(&mut live, "live");
    let mut behind = clients.map(|client| open(client, &json!(start)));
    check(&mut behind, "behind");
}

#[test]
fn invites_of_ignored_users_are_not_shown() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, _) = two(&server);
    let start = alice.position();
    ignore(&alice, &bob.user_id, true);
    let secret = bob.create_room(json!({ "preset": "PRIVATE", "invite": [alice.user_id] }));
    let document = "query($start: Position!) {
        initialSync { invites { roomId } }
        delta: initialSync(since: $start) { invites { roomId } }
        viewer { rooms(membership: INVITE) { nodes { roomId } } }
        events(after: $start) { events { ... on Invited { room { roomId } } } } }";
    let shown = || {
        let answer = alice.run(document, &json!({ "start": start }));
        let invited = answer["events"]["events"].as_array().unwrap().iter();
        let invited = invited.filter(|item| item["room"]["roomId"] == *secret).count();
        let count = |nodes: &Value| nodes.as_array().unwrap().len();
        [
            count(&answer["initialSync"]["invites"]),
            count(&answer["delta"]["invites"]),
            count(&answer["viewer"]["rooms"]["nodes"]),
            invited,
        ]
    };
    bob.position();
    assert_eq!(shown(), [0; 4]);
    ignore(&alice, &bob.user_id, false);
    assert_eq!(shown(), [1; 4], "the present list decides, also on a stream that catches up");
    ignore(&alice, &bob.user_id, true);
    let joined = alice.act("joinRoom", json!({ "room": { "roomId": secret } }));
    assert_eq!(joined["refusal"], Value::Null, "the invite is valid");
}

#[test]
fn ignored_users_type_unseen() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let socket = bob.socket();
    let document = "mutation($room: RoomID!) {
        setTyping(input: { roomId: $room, isTyping: true, timeoutSeconds: 120 }) {
            room { typing { nodes { userId } } } } }";
    let answer = bob.run(document, &json!({ "room": room }));
    let typing = &answer["setTyping"]["room"]["typing"]["nodes"];
    assert_eq!(*typing, json!([{ "userId": bob.user_id }]));
    let document = "query($room: RoomID!, $bob: UserID!, $after: Position!) {
        room(by: { roomId: $room }) {
            typing { nodes { userId } } member(userId: $bob) { isTyping } }
        events(after: $after) { ephemeral {
            ... on TypingChanged { users { nodes { userId } } } } } }";
    let variables = json!({ "room": room, "bob": bob.user_id, "after": alice.position() });
    let typists = || {
        let answer = alice.run(document, &variables);
        let told = answer["events"]["ephemeral"].as_array().unwrap().iter();
        let told = told.filter_map(|item| item["users"]["nodes"].as_array());
        let shown = answer["room"]["typing"]["nodes"].as_array().unwrap().len();
        let is_typing = answer["room"]["member"]["isTyping"].as_bool().unwrap();
        (shown, is_typing, told.map(Vec::len).sum::<usize>())
    };
    assert_eq!(typists(), (1, true, 1));
    ignore(&alice, &bob.user_id, true);
    assert_eq!(typists(), (0, false, 0));
    drop(socket);
}
