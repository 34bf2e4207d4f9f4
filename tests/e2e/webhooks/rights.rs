//! The users who may change webhooks, and the effect of revocation.

use serde_json::{Value, json};
use tempfile::tempdir;

use super::requests::{answer, change, create, delete, listed, post, rotate, timeline};
use crate::{
    client::{Client, two},
    server::Server,
};

#[test]
fn only_users_who_may_change_the_room_know_its_webhooks() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let eve = Client::register(&server, "eve");
    let (id, path) = create(&alice, &json!({ "roomId": room, "name": "Alerts" }));
    let code = |client: &Client, name: &str| {
        let input = json!({ "roomId": room, "name": name });
        change(client, "createIncomingWebhook", "path", &input)["refusal"]["code"].clone()
    };
    assert_eq!(code(&bob, "Alerts"), "INSUFFICIENT_POWER");
    assert_eq!(code(&eve, "Alerts"), "NOT_A_MEMBER");
    assert_eq!(code(&alice, "\u{200b}"), "SHOWS_NOTHING");
    assert_eq!(code(&alice, &"x".repeat(300)), "TOO_LARGE");
    let no_such = json!({ "code": "NO_SUCH_WEBHOOK", "field": "webhookId" });
    for other in [&bob, &eve] {
        assert_eq!(rotate(other, &id)["refusal"], no_such);
        assert_eq!(delete(other, &id)["refusal"], no_such);
    }
    assert_eq!(rotate(&alice, "other")["refusal"], no_such);
    assert_eq!((listed(&alice, &room).len(), listed(&bob, &room).len()), (1, 0));
    assert_eq!(post(&server, &path, &json!({ "text": "it works" })), answer(200, "ok"));

    let levels = json!({ "events": [{ "type": "org.rookery.webhooks", "level": 0 }] });
    alice.act("setPowerLevels", json!({ "roomId": room, "powerLevels": levels }));
    assert_eq!(listed(&bob, &room).len(), 1, "the room has a level for webhooks");
    assert_eq!(code(&bob, "Alerts"), "INSUFFICIENT_POWER", "members of this room may not invite");
    assert_eq!(listed(&bob, &room).len(), 1, "a refused invite leaves no webhook");
    assert_eq!(delete(&bob, &id)["webhookId"], *id);
    assert_eq!(listed(&alice, &room), [Value::Null; 0]);
}

#[test]
fn a_secret_works_no_more_once_it_was_replaced_or_its_webhook_deleted() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let (id, first) = create(&alice, &json!({ "roomId": room, "name": "Alerts" }));
    let text = json!({ "text": "hello" });
    assert_eq!(post(&server, &first, &text), answer(200, "ok"));
    let rotated = rotate(&alice, &id);
    let second = rotated["path"].as_str().unwrap();
    assert_eq!(post(&server, &first, &text), answer(403, "invalid_token"));
    assert_eq!(post(&server, second, &text), answer(200, "ok"));
    assert_eq!(delete(&alice, &id)["refusal"], Value::Null);
    assert_eq!(post(&server, second, &text), answer(404, "no_service"));
    assert_eq!(listed(&alice, &room), [Value::Null; 0]);
    let events = timeline(&bob, &room, 3);
    let kinds: Vec<&Value> = events.iter().map(|event| &event["type"]).collect();
    assert_eq!(kinds, ["m.room.message", "m.room.message", "m.room.member"], "its messages stay");
    assert_eq!(events[2]["content"]["membership"], "leave");
    assert_eq!(delete(&alice, &id)["refusal"]["code"], "NO_SUCH_WEBHOOK");
    let server = {
        server.stop();
        Server::start(data.path())
    };
    assert_eq!(post(&server, second, &text), answer(404, "no_service"));
}
