//! Messages of webhooks.

use serde_json::{Value, json};
use tempfile::tempdir;

use super::requests::{answer, catch_up, create, listed, post, post_as, timeline};
use crate::{
    client::{Client, two},
    server::Server,
};

#[test]
fn a_webhook_posts_as_a_user_of_its_own_also_after_a_restart() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let mut stream = bob.follow(None);
    let input = json!({ "roomId": room, "name": "Alerts", "avatarUrl": "mxc://x.org/bell" });
    let (id, path) = create(&alice, &input);
    let user = format!("@hook.{id}:localhost");
    let [webhook] = &listed(&alice, &room)[..] else { panic!("one webhook") };
    assert_eq!(webhook["user"], json!({ "userId": user, "displayName": "Alerts" }));
    assert_eq!(webhook["creator"]["userId"], alice.user_id);
    assert_eq!((&webhook["isActive"], &webhook["mayMention"]), (&json!(true), &json!(false)));
    assert_eq!(webhook["avatarUrl"], "mxc://x.org/bell");

    let text = json!({ "text": "*Disk* of <https://x.org|db-1> is full & <!channel>" });
    assert_eq!(post(&server, &path, &text), answer(200, "ok"));
    let kinds: Vec<Value> = (0..3).map(|_| stream.item()["type"].clone()).collect();
    assert_eq!(kinds, ["m.room.member", "m.room.member", "m.room.message"]);
    let events = timeline(&bob, &room, 3);
    let senders: Vec<&Value> = events.iter().map(|event| &event["sender"]["userId"]).collect();
    assert_eq!(
        senders,
        [alice.user_id.as_str(), &user, &user],
        "the invite, the join, the message"
    );
    let content = &events[2]["content"];
    assert_eq!(content["body"], "Disk of db-1 (https://x.org) is full & @channel");
    assert_eq!(content["msgtype"], "m.notice");
    let html = "<strong>Disk</strong> of <a href=\"https://x.org\">db-1</a> is full &amp; @channel";
    assert_eq!(content["formatted_body"], html);
    assert_eq!(content["m.mentions"], json!({}), "so that no reader looks for names in the text");
    assert_eq!(
        post_as(
            &server,
            &path,
            "application/x-www-form-urlencoded",
            "payload=%7B%22text%22%3A%22form%22%7D"
        ),
        answer(200, "ok")
    );

    server.stop();
    let server = Server::start(data.path());
    let bob = bob.at(&server);
    assert_eq!(post(&server, &path, &json!({ "text": "still here" })), answer(200, "ok"));
    let texts: Vec<Value> = timeline(&bob, &room, 2).iter().map(|it| it["text"].clone()).collect();
    assert_eq!(texts, ["form", "still here"]);
}

#[test]
fn a_message_is_made_for_each_200_and_for_no_other_answer() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let (_, path) = create(&alice, &json!({ "roomId": room, "name": "Alerts" }));
    let wrong = format!("{}x", &path[..path.len() - 1]);
    for (path, kind, body, expected) in [
        (path.as_str(), "application/json", "{", answer(400, "invalid_payload")),
        (&path, "application/json", "{}", answer(400, "no_text")),
        (&wrong, "application/json", r#"{"text":"x"}"#, answer(403, "invalid_token")),
        ("/hooks/none/none", "application/json", r#"{"text":"x"}"#, answer(404, "no_service")),
    ] {
        assert_eq!(post_as(&server, path, kind, body), expected);
    }
    let long = json!({ "text": "x".repeat(65 * 1024) });
    assert_eq!(post(&server, &path, &long).0, 413);
    let just_fits = json!({ "text": "\\\"<&".repeat(6_000) });
    assert_eq!(post(&server, &path, &just_fits), answer(200, "ok"), "it is cut");
    for number in 0..5 {
        let same = json!({ "attachments": [{ "fallback": format!("alert {}", number / 2) }] });
        assert_eq!(post(&server, &path, &same), answer(200, "ok"), "nothing recognises a retry");
    }
    let events = timeline(&bob, &room, 6);
    let texts: Vec<&Value> = events.iter().map(|event| &event["text"]).collect();
    assert_eq!(texts[1..], ["alert 0", "alert 0", "alert 1", "alert 1", "alert 2"]);
    assert!(texts[0].as_str().unwrap().ends_with('\u{2026}'), "{}", texts[0]);
}

#[test]
fn only_a_webhook_that_may_mention_mentions() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let highlights = |client: &Client| {
        let document = "query($room: RoomID!) { room(by: { roomId: $room }) { highlightCount } }";
        catch_up(client);
        client.run(document, &json!({ "room": room }))["room"]["highlightCount"].clone()
    };
    let text = json!({ "text": "<@bob>, look; <!channel> too" });
    let (_, quiet) = create(&alice, &json!({ "roomId": room, "name": "Quiet" }));
    assert_eq!(post(&server, &quiet, &text), answer(200, "ok"));
    assert_eq!(highlights(&bob), 0);
    let loud = json!({ "roomId": room, "name": "Loud", "mayMention": true });
    let (id, loud) = create(&alice, &loud);
    assert_eq!(post(&server, &loud, &text), answer(200, "ok"));
    assert_eq!((highlights(&bob), highlights(&alice)), (json!(1), json!(0)), "bob by name");
    let user = format!("@hook.{id}:localhost");
    let levels = json!({ "users": [{ "userId": user, "level": 50 }] });
    alice.act("setPowerLevels", json!({ "roomId": room, "powerLevels": levels }));
    assert_eq!(post(&server, &loud, &text), answer(200, "ok"));
    assert_eq!((highlights(&bob), highlights(&alice)), (json!(2), json!(1)), "all, with the power");
}
