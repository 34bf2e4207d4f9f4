//! Actions that users must not be able to do to each other.

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{client::Client, server::Server};

fn cast(server: &Server) -> [Client; 3] {
    ["alice", "bob", "eve"].map(|name| Client::register(server, name))
}

#[test]
fn no_mutation_tells_a_private_room_from_none() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let [alice, bob, eve] = cast(&server);
    let private = alice.create_room(json!({
        "name": "Secret", "alias": "#secret:localhost", "invite": [bob.user_id],
    }));
    let event = alice.say(&private, "a secret");
    let nowhere = format!("!{}", "A".repeat(43));
    let inputs = [
        ("joinRoom", json!({})),
        ("knockOnRoom", json!({})),
        ("leaveRoom", json!({})),
        ("leaveRoom", json!({})),
        ("inviteUser", json!({ "userId": bob.user_id })),
        ("inviteUser", json!({ "userId": eve.user_id })),
        ("kickUser", json!({ "userId": alice.user_id })),
        ("banUser", json!({ "userId": alice.user_id })),
        ("banUser", json!({ "userId": eve.user_id })),
        ("unbanUser", json!({ "userId": bob.user_id })),
        ("sendMessage", json!({ "body": "x" })),
        ("sendEvent", json!({ "type": "com.example.x", "content": {} })),
        ("setRoomState", json!({ "type": "com.example.x", "content": {} })),
        ("setRoomName", json!({ "name": "Secret" })),
        ("setRoomName", json!({ "name": "n".repeat(300) })),
        ("setRoomTopic", json!({ "topic": "" })),
        ("setRoomAvatar", json!({ "avatarUrl": null })),
        ("setRoomAliases", json!({ "canonical": null })),
        ("setRoomAliases", json!({ "canonical": "#secret:localhost" })),
        ("setRoomAliases", json!({ "canonical": "#other:localhost" })),
        ("setHistoryVisibility", json!({ "visibility": "SHARED" })),
        ("setPowerLevels", json!({ "powerLevels": {} })),
        (
            "setPowerLevels",
            json!({ "powerLevels": { "users": [
            { "userId": alice.user_id, "level": 0 }] } }),
        ),
        ("setRoomListed", json!({ "isListed": false })),
    ];
    for (mutation, input) in inputs {
        let at = |room: &str| {
            let mut input = input.clone();
            input["roomId"] = json!(room);
            eve.act(mutation, input)
        };
        let (refused, absent) = (at(&private), at(&nowhere));
        assert_eq!(refused, absent, "{mutation} {input}");
        assert_eq!(absent["refusal"]["code"], "NO_SUCH_ROOM", "{mutation} {input}");
    }
    let numbered = |room: &str, number: u64| {
        eve.act("sendMessage", json!({ "roomId": room, "body": "x", "actionId": number }))
    };
    assert_eq!(numbered(&private, 1), numbered(&nowhere, 2));
    let join = |alias: &str| eve.act("joinRoom", json!({ "room": { "alias": alias } }));
    assert_eq!(join("#secret:localhost"), join("#nothing:localhost"));
    let rule = "mutation($room: RoomID!) { setJoinRule(input: { roomId: $room,
        joinRule: { kind: PUBLIC } }) { room { id } event { id } refusal { code message } } }";
    let set = |room: &str| eve.run(rule, &json!({ "room": room }));
    assert_eq!(set(&private), set(&nowhere));
    let look = "query($room: RoomID!, $alias: RoomAlias!, $event: EventID!) {
        room(by: { roomId: $room }) { id } byAlias: room(by: { alias: $alias }) { id } event(eventId: $event) { id } }";
    let found = eve.run(
        look,
        &json!({
            "room": private, "alias": "#secret:localhost", "event": event,
        }),
    );
    assert_eq!(found, json!({ "room": null, "byAlias": null, "event": null }));
    let seen = eve.run("{ publicRooms { totalCount } }", &json!({}));
    assert_eq!(seen["publicRooms"]["totalCount"], 0);
}

