//! Messages and other events.

use serde_json::{Value, json};

use super::home::{Home, NAME};

#[tokio::test]
async fn a_transaction_is_one_event_for_ever() {
    let home = Home::open().await;
    home.register("irc_bob").await.ok();
    let bob = format!("@irc_bob:{NAME}");
    let room = home.room(json!({ "invite": [bob] })).await;
    home.call_as("irc_bob", "POST", &format!("join/{room}"), Value::Null).await.ok();
    let first = home.say(&room, "hello", "t1").await;
    assert_eq!(home.say(&room, "hello", "t1").await, first);
    assert_eq!(home.say(&room, "a retry never has another content", "t1").await, first);
    assert_ne!(home.say(&room, "hello", "t2").await, first);
    let body = json!({ "msgtype": "m.text", "body": "hello" });
    let path = format!("rooms/{room}/send/m.room.message/t1");
    let other = home.call_as("irc_bob", "PUT", &path, body).await.ok();
    assert_ne!(other["event_id"], *first, "another user has transactions of their own");
    home.close().await;
}

#[tokio::test]
async fn an_event_has_the_form_and_all_the_content_that_the_bridge_sent() {
    let home = Home::open().await;
    let room = home.room(json!({})).await;
    let content = json!({ "msgtype": "m.notice", "body": "a", "format": "org.matrix.custom.html",
        "formatted_body": "<b>a</b>", "org.example.extra": { "kept": true } });
    let path = format!("rooms/{room}/send/m.room.message/t1");
    let id = home.call("PUT", &path, content.clone()).await.ok()["event_id"].take();
    let path = format!("rooms/{room}/event/{}", id.as_str().unwrap());
    let event = home.call("GET", &path, Value::Null).await.ok();
    let expected = json!({ "type": "m.room.message", "event_id": id, "room_id": room,
        "sender": "@bridge:one.example", "origin_server_ts": 1, "content": content,
        "unsigned": {} });
    assert_eq!(event, expected);
    let other = home.room(json!({})).await;
    let path = format!("rooms/{other}/event/{}", id.as_str().unwrap());
    assert_eq!(home.call("GET", &path, Value::Null).await.error(), (404, "M_NOT_FOUND"));
    home.close().await;
}

#[tokio::test]
async fn a_refused_event_has_a_code_of_the_specification() {
    let home = Home::open().await;
    home.register("irc_bob").await.ok();
    let room = home.room(json!({})).await;
    let send = format!("rooms/{room}/send/m.room.message");
    let message = json!({ "msgtype": "m.text", "body": "a" });
    let outside = home.call_as("irc_bob", "PUT", &format!("{send}/t1"), message.clone()).await;
    assert_eq!(outside.error(), (403, "M_FORBIDDEN"));
    for (body, error) in [
        (json!({ "msgtype": "m.text" }), (400, "M_BAD_JSON")),
        (json!({ "msgtype": "m.text", "body": "a", "half": 0.5 }), (400, "M_BAD_JSON")),
        (json!({ "msgtype": "m.text", "body": "a".repeat(70_000) }), (413, "M_TOO_LARGE")),
    ] {
        assert_eq!(home.call("PUT", &format!("{send}/t2"), body).await.error(), error);
    }
    let txn = "t".repeat(256);
    let long = home.call("PUT", &format!("{send}/{txn}"), message.clone()).await;
    assert_eq!(long.error(), (400, "M_INVALID_PARAM"));
    let path = format!("rooms/{room}/send/m.room.create/t3");
    assert_eq!(home.call("PUT", &path, json!({})).await.error(), (403, "M_FORBIDDEN"));
    let nowhere = home.call("PUT", "rooms/room/send/m.room.message/t4", message).await;
    assert_eq!(nowhere.error(), (400, "M_INVALID_PARAM"));
    home.close().await;
}

#[tokio::test]
async fn a_reaction_that_is_there_is_not_sent_again() {
    let home = Home::open().await;
    let room = home.room(json!({})).await;
    let event = home.say(&room, "hello", "t1").await;
    let content = json!({ "m.relates_to": {
        "rel_type": "m.annotation", "event_id": event, "key": "\u{2702}" } });
    let path = |txn: &str| format!("rooms/{room}/send/m.reaction/{txn}");
    let first = home.call("PUT", &path("t2"), content.clone()).await.ok();
    assert_eq!(home.call("PUT", &path("t2"), content.clone()).await.ok(), first);
    let again = home.call("PUT", &path("t3"), content).await;
    assert_eq!(again.error(), (400, "M_DUPLICATE_ANNOTATION"));
    home.close().await;
}

#[tokio::test]
async fn an_event_is_redacted_once() {
    let home = Home::open().await;
    let room = home.room(json!({})).await;
    let event = home.say(&room, "hello", "t1").await;
    let redact = |txn: &str| format!("rooms/{room}/redact/{event}/{txn}");
    let first = home.call("PUT", &redact("t2"), json!({ "reason": "typo" })).await.ok();
    let again = home.call("PUT", &redact("t3"), json!({})).await.ok();
    assert_eq!(first, again);
    let path = format!("rooms/{room}/event/{}", first["event_id"].as_str().unwrap());
    let redaction = home.call("GET", &path, Value::Null).await.ok();
    assert_eq!(
        (&redaction["redacts"], &redaction["content"]["reason"]),
        (&json!(event), &json!("typo"))
    );
    let held = home.call("GET", &format!("rooms/{room}/event/{event}"), Value::Null).await.ok();
    assert_eq!(held["content"], json!({}));
    let second = home.say(&room, "hello", "t4").await;
    let path = format!("rooms/{room}/send/m.room.redaction/t5");
    home.call("PUT", &path, json!({ "redacts": second })).await.ok();
    let held = home.call("GET", &format!("rooms/{room}/event/{second}"), Value::Null).await.ok();
    assert_eq!(held["content"], json!({}));
    home.close().await;
}

#[tokio::test]
async fn a_receipt_moves_for_an_event_that_the_user_sees() {
    let home = Home::open().await;
    let room = home.room(json!({})).await;
    let event = home.say(&room, "hello", "t1").await;
    let receipt = |kind: &str| format!("rooms/{room}/receipt/{kind}/{event}");
    home.call("POST", &receipt("m.read"), Value::Null).await.ok();
    home.call("POST", &receipt("m.read.private"), json!({})).await.ok();
    let other = home.call("POST", &receipt("m.other"), Value::Null).await;
    assert_eq!(other.error(), (400, "M_INVALID_PARAM"));
    let path = format!("rooms/{room}/receipt/m.read/$unknown");
    let unknown = home.call("POST", &path, Value::Null).await;
    assert_eq!(unknown.error(), (404, "M_NOT_FOUND"));
    home.close().await;
}
