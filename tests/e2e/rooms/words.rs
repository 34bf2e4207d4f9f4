//! Texts that look the same, invisible names, and rooms that are left or replaced.

use serde_json::{Value, json};

use crate::{
    client::{Client, two},
    server::Server,
};

fn highlights(client: &Client, room: &str) -> u64 {
    let document = "query($room: RoomID!) { room(by: { roomId: $room }) { highlightCount } }";
    client.run(document, &json!({ "room": room }))["room"]["highlightCount"].as_u64().unwrap()
}

/// The code of the refusal, and the room that it names.
fn refusal(client: &Client, name: &str, kind: &str, input: &Value) -> (String, Value) {
    let document = format!(
        "mutation($input: {kind}!) {{ {name}(input: $input) {{ refusal {{ code replacedBy }} }} }}"
    );
    let refusal = client.run(&document, &json!({ "input": input }))[name]["refusal"].clone();
    (refusal["code"].as_str().unwrap_or("none").to_owned(), refusal["replacedBy"].clone())
}

#[test]
fn a_mention_that_is_edited_out_highlights_no_more() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let user = |name: &str| json!({ "userIds": [format!("@{name}:localhost")] });
    let say = |body: &str, edits: Value, mentions: Value| {
        let input = json!({ "roomId": room, "body": body, "edits": edits, "mentions": mentions });
        alice.act("sendMessage", input)["event"]["eventId"].clone()
    };
    let said = say("hey", Value::Null, user("bob"));
    assert_eq!(highlights(&bob, &room), 1);
    let edit = say("hey all", said.clone(), json!({ "userIds": [] }));
    assert_eq!(highlights(&bob, &room), 0);
    alice.act("redactEvent", json!({ "roomId": room, "eventId": edit }));
    assert_eq!(highlights(&bob, &room), 1, "the text before holds again");
    say("hey Bob", said, Value::Null);
    assert_eq!(highlights(&bob, &room), 1, "named in the text");
    let quiet = say("well", Value::Null, Value::Null);
    say("well, bob", quiet.clone(), Value::Null);
    assert_eq!(highlights(&bob, &room), 2, "edited in");
    alice.act("redactEvent", json!({ "roomId": room, "eventId": quiet }));
    assert_eq!(highlights(&bob, &room), 1);
    // A receipt stays, whatever happens to its event.
    bob.say(&room, "yes?");
    say("once more, bob", Value::Null, Value::Null);
    assert_eq!(highlights(&bob, &room), 1);
}

#[test]
fn what_looks_the_same_is_the_same() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    bob.rename_in(&room, "Zo\u{eb}");
    alice.say(&room, "hi ZOE\u{308}!");
    alice.say(&room, "not Zoe, zoë_smith or Zoës");
    assert_eq!(highlights(&bob, &room), 1);
    let claim = |name: &str| json!({ "alias": format!("#{name}:localhost") });
    alice.create_room(claim("CAF\u{c9}"));
    for name in ["caf\u{e9}", "cafe\u{301}", "Cafe\u{301}", "ca\u{200b}f\u{e9}"] {
        let code = bob.refused("createRoom", claim(name));
        assert!(["ALIAS_TAKEN", "ALIAS_UNAVAILABLE"].contains(&&*code), "{name:?}: {code}");
    }
    let document = "query($alias: RoomAlias!) { room(by: { alias: $alias }) { canonicalAlias } }";
    let alias = json!({ "alias": "#Cafe\u{301}:localhost" });
    let found = alice.run(document, &alias);
    assert_eq!(found["room"]["canonicalAlias"], "#caf\u{e9}:localhost");
    alice.create_room(json!({ "name": "STRASSE", "preset": "PUBLIC", "isListed": true }));
    let document = "query($search: String) { publicRooms(search: $search) { totalCount } }";
    let found = bob.run(document, &json!({ "search": "stra\u{df}e" }));
    assert_eq!(found["publicRooms"]["totalCount"], 1);
    let said = alice.say(&room, "coffee?");
    for (who, key) in
        [(&alice, "oui\u{300}"), (&bob, "ou\u{ec}"), (&alice, "👍"), (&bob, "👍\u{fe0f}")]
    {
        who.act("addReaction", json!({ "roomId": room, "eventId": said, "key": key }));
    }
    let document =
        "query($event: EventID!) { event(eventId: $event) { reactions { nodes { count } } } }";
    let reactions = bob.run(document, &json!({ "event": said }));
    assert_eq!(reactions["event"]["reactions"]["nodes"], json!([{ "count": 2 }, { "count": 2 }]));
}