#[test]
fn profiles_are_shown_to_those_who_share_a_room_and_to_nobody_else() {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &["--profiles", "shared_rooms"]);
    let [alice, bob, eve] = cast(&server);
    let rename = |name: &str| {
        let document = "mutation($input: SetProfileInput!) { setProfile(input: $input) {
            position refusal { code } } }";
        let input = json!({ "input": { "displayName": name } });
        alice.run(document, &input)["setProfile"]["position"].clone()
    };
    rename("Alice");
    let room = alice.create_room(json!({ "preset": "PUBLIC" }));
    bob.act("joinRoom", json!({ "room": { "roomId": room } }));
    let said = alice.say(&room, "hello");
    let name_of = |client: &Client, at: &Value| {
        let document = "query($user: UserID!, $at: Position) { user(userId: $user, minPosition: $at) { displayName } }";
        let variables = json!({ "user": alice.user_id, "at": at });
        client.run(document, &variables)["user"]["displayName"].clone()
    };
    let speaker = |client: &Client, at: &Value| {
        let document =
            "query($event: EventID!, $at: Position) { event(eventId: $event, minPosition: $at) {
            sender { displayName } } }";
        let found = client.run(document, &json!({ "event": said, "at": at }));
        found["event"]["sender"]["displayName"].clone()
    };
    let nothing = Value::Null;
    assert_eq!(
        (name_of(&bob, &nothing), speaker(&bob, &nothing)),
        (json!("Alice"), json!("Alice"))
    );
    assert_eq!(
        (name_of(&eve, &nothing), speaker(&eve, &nothing)),
        (nothing.clone(), nothing.clone())
    );
    alice.act("kickUser", json!({ "roomId": room, "userId": bob.user_id }));
    let at = rename("A secret name");
    assert_eq!(name_of(&bob, &at), nothing, "a kicked user sees the new profile");
    assert_eq!(speaker(&bob, &at), nothing, "a kicked user sees the new name on an old event");
}

#[test]
fn an_alias_of_a_private_room_tells_strangers_nothing_that_a_name_nobody_may_have_does_not() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let [alice, bob, eve] = cast(&server);
    let secret = "#secret:localhost";
    alice.create_room(json!({ "name": "Secret", "alias": secret, "invite": [bob.user_id] }));
    alice.create_room(json!({ "preset": "PUBLIC", "alias": "#open:localhost" }));
    // To find and to enter.
    let found = "query($alias: RoomAlias!) { room(by: { alias: $alias }) { name } }";
    for alias in [secret, "#free:localhost"] {
        assert_eq!(eve.run(found, &json!({ "alias": alias }))["room"], Value::Null, "{alias}");
        for mutation in ["joinRoom", "knockOnRoom"] {
            assert_eq!(
                eve.refused(mutation, json!({ "alias": alias })),
                "NO_SUCH_ROOM",
                "{mutation}"
            );
        }
    }
    // To claim: only users who may know the room learn that the alias is taken.
    let claim = |client: &Client, alias: &str| {
        let payload = client.act("createRoom", json!({ "alias": alias }));
        let mut refusal = payload["refusal"].clone();
        if let Some(message) = refusal["message"].as_str() {
            refusal["message"] = message.replace(alias, "#").into();
        }
        refusal
    };
    for client in [&alice, &bob] {
        assert_eq!(claim(client, secret)["code"], "ALIAS_TAKEN");
    }
    assert_eq!(claim(&eve, "#open:localhost")["code"], "ALIAS_TAKEN");
    let own = eve.create_room(json!({ "preset": "PUBLIC" }));
    let refused = claim(&eve, secret);
    assert_eq!(refused["code"], "ALIAS_UNAVAILABLE");
    let set = json!({ "roomId": own, "canonical": secret });
    assert_eq!(eve.refused("setRoomAliases", set), "ALIAS_UNAVAILABLE");
    // After some guesses each name gets this answer, whether or not it is taken.
    for _ in 0..8 {
        assert_eq!(claim(&eve, secret), refused);
    }
    for alias in ["#free:localhost", secret, "#open:localhost", "#other:localhost"] {
        assert_eq!(claim(&eve, alias), refused, "{alias}");
    }
    assert_eq!(claim(&bob, "#free:localhost"), Value::Null, "another user is not held up");
}

