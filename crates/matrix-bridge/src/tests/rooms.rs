//! Rooms: creation, members, state and aliases.

use serde_json::{Value, json};

use super::home::{Home, NAME};

/// The body with which heisenbridge 1.15.4 creates the room of a channel.
fn channel(invite: &[&str]) -> Value {
    json!({
        "visibility": "private",
        "name": "#rookery",
        "topic": "Birds",
        "invite": invite,
        "is_direct": false,
        "power_level_content_override": {
            "users_default": 0, "invite": 100, "kick": 100, "redact": 100, "ban": 100,
            "events": { "m.room.name": 0, "m.room.avatar": 0 },
        },
        "com.beeper.auto_join_invites": true,
    })
}

#[tokio::test]
async fn a_room_of_heisenbridge_has_its_levels_and_settings() {
    let home = Home::open().await;
    let room = home.room(channel(&["@ann:one.example"])).await;
    let levels = home.state(&room, "m.room.power_levels").await;
    assert_eq!(levels["users"], json!({ "@bridge:one.example": 100 }));
    assert_eq!((&levels["invite"], &levels["events"]["m.room.name"]), (&json!(100), &json!(0)));
    assert_eq!(home.state(&room, "m.room.name").await, json!({ "name": "#rookery" }));
    assert_eq!(home.state(&room, "m.room.topic/").await["topic"], "Birds");
    assert_eq!(home.state(&room, "m.room.create").await["room_version"], "11");
    let ann = home.state(&room, "m.room.member/%40ann%3Aone.example").await;
    assert_eq!(ann["membership"], "invite");
    let rooms = home.call("GET", "joined_rooms", Value::Null).await.ok();
    assert_eq!(rooms, json!({ "joined_rooms": [room] }));
    home.close().await;
}

#[tokio::test]
async fn a_space_begins_with_the_state_of_its_creator() {
    let home = Home::open().await;
    let child = home.room(channel(&[])).await;
    let room = home
        .room(json!({
            "creation_content": { "type": "m.space" },
            "initial_state": [
                { "type": "m.space.child", "state_key": child, "content": { "via": [NAME] } },
                { "type": "m.room.join_rules", "content": { "join_rule": "restricted",
                    "allow": [{ "type": "m.room_membership", "room_id": child }] } },
                { "type": "m.room.history_visibility",
                  "content": { "history_visibility": "joined" } },
            ],
        }))
        .await;
    assert_eq!(home.state(&room, "m.room.create").await["type"], "m.space");
    assert_eq!(home.state(&room, "m.room.join_rules").await["join_rule"], "restricted");
    let visibility = home.state(&room, "m.room.history_visibility").await;
    assert_eq!(visibility["history_visibility"], "joined");
    let held = home.state(&room, &format!("m.space.child/{child}")).await;
    assert_eq!(held, json!({ "via": [NAME] }));
    home.close().await;
}

#[tokio::test]
async fn a_user_of_the_bridge_joins_once_the_bot_has_invited_them() {
    let home = Home::open().await;
    home.register("irc_bob").await.ok();
    let room = home.room(channel(&[])).await;
    let join = format!("join/{room}");
    let early = home.call_as("irc_bob", "POST", &join, Value::Null).await;
    assert_eq!(early.error(), (403, "M_FORBIDDEN"));
    let bob = format!("@irc_bob:{NAME}");
    let invite = json!({ "user_id": bob });
    home.call("POST", &format!("rooms/{room}/invite"), invite).await.ok();
    let joined = home.call_as("irc_bob", "POST", &join, json!({})).await.ok();
    assert_eq!(joined["room_id"], room);
    let members = home.call("GET", &format!("rooms/{room}/joined_members"), Value::Null).await;
    let members = members.ok();
    assert!(members["joined"].as_object().unwrap().contains_key(&bob));
    let path = format!("rooms/{room}/members?not_membership=leave&membership=join");
    let chunk = home.call("GET", &path, Value::Null).await.ok();
    let keys: Vec<_> =
        chunk["chunk"].as_array().unwrap().iter().map(|it| &it["state_key"]).collect();
    assert_eq!(keys, ["@bridge:one.example", &*bob]);
    home.close().await;
}

#[tokio::test]
async fn a_user_who_kicks_themselves_leaves() {
    let home = Home::open().await;
    home.register("irc_bob").await.ok();
    let bob = format!("@irc_bob:{NAME}");
    let room = home.room(channel(&[&bob])).await;
    home.call_as("irc_bob", "POST", &format!("join/{room}"), Value::Null).await.ok();
    let forget = format!("rooms/{room}/forget");
    let early = home.call_as("irc_bob", "POST", &forget, Value::Null).await;
    assert_eq!(early.error(), (400, "M_UNKNOWN"));
    let kick = json!({ "user_id": bob, "reason": "Quit: bye" });
    home.call_as("irc_bob", "POST", &format!("rooms/{room}/kick"), kick).await.ok();
    let held = home.state(&room, &format!("m.room.member/{bob}")).await;
    assert_eq!((&held["membership"], &held["reason"]), (&json!("leave"), &json!("Quit: bye")));
    home.call_as("irc_bob", "POST", &forget, Value::Null).await.ok();
    let outside = home.call_as("irc_bob", "GET", &format!("rooms/{room}/state"), Value::Null).await;
    assert_eq!(outside.error(), (403, "M_FORBIDDEN"));
    home.close().await;
}

