//! The user of a webhook as a member: it posts only while the room takes its messages.

use serde_json::{Value, json};
use tempfile::tempdir;

use super::requests::{answer, create, delete, listed, post, rotate};
use crate::{
    client::two,
    server::{Server, succeed},
};

#[test]
fn a_webhook_that_was_removed_from_the_room_posts_again_once_it_is_let_in() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, _, room) = two(&server);
    let (id, path) = create(&alice, &json!({ "roomId": room, "name": "Alerts" }));
    let user = format!("@hook.{id}:localhost");
    let text = json!({ "text": "hello" });
    alice.act("kickUser", json!({ "roomId": room, "userId": user }));
    assert_eq!(post(&server, &path, &text), answer(410, "channel_is_archived"));
    assert_eq!(listed(&alice, &room)[0]["isActive"], false);
    let rotated = rotate(&alice, &id);
    assert_eq!(rotated["webhook"]["isActive"], true, "{rotated}");
    let path = rotated["path"].as_str().unwrap();
    assert_eq!(post(&server, path, &text), answer(200, "ok"));
    alice.act("banUser", json!({ "roomId": room, "userId": user }));
    assert_eq!(post(&server, path, &text), answer(410, "channel_is_archived"));
    assert_eq!(rotate(&alice, &id)["refusal"]["code"], "TARGET_BANNED");
    assert_eq!(delete(&alice, &id)["refusal"], Value::Null, "a banned one can be deleted");
}

#[test]
fn a_webhook_of_a_room_that_was_replaced_is_gone_and_can_be_deleted() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, _, room) = two(&server);
    let (id, path) = create(&alice, &json!({ "roomId": room, "name": "Alerts" }));
    let document = "mutation($input: UpgradeRoomInput!) { upgradeRoom(input: $input) {
        refusal { code } } }";
    let input = json!({ "input": { "roomId": room, "newVersion": "11" } });
    assert_eq!(alice.run(document, &input)["upgradeRoom"]["refusal"], Value::Null);
    let text = json!({ "text": "hello" });
    assert_eq!(post(&server, &path, &text), answer(410, "channel_is_archived"));
    assert_eq!(delete(&alice, &id)["refusal"], Value::Null);
    assert_eq!(post(&server, &path, &text), answer(404, "no_service"));
}

#[test]
fn a_webhook_posts_only_with_the_power_that_messages_need() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, _, room) = two(&server);
    let (id, path) = create(&alice, &json!({ "roomId": room, "name": "Alerts" }));
    let levels = json!({ "eventsDefault": 50 });
    alice.act("setPowerLevels", json!({ "roomId": room, "powerLevels": levels }));
    let text = json!({ "text": "hello" });
    assert_eq!(post(&server, &path, &text), answer(403, "action_prohibited"));
    let levels = json!({ "users": [{ "userId": format!("@hook.{id}:localhost"), "level": 50 }] });
    alice.act("setPowerLevels", json!({ "roomId": room, "powerLevels": levels }));
    assert_eq!(post(&server, &path, &text), answer(200, "ok"));
}

#[test]
fn an_operator_stops_a_webhook_by_deactivating_its_user() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, _, room) = two(&server);
    let (id, path) = create(&alice, &json!({ "roomId": room, "name": "Alerts" }));
    succeed(data.path(), &["user", "deactivate", &format!("hook.{id}"), "--yes"], "");
    assert_eq!(post(&server, &path, &json!({ "text": "hello" })), answer(404, "no_service"));
}