#[test]
fn an_invite_shows_what_it_must_and_after_declining_nothing() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let [alice, bob, eve] = cast(&server);
    let room =
        alice.create_room(json!({ "name": "Tea", "topic": "Leaves", "invite": [bob.user_id] }));
    alice.say(&room, "before he comes");
    let document =
        "query($room: RoomID!) { room(by: { roomId: $room }) { name topic inviter { userId }
        lastMessage { id } members { totalCount } state { nodes { id } } timeline { nodes { stateKey } } } }";
    let look = |client: &Client| client.run(document, &json!({ "room": room }))["room"].clone();
    let shown = look(&bob);
    assert_eq!((&shown["name"], &shown["topic"]), (&json!("Tea"), &json!("Leaves")));
    assert_eq!(shown["inviter"]["userId"], alice.user_id.as_str());
    assert_eq!(shown["lastMessage"], Value::Null);
    assert_eq!(shown["members"]["totalCount"], 0);
    assert_eq!(shown["timeline"]["nodes"], json!([{ "stateKey": bob.user_id }]));
    assert_eq!(look(&eve), Value::Null);
    let invites = "{ initialSync { invites { name } rooms { name } } }";
    let sync = bob.run(invites, &json!({}))["initialSync"].clone();
    assert_eq!(sync, json!({ "invites": [{ "name": "Tea" }], "rooms": [] }));
    bob.act("leaveRoom", json!({ "roomId": room }));
    alice.act("setRoomName", json!({ "roomId": room, "name": "Coffee" }));
    let after = look(&bob);
    for field in ["name", "topic", "inviter", "lastMessage"] {
        assert_eq!(after[field], Value::Null, "{field}");
    }
    let sync = bob.run(invites, &json!({}))["initialSync"].clone();
    assert_eq!(sync, json!({ "invites": [], "rooms": [] }));
}

#[test]
fn action_ids_belong_to_a_device_and_to_what_they_were_used_for() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let [alice, bob, _] = cast(&server);
    let room = alice.create_room(json!({ "preset": "PUBLIC" }));
    bob.act("joinRoom", json!({ "room": { "roomId": room } }));
    let send = |client: &Client, body: &str| {
        client.act("sendMessage", json!({ "roomId": room, "body": body, "actionId": 5 }))
    };
    let (by_alice, by_bob) = (send(&alice, "of Alice"), send(&bob, "of Bob"));
    assert_ne!(by_alice["event"], by_bob["event"]);
    assert_eq!(send(&alice, "of Alice"), by_alice);
    assert_eq!(send(&alice, "something else")["refusal"]["code"], "ACTION_ID_REUSED");
    let elsewhere = alice.create_room(json!({}));
    let input = json!({ "roomId": elsewhere, "body": "of Alice", "actionId": 5 });
    assert_eq!(alice.refused("sendMessage", input), "ACTION_ID_REUSED");
    let input = json!({ "roomId": room, "name": "of Alice", "actionId": 5 });
    assert_eq!(alice.refused("setRoomName", input), "ACTION_ID_REUSED");
    let mut laptop = alice.clone();
    let session = alice.log_in("correct horse");
    laptop.token = session["token"].as_str().map(ToOwned::to_owned);
    let document = "query($event: EventID!) { event(eventId: $event) { actionId } }";
    let seen_by = |client: &Client| {
        let event = json!({ "event": by_alice["event"]["eventId"] });
        client.run(document, &event)["event"]["actionId"].clone()
    };
    assert_eq!(
        (seen_by(&alice), seen_by(&laptop), seen_by(&bob)),
        (json!(5), json!(null), json!(null))
    );
    assert_ne!(send(&laptop, "from the laptop")["event"], by_alice["event"]);
    let document =
        "mutation($input: SendMessageInput!) { sendMessage(input: $input) { position } }";
    for action in [0, -1] {
        let input = json!({ "roomId": room, "body": "x", "actionId": action });
        assert_eq!(alice.fail(document, &json!({ "input": input })), "BAD_USER_INPUT");
    }
}