#[test]
fn names_that_show_nothing_are_refused() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, _, room) = two(&server);
    let said = alice.say(&room, "x");
    for nothing in ["\u{200b}", " ", "\u{feff}\u{202e}", "\u{3164}", "\u{301}"] {
        let refused = |name: &str, kind: &str, input: Value| refusal(&alice, name, kind, &input).0;
        let codes = [
            refused("setProfile", "SetProfileInput", json!({ "displayName": nothing })),
            refused("setRoomName", "SetRoomNameInput", json!({ "roomId": room, "name": nothing })),
            refused("createRoom", "CreateRoomInput", json!({ "name": nothing })),
            refused(
                "addReaction",
                "AddReactionInput",
                json!({ "roomId": room, "eventId": said, "key": nothing }),
            ),
        ];
        assert_eq!(codes, ["SHOWS_NOTHING"; 4], "{nothing:?}");
    }
    // To remove a name, set none.
    assert_eq!(
        alice.act("setRoomName", json!({ "roomId": room, "name": "" }))["refusal"],
        Value::Null
    );
}

#[test]
fn a_replaced_room_names_the_new_one_in_every_refusal() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let said = bob.say(&room, "before");
    let document = "mutation($input: UpgradeRoomInput!) { upgradeRoom(input: $input) {
        replacement { roomId } refusal { code } } }";
    let input = json!({ "input": { "roomId": room, "newVersion": "12" } });
    let new = alice.run(document, &input)["upgradeRoom"]["replacement"]["roomId"].clone();
    let replaced = ("ROOM_REPLACED".to_owned(), new);
    let message = json!({ "roomId": room, "body": "lost", "actionId": 1 });
    for _ in 0..2 {
        assert_eq!(
            refusal(&alice, "sendMessage", "SendMessageInput", &message),
            replaced,
            "a retry too"
        );
    }
    for (name, kind, input) in [
        ("sendMessage", "SendMessageInput", json!({ "body": "lost", "edits": said })),
        ("addReaction", "AddReactionInput", json!({ "eventId": said, "key": "👍" })),
        ("setTyping", "SetTypingInput", json!({ "isTyping": true })),
        ("setRoomTopic", "SetRoomTopicInput", json!({ "topic": "x" })),
        ("inviteUser", "InviteUserInput", json!({ "userId": "@bob:localhost" })),
    ] {
        let mut input = input;
        input["roomId"] = room.clone().into();
        assert_eq!(refusal(&bob, name, kind, &input), replaced, "{name}");
    }
    for (name, input) in [
        ("redactEvent", json!({ "roomId": room, "eventId": said })),
        ("leaveRoom", json!({ "roomId": room })),
    ] {
        assert_eq!(bob.act(name, input)["refusal"], Value::Null, "{name}");
    }
    let mark = json!({ "roomId": room, "eventId": said });
    assert_eq!(refusal(&alice, "markRoomRead", "MarkRoomReadInput", &mark).0, "none");
    assert_eq!(alice.act("leaveRoom", json!({ "roomId": room }))["refusal"], Value::Null);
}

#[test]
fn the_last_head_names_a_successor() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    assert_eq!(alice.refused("leaveRoom", json!({ "roomId": room })), "WOULD_LOCK_OUT");
    let to = |user: &str| json!({ "roomId": room, "successor": format!("@{user}:localhost") });
    assert_eq!(alice.refused("leaveRoom", to("carol")), "TARGET_NOT_IN_ROOM");
    assert_eq!(alice.act("leaveRoom", to("bob"))["refusal"], Value::Null);
    let named = json!({ "roomId": room, "name": "Bob's" });
    assert_eq!(bob.act("setRoomName", named)["refusal"], Value::Null);
    // Nobody is left behind.
    assert_eq!(bob.act("leaveRoom", json!({ "roomId": room }))["refusal"], Value::Null);
}

#[test]
fn a_user_gives_so_many_aliases_to_rooms() {
    const MAX: usize = 250;
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_with(data.path(), &["--limits-rates-aliases", "none"]);
    let (alice, bob, first) = two(&server);
    let mut rooms = vec![first];
    rooms.extend((1..3).map(|_| alice.create_room(json!({ "preset": "PUBLIC" }))));
    let aliases = |range: std::ops::Range<usize>| -> Vec<String> {
        range.map(|number| format!("#name{number}:localhost")).collect()
    };
    let give = |room: &str, names: Vec<String>| {
        let payload = alice.act("setRoomAliases", json!({ "roomId": room, "alternative": names }));
        payload["refusal"]["code"].as_str().unwrap_or("none").to_owned()
    };
    assert_eq!(give(&rooms[0], aliases(0..100)), "none");
    assert_eq!(give(&rooms[1], aliases(100..200)), "none");
    assert_eq!(give(&rooms[2], aliases(200..MAX)), "none");
    // A written message counts once the read side shows it.
    alice.position();
    let one_more = json!({ "alias": "#more:localhost" });
    assert_eq!(alice.refused("createRoom", one_more.clone()), "TOO_MANY_ALIASES");
    assert_eq!(give(&rooms[2], aliases(200..MAX + 1)), "TOO_MANY_ALIASES");
    assert_eq!(give(&rooms[2], aliases(200..MAX - 1)), "none", "what is there stays, and one goes");
    bob.create_room(json!({ "alias": "#bobs:localhost" }));
    assert_eq!(alice.act("createRoom", one_more)["refusal"], Value::Null);
}
