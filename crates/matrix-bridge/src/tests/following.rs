//! The push of rooms that a bridge follows without joining.

use std::sync::Arc;

use rookery_log::Millis;
use rookery_services::{FileFormat, parse};
use serde_json::{Value, json};

use super::{
    consuming::source,
    home::{Called, Home, NAME, OTHER},
};
use crate::Source as _;

const REGISTRATION: &str = "name = 'bridge'\n[[users]]\nregex = '@irc_.*'\nexclusive = true\n";

/// Lets the bridge follow rooms from now on.
async fn follow(home: &Home) {
    let new = parse(REGISTRATION, FileFormat::Toml).unwrap();
    let service = new.registration.service(NAME.try_into().unwrap()).unwrap();
    home.feeds.reader().follow(Arc::new(service), None, Millis(1)).await.unwrap();
}

/// A call of another bot.
async fn other(home: &Home, method: &str, path: &str, body: Value) -> Called {
    let path = format!("/_matrix/client/v3/{path}");
    home.raw(Some(OTHER), (method, &path), body.to_string().into_bytes()).await
}

/// An event as a short text.
fn told(event: &Value) -> String {
    let content = &event["content"];
    let text = content["membership"].as_str().or(content["body"].as_str());
    text.unwrap_or(event["type"].as_str().unwrap()).to_owned()
}

#[tokio::test]
async fn the_push_follows_the_rooms_of_a_bridge() {
    let home = Home::open().await;
    follow(&home).await;
    home.register("irc_bob").await.ok();
    let (_, mut source) = source(&home, &Arc::default()).await;
    let bob = format!("@irc_bob:{NAME}");
    let created = other(&home, "POST", "createRoom", json!({ "invite": [bob] })).await.ok();
    let room = created["room_id"].as_str().unwrap();
    let say = |text: &'static str| {
        let path = format!("rooms/{room}/send/m.room.message/{text}");
        let body = json!({ "msgtype": "m.text", "body": text });
        let home = &home;
        async move { other(home, "PUT", &path, body).await.ok() }
    };
    home.call_as("irc_bob", "POST", &format!("rooms/{room}/join"), json!({})).await.ok();
    say("heard").await;
    let joined = home.call("GET", "joined_rooms", Value::Null).await.ok();
    assert_eq!(joined, json!({ "joined_rooms": [] }), "the bot is in no room");
    other(&home, "POST", &format!("rooms/{room}/kick"), json!({ "user_id": bob })).await.ok();
    say("unheard").await;
    let own = home.room(json!({})).await;
    home.say(&own, "the end", "end").await;
    let mut pushed = Vec::new();
    while pushed.last().is_none_or(|last| last != "the end") {
        let transaction = source.current().await.unwrap();
        pushed.extend(transaction.events.iter().map(told));
        source.acknowledge().await.unwrap();
    }
    assert_eq!(pushed[..4], ["invite", "join", "heard", "leave"], "{pushed:?}");
    assert!(!pushed.iter().any(|it| it == "unheard"), "{pushed:?}");
    home.close().await;
}