#[test]
fn a_refused_action_leaves_no_trace() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let [alice, bob, _] = cast(&server);
    let room = alice.create_room(json!({ "preset": "PUBLIC" }));
    bob.act("joinRoom", json!({ "room": { "roomId": room } }));
    let position = alice.position();
    let to_room = |mut input: Value| {
        input["roomId"] = json!(room);
        input
    };
    let refused = [
        ("setRoomName", json!({ "name": "mine now" }), "INSUFFICIENT_POWER"),
        ("kickUser", json!({ "userId": alice.user_id }), "INSUFFICIENT_POWER"),
        ("setHistoryVisibility", json!({ "visibility": "WORLD_READABLE" }), "INSUFFICIENT_POWER"),
        ("sendMessage", json!({ "body": "x".repeat(64_900) }), "TOO_LARGE"),
        ("sendEvent", json!({ "type": "m.room.member", "content": {} }), "RESERVED_TYPE"),
        ("setRoomState", json!({ "type": "m.room.power_levels", "content": {} }), "RESERVED_TYPE"),
        (
            "setPowerLevels",
            json!({ "powerLevels": { "users": [
            { "userId": bob.user_id, "level": 100 }] } }),
            "INSUFFICIENT_POWER",
        ),
    ];
    for (mutation, input, code) in refused {
        assert_eq!(bob.refused(mutation, to_room(input)), code, "{mutation}");
    }
    for text in ["no alias", "#a b:localhost/../x", "#../../etc/passwd"] {
        let document =
            "mutation($input: SetRoomAliasesInput!) { setRoomAliases(input: $input) { position } }";
        let input = to_room(json!({ "canonical": text }));
        assert_eq!(alice.fail(document, &json!({ "input": input })), "BAD_USER_INPUT", "{text}");
    }
    let foreign = to_room(json!({ "canonical": "#tea:elsewhere.example" }));
    assert_eq!(alice.refused("setRoomAliases", foreign), "INVALID_ALIAS");
    assert_eq!(alice.position(), position, "something was written");
}

#[test]
fn nobody_rises_above_her_own_level_and_no_room_loses_its_head() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let [alice, bob, eve] = cast(&server);
    // In version 12 the creator is above all levels; in 11 the creator has a level.
    for version in ["11", "12"] {
        let room = alice.create_room(json!({ "preset": "PUBLIC", "roomVersion": version }));
        for client in [&bob, &eve] {
            client.act("joinRoom", json!({ "room": { "roomId": room } }));
        }
        let levels = |client: &Client, user: &Client, level: i64| {
            let users = json!([{ "userId": user.user_id, "level": level }]);
            let input = json!({ "roomId": room, "powerLevels": { "users": users } });
            let payload = client.act("setPowerLevels", input);
            payload["refusal"]["code"].as_str().unwrap_or("done").to_owned()
        };
        let setting = |client: &Client, key: &str, level: i64| {
            let input = json!({ "roomId": room, "powerLevels": { key: level } });
            client.act("setPowerLevels", input)["refusal"]["code"].clone()
        };
        assert_eq!(levels(&alice, &bob, 50), "done");
        assert_eq!(levels(&bob, &eve, 10), "INSUFFICIENT_POWER", "in version {version}");
        let mut events = json!({ "roomId": room });
        events["powerLevels"] =
            json!({ "events": [{ "type": "m.room.power_levels", "level": 50 }] });
        assert_eq!(alice.act("setPowerLevels", events)["refusal"], Value::Null);
        assert_eq!(levels(&bob, &eve, 51), "LEVEL_ABOVE_OWN", "in version {version}");
        assert_eq!(levels(&bob, &bob, 51), "LEVEL_ABOVE_OWN", "in version {version}");
        assert_eq!(levels(&bob, &eve, 50), "done");
        assert_ne!(levels(&bob, &eve, 0), "done", "an equal was demoted, in version {version}");
        assert_ne!(levels(&bob, &alice, 0), "done", "the head was demoted, in version {version}");
        assert_eq!(setting(&bob, "ban", 75), "LEVEL_ABOVE_OWN", "in version {version}");
        let kick = json!({ "roomId": room, "userId": alice.user_id });
        assert_eq!(bob.refused("kickUser", kick), "TARGET_NOT_BELOW", "in version {version}");
        let alone = alice.create_room(json!({ "roomVersion": version }));
        let users = json!([{ "userId": alice.user_id, "level": 0 }]);
        let input = json!({ "roomId": alone, "powerLevels": { "users": users } });
        let code = alice.refused("setPowerLevels", input);
        let expected = if version == "11" { "WOULD_LOCK_OUT" } else { "CREATOR_HAS_NO_LEVEL" };
        assert_eq!(code, expected);
        let needs = json!({ "roomId": alone, "powerLevels": {
            "events": [{ "type": "m.room.power_levels", "level": 101 }] } });
        let payload = alice.act("setPowerLevels", needs);
        let allowed = version == "12";
        assert_eq!(payload["refusal"].is_null(), allowed, "in version {version}: {payload}");
    }
}