#[tokio::test]
async fn each_setting_can_be_set_as_state() {
    let home = Home::open().await;
    let room = home.room(json!({ "name": "before" })).await;
    for (kind, content) in [
        ("m.room.name", json!({ "name": "after" })),
        ("m.room.topic", json!({ "topic": "birds" })),
        ("m.room.avatar", json!({ "url": "mxc://one.example/bird" })),
        ("m.room.join_rules", json!({ "join_rule": "public" })),
        ("m.room.history_visibility", json!({ "history_visibility": "world_readable" })),
        ("m.room.guest_access", json!({ "guest_access": "forbidden" })),
        ("org.example.board", json!({ "size": 8 })),
    ] {
        let path = format!("rooms/{room}/state/{kind}/");
        let first = home.call("PUT", &path, content.clone()).await.ok();
        let again = home.call("PUT", &path, content.clone()).await.ok();
        assert_eq!(first, again, "the same state is one event");
        assert!(first["event_id"].is_string());
        assert_eq!(home.state(&room, kind).await, content);
    }
    let levels = json!({ "users": { "@bridge:one.example": 100, "@ann:one.example": 50 },
        "state_default": 60, "kick": 50, "ban": 50, "redact": 50 });
    let path = format!("rooms/{room}/state/m.room.power_levels");
    home.call("PUT", &path, levels).await.ok();
    let held = home.state(&room, "m.room.power_levels").await;
    assert_eq!(
        (&held["state_default"], &held["users"]["@ann:one.example"]),
        (&json!(60), &json!(50))
    );
    let all = home.call("GET", &format!("rooms/{room}/state"), Value::Null).await.ok();
    let kinds = all.as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap());
    assert!(kinds.clone().any(|kind| kind == "m.room.create"));
    assert!(all.as_array().unwrap().iter().all(|event| event["room_id"] == *room));
    let path = format!("rooms/{room}/state/org.example.none");
    let missing = home.call("GET", &path, Value::Null).await;
    assert_eq!(missing.error(), (404, "M_NOT_FOUND"));
    let member = json!({ "membership": "join", "displayname": "another" });
    let path = format!("rooms/{room}/state/m.room.member/@bridge:one.example");
    assert!(home.call("PUT", &path, member).await.ok()["event_id"].is_string());
    let create = format!("rooms/{room}/state/m.room.create");
    assert_eq!(home.call("PUT", &create, json!({})).await.error(), (403, "M_FORBIDDEN"));
    home.close().await;
}

#[tokio::test]
async fn aliases_are_added_found_and_removed() {
    let home = Home::open().await;
    let room = home.room(json!({ "room_alias_name": "birds" })).await;
    let (first, second) = ("%23birds%3Aone.example", "%23more%3Aone.example");
    let path = |alias: &str| format!("directory/room/{alias}");
    let found = home.call("GET", &path(first), Value::Null).await.ok();
    assert_eq!(found, json!({ "room_id": room, "servers": [NAME] }));
    assert_eq!(home.call("GET", &path(second), Value::Null).await.error(), (404, "M_NOT_FOUND"));
    let target = json!({ "room_id": room });
    home.call("PUT", &path(second), target.clone()).await.ok();
    assert_eq!(home.call("PUT", &path(second), target).await.error(), (409, "M_UNKNOWN"));
    let held = home.state(&room, "m.room.canonical_alias").await;
    assert_eq!(
        held,
        json!({ "alias": "#birds:one.example", "alt_aliases": ["#more:one.example"] })
    );
    home.call("DELETE", &path(first), Value::Null).await.ok();
    assert_eq!(home.call("GET", &path(first), Value::Null).await.error(), (404, "M_NOT_FOUND"));
    home.call("POST", &format!("join/{second}"), Value::Null).await.ok();
    home.close().await;
}

#[tokio::test]
async fn a_room_that_is_not_here_is_refused_with_a_code_that_says_why() {
    let home = Home::open().await;
    let room = "!none%3Atwo.example";
    for (path, expected) in [
        ("join/%23none%3Aone.example".to_owned(), (404, "M_NOT_FOUND")),
        // This server talks with no others.
        ("join/%23none%3Atwo.example".to_owned(), (403, "M_FORBIDDEN")),
        (format!("join/{room}?server_name=two.example&via=three.example"), (403, "M_FORBIDDEN")),
        (format!("join/{room}?server_name=no%20name"), (400, "M_INVALID_PARAM")),
        ("join/none".to_owned(), (400, "M_INVALID_PARAM")),
    ] {
        assert_eq!(home.call("POST", &path, json!({})).await.error(), expected, "{path}");
    }
    let alias = "directory/room/%23none%3Atwo.example";
    assert_eq!(home.call("GET", alias, Value::Null).await.error(), (502, "M_UNKNOWN"));
    let profile = home.call("GET", "profile/%40bob%3Atwo.example", Value::Null).await;
    assert_eq!(profile.error(), (404, "M_NOT_FOUND"));
    home.close().await;
}