#[test]
fn nothing_of_an_event_can_be_forged() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let [alice, bob, _] = cast(&server);
    let room = alice.create_room(json!({ "preset": "PUBLIC" }));
    bob.act("joinRoom", json!({ "room": { "roomId": room } }));
    let document =
        "mutation($input: SendMessageInput!) { sendMessage(input: $input) { position } }";
    for field in ["sender", "sentAt", "originServerTs", "sequence", "depth", "eventId", "position"]
    {
        let mut input = json!({ "roomId": room, "body": "x" });
        input[field] = json!("@alice:localhost");
        let answer = bob.post(document, &json!({ "input": input })).body;
        assert!(answer["errors"].is_array(), "{field} was taken: {answer}");
    }
    let content =
        json!({ "sender": alice.user_id, "origin_server_ts": 1, "depth": 9, "event_id": "$x" });
    let input = json!({ "roomId": room, "type": "com.example.x", "content": content });
    let event = bob.act("sendEvent", input)["event"]["eventId"].clone();
    let document = "query($event: EventID!) { event(eventId: $event) { sender { userId } pdu } }";
    let found = alice.run(document, &json!({ "event": event }))["event"].clone();
    assert_eq!(found["sender"]["userId"], bob.user_id.as_str());
    assert_eq!(found["pdu"]["sender"], bob.user_id.as_str());
    assert!(found["pdu"]["signatures"]["localhost"].is_object());
    let own_key = json!({ "roomId": room, "type": "com.example.seat", "stateKey": alice.user_id, "content": {} });
    let code = bob.refused("setRoomState", own_key);
    assert!(["STATE_KEY_NOT_YOURS", "INSUFFICIENT_POWER"].contains(&&*code), "{code}");
}

#[test]
fn only_its_owner_reaches_a_device() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let [alice, bob, _] = cast(&server);
    let session = alice.log_in("correct horse");
    let device = session["deviceId"].clone();
    let remove = "mutation($device: ID!) { removeDevice(input: { deviceId: $device }) {
        deviceId refusal { code } } }";
    let rename =
        "mutation($device: ID!) { renameDevice(input: { deviceId: $device, name: \"x\" }) {
        device { deviceId } refusal { code } } }";
    for device in [&device, &json!("NOSUCHDEVICE")] {
        let variables = json!({ "device": device });
        let removed = bob.run(remove, &variables)["removeDevice"].clone();
        assert_eq!(removed["refusal"]["code"], "DEVICE_NOT_FOUND");
        let renamed = bob.run(rename, &variables)["renameDevice"].clone();
        assert_eq!(renamed["refusal"]["code"], "DEVICE_NOT_FOUND");
    }
    let mut laptop = alice.clone();
    laptop.token = session["token"].as_str().map(ToOwned::to_owned);
    let mut stream = laptop.follow(None);
    alice.run(remove, &json!({ "device": device }));
    assert_eq!(stream.chunk(), Err(4403));
    assert_eq!(laptop.post("{ __typename }", &json!({})).status, 401);
}
