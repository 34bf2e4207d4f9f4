//! Outgoing webhooks, with real receivers.

use std::{fs, process::Command};

use serde_json::{Value, json};
use tempfile::tempdir;

use super::requests::change;
use crate::{
    client::{Client, two},
    receiver::{Arrived, Receiver, Reply},
    server::{Server, eventually, rookery, succeed},
};

/// Lets webhooks reach the receivers of the tests.
const NEAR: [&str; 2] = ["--outgoing-allow", "127.0.0.1"];

/// Makes a webhook, and returns its ID and its secret.
fn create(client: &Client, input: &Value) -> (String, String) {
    let made = change(client, "createOutgoingWebhook", "webhook { webhookId } secret", input);
    assert_eq!(made["refusal"], Value::Null, "{made}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&made["webhook"]["webhookId"]), text(&made["secret"]))
}

fn to(receiver: &Receiver) -> Value {
    json!({ "name": "CI", "url": receiver.url(), "filter": { "conditions": { "types": ["m.room.message"] } } })
}

fn listed(client: &Client, whose: &str) -> Vec<Value> {
    let document = format!(
        "{{ {whose} {{ outgoingWebhooks {{ nodes {{ webhookId name url owner {{ userId }} roomId
            filter {{ types rooms }} createdAt isActive disabledAt failingSince failures lastError
            deliveredAt }} }} }} }}"
    );
    let answer = client.run(&document, &json!({}));
    answer[whose]["outgoingWebhooks"]["nodes"].as_array().unwrap().clone()
}

fn the_one(client: &Client) -> Value {
    listed(client, "viewer").remove(0)
}

fn about(client: &Client, name: &str, id: &str) -> Value {
    let fields = match name {
        "deleteOutgoingWebhook" => "webhookId",
        "rotateOutgoingWebhook" => "secret",
        _ => "webhook { isActive }",
    };
    change(client, name, fields, &json!({ "webhookId": id }))
}

/// Whether the example of the page accepts a request.
fn example_accepts(secret: &str, request: &Arrived) -> bool {
    let page = include_str!("../../../docs/webhooks.md");
    let example = page.split("```python\n").nth(1).and_then(|rest| rest.split("```").next());
    let folder = tempdir().unwrap();
    let script = folder.path().join("check.py");
    let headers: serde_json::Map<_, _> =
        request.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let input = json!({ "secret": secret, "headers": headers, "body": request.body });
    let driver = format!(
        "{}\nimport json, sys\ngiven = json.load(open(sys.argv[1]))\n\
         verify(given['secret'], given['headers'], given['body'].encode())\n",
        example.unwrap()
    );
    fs::write(&script, driver).unwrap();
    let given = folder.path().join("given.json");
    fs::write(&given, input.to_string()).unwrap();
    Command::new("python3").args([&script, &given]).output().unwrap().status.success()
}

#[test]
fn messages_arrive_once_in_order_with_a_signature_that_the_example_of_the_page_accepts() {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &NEAR);
    let (alice, bob, room) = two(&server);
    let other = bob.create_room(json!({}));
    alice.say(&room, "before");
    let receiver = Receiver::start(Reply::Status(200));
    let (id, secret) = create(&alice, &to(&receiver));
    bob.say(&other, "elsewhere");
    let said: Vec<String> = (0..30).map(|number| format!("message {number}")).collect();
    for text in &said {
        bob.say(&room, text);
    }
    eventually("all messages arrived", || receiver.taken().len() >= said.len());
    assert_eq!(receiver.taken(), said);
    let requests = receiver.arrived();
    let first = &requests[0];
    let body: Value = serde_json::from_str(&first.body).unwrap();
    assert_eq!(
        (&body["webhookId"], &body["batchId"]),
        (&json!(id), &json!(first.header("webhook-id")))
    );
    let event = &body["events"][0];
    assert_eq!(event["type"], "m.room.message");
    assert_eq!((&event["sender"], &event["room_id"]), (&json!(bob.user_id), &json!(room)));
    assert!(event["event_id"].is_string() && event["sequence"].is_u64(), "{event}");
    assert_eq!(first.header("content-type"), "application/json");
    assert!(example_accepts(&secret, first));
    let changed = Arrived { body: first.body.replace("message 0", "message 1"), ..first.clone() };
    assert!(!example_accepts(&secret, &changed), "another body has another signature");

    let rotated =
        about(&alice, "rotateOutgoingWebhook", &id)["secret"].as_str().unwrap().to_owned();
    bob.say(&room, "signed anew");
    eventually("the next message arrived", || receiver.taken().len() > said.len());
    let last = receiver.arrived().pop().unwrap();
    assert!(example_accepts(&rotated, &last) && !example_accepts(&secret, &last));
    let shown = the_one(&alice);
    assert!(shown["deliveredAt"].is_string() && shown["isActive"] == true, "{shown}");
    assert_eq!(shown["failures"], 0);
}

#[test]
fn a_webhook_is_sent_over_tls_by_the_authority_that_the_operator_trusts_and_to_no_other() {
    let (data, folder) = (tempdir().unwrap(), tempdir().unwrap());
    let authority = folder.path().join("authority.pem");
    let receiver = Receiver::start_tls(Reply::Status(200), &authority);
    let trusting = || {
        let mut command = rookery();
        command.env("SSL_CERT_FILE", &authority);
        Server::start_as(command, data.path(), &NEAR)
    };
    let server = trusting();
    let (alice, bob, room) = two(&server);
    let (_, secret) = create(&alice, &to(&receiver));
    bob.say(&room, "by TLS");
    eventually("the message arrived", || receiver.taken() == ["by TLS"]);
    assert!(example_accepts(&secret, &receiver.arrived()[0]));
    server.stop();

    let server = Server::start_with(data.path(), &NEAR);
    bob.at(&server).say(&room, "to nobody");
    let failure = || the_one(&alice.at(&server))["lastError"].as_str().map(str::to_owned);
    eventually("the certificate was refused", || {
        failure().is_some_and(|error| error.contains("certificate"))
    });
    assert_eq!(receiver.arrived().len(), 1, "it got no byte of the request");
    server.stop();

    let server = trusting();
    change(&alice.at(&server), "resumeOutgoingWebhook", "webhook { isActive }", &{
        json!({ "webhookId": the_one(&alice.at(&server))["webhookId"] })
    });
    eventually("the other message arrived", || receiver.taken() == ["by TLS", "to nobody"]);
}

#[test]
fn a_batch_that_was_not_taken_comes_again_with_its_id_and_body_also_after_a_kill() {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &NEAR);
    let (alice, bob, room) = two(&server);
    let receiver = Receiver::start(Reply::Status(500));
    create(&alice, &to(&receiver));
    bob.say(&room, "first");
    eventually("it was tried twice", || receiver.arrived().len() >= 2);
    bob.say(&room, "second");
    server.kill();
    let server = Server::start_with(data.path(), &NEAR);
    let alice = alice.at(&server);
    let before = receiver.arrived().len();
    eventually("it is tried after the start", || receiver.arrived().len() > before);
    eventually("the failure shows", || the_one(&alice)["lastError"].is_string());
    let shown = the_one(&alice);
    assert_eq!(shown["lastError"], "it answered with status 500");
    assert!(shown["failingSince"].is_string() && shown["isActive"] == true, "{shown}");
    receiver.reply_with(Reply::Status(200));
    eventually("both arrived", || receiver.taken().len() >= 2);
    assert_eq!(receiver.taken(), ["first", "second"]);
    let requests = receiver.arrived();
    let (last, tries) = requests.split_last().unwrap();
    for one in tries {
        assert_eq!(
            (one.header("webhook-id"), &one.body),
            (tries[0].header("webhook-id"), &tries[0].body)
        );
    }
    assert_ne!(last.header("webhook-id"), tries[0].header("webhook-id"));
    eventually("the failures are forgotten", || the_one(&alice)["failures"] == 0);
}

#[test]
fn a_redirect_is_not_followed_and_counts_as_a_failure() {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &NEAR);
    let (alice, bob, room) = two(&server);
    let elsewhere = Receiver::start(Reply::Status(200));
    let receiver = Receiver::start(Reply::Redirect(elsewhere.url()));
    create(&alice, &to(&receiver));
    bob.say(&room, "hello");
    eventually("the failure shows", || {
        the_one(&alice)["lastError"] == "it answered with status 307"
    });
    assert!(elsewhere.arrived().is_empty());
    receiver.reply_with(Reply::Status(204));
    eventually("it is tried again", || receiver.arrived().iter().any(|it| it.status == 204));
}

#[test]
fn answers_that_do_not_come_or_come_byte_by_byte_end_after_ten_seconds() {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &NEAR);
    let (alice, bob, room) = two(&server);
    let receivers = [Reply::Nothing, Reply::Slowly].map(Receiver::start);
    for receiver in &receivers {
        create(&alice, &to(receiver));
    }
    bob.say(&room, "hello");
    let late = |it: &Value| it["lastError"] == "there was no answer within ten seconds";
    eventually("both fail", || listed(&alice, "viewer").iter().all(late));
    for receiver in &receivers {
        receiver.reply_with(Reply::Status(200));
    }
    eventually("both go on", || receivers.iter().all(|receiver| receiver.taken() == ["hello"]));
}

#[test]
fn a_webhook_that_fails_for_too_long_is_disabled_reported_and_resumed_where_it_stopped() {
    let data = tempdir().unwrap();
    let arguments = [&NEAR[..], &["--outgoing-give-up-after", "1s"]].concat();
    let server = Server::start_with(data.path(), &arguments);
    let (alice, bob, room) = two(&server);
    let receiver = Receiver::start(Reply::Status(503));
    let (id, _) = create(&alice, &to(&receiver));
    bob.say(&room, "first");
    eventually("it is disabled", || the_one(&alice)["isActive"] == false);
    let shown = the_one(&alice);
    assert!(shown["disabledAt"].is_string(), "{shown}");
    assert_eq!(server.logged("an outgoing webhook is disabled").len(), 1);
    let tries = receiver.arrived().len();
    receiver.reply_with(Reply::Status(200));
    bob.say(&room, "second");
    server.stop();
    let server = Server::start_with(data.path(), &arguments);
    let (alice, bob) = (alice.at(&server), bob.at(&server));
    bob.say(&room, "third");
    assert_eq!(receiver.arrived().len(), tries, "a disabled one sends nothing");
    assert_eq!(about(&bob, "resumeOutgoingWebhook", &id)["refusal"]["code"], "NO_SUCH_WEBHOOK");
    assert_eq!(about(&alice, "resumeOutgoingWebhook", &id)["webhook"]["isActive"], true);
    eventually("everything arrived", || receiver.taken().len() >= 3);
    assert_eq!(receiver.taken(), ["first", "second", "third"]);
    let requests = receiver.arrived();
    assert_eq!(requests[tries].header("webhook-id"), requests[0].header("webhook-id"));
    assert_eq!(requests[tries].body, requests[0].body);
}

#[test]
fn an_address_of_this_machine_gets_no_byte_unless_the_operator_allows_it() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let receiver = Receiver::start(Reply::Status(200));
    for url in [
        receiver.url(),
        format!("https://127.1:{}/", receiver.port),
        format!("https://[::ffff:127.0.0.1]:{}/", receiver.port),
        "https://169.254.169.254/latest/meta-data/".into(),
        "http://1.1.1.1/".into(),
        "https://ada:secret@example.org/".into(),
        "file:///etc/passwd".into(),
        "no address".into(),
    ] {
        let input = json!({ "name": "CI", "url": url });
        let made = change(&alice, "createOutgoingWebhook", "webhook { webhookId } secret", &input);
        assert_eq!(made["refusal"], json!({ "code": "URL_INVALID", "field": "url" }), "{url}");
        assert_eq!((&made["webhook"], &made["secret"]), (&Value::Null, &Value::Null));
    }
    let url = format!("https://localhost:{}/", receiver.port);
    create(&alice, &json!({ "name": "CI", "url": url }));
    bob.say(&room, "hello");
    eventually("the failure shows", || the_one(&alice)["lastError"].is_string());
    let expected = "the server sends nothing to its address: use a public one with `https`";
    assert_eq!(the_one(&alice)["lastError"], expected);
    assert!(receiver.arrived().is_empty());
}

#[test]
fn a_webhook_sends_what_its_owner_may_see_and_ends_with_the_account() {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &NEAR);
    let (alice, bob, room) = two(&server);
    let second = bob.create_room(json!({ "preset": "PUBLIC" }));
    alice.act("joinRoom", json!({ "room": { "roomId": second } }));
    let (all, one) = (Receiver::start(Reply::Status(200)), Receiver::start(Reply::Status(200)));
    create(&alice, &to(&all));
    let mut input = to(&one);
    input["roomId"] = json!(second);
    create(&alice, &input);
    bob.say(&room, "in the first");
    bob.say(&second, "in the second");
    eventually("both arrived", || all.taken().len() >= 2 && !one.taken().is_empty());
    bob.act("kickUser", json!({ "roomId": second, "userId": alice.user_id }));
    bob.say(&second, "after the kick");
    bob.say(&room, "in the first again");
    eventually("the next arrived", || all.taken().len() >= 3);
    assert_eq!(all.taken(), ["in the first", "in the second", "in the first again"]);
    assert_eq!(one.taken(), ["in the second"]);
    let refused = change(&alice, "createOutgoingWebhook", "secret", &input);
    assert_eq!(refused["refusal"]["code"], "NOT_A_MEMBER");

    // Bob's webhook shows when a later message was sent to others.
    let last = Receiver::start(Reply::Status(200));
    create(&bob, &to(&last));
    succeed(data.path(), &["user", "admin", "bob"], "");
    assert_eq!(listed(&bob, "admin").len(), 3);
    let deactivate = ["user", "deactivate", "alice", "--yes", "--successor", "@bob:localhost"];
    succeed(data.path(), &deactivate, "");
    assert_eq!(listed(&bob, "admin").len(), 1);
    bob.say(&room, "after the end");
    eventually("it arrived at another", || last.taken() == ["after the end"]);
    assert_eq!(all.taken().len(), 3, "{:?}", all.taken());
}

#[test]
fn webhooks_are_seen_by_their_owner_and_by_administrators_and_are_bounded() {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &NEAR);
    let (alice, bob, room) = two(&server);
    let receiver = Receiver::start(Reply::Status(200));
    let mut input = to(&receiver);
    input["roomId"] = json!(room);
    let ids: Vec<String> = (0..10).map(|_| create(&bob, &input).0).collect();
    let refused = change(&bob, "createOutgoingWebhook", "secret", &input);
    assert_eq!(refused["refusal"]["code"], "TOO_MANY_WEBHOOKS");
    assert_eq!(listed(&bob, "viewer").len(), 10);
    assert!(listed(&alice, "viewer").is_empty());
    // The first account is the administrator.
    let seen = listed(&alice, "admin");
    assert_eq!((seen.len(), &seen[0]["owner"]["userId"]), (10, &json!(bob.user_id)));
    assert_eq!(seen[0]["filter"], json!({ "types": ["m.room.message"], "rooms": [room] }));
    for name in ["rotateOutgoingWebhook", "resumeOutgoingWebhook", "deleteOutgoingWebhook"] {
        assert_eq!(about(&alice, name, &ids[0])["refusal"]["code"], "NO_SUCH_WEBHOOK", "{name}");
    }
    assert_eq!(about(&bob, "deleteOutgoingWebhook", &ids[0])["webhookId"], json!(ids[0]));
    assert_eq!(about(&bob, "deleteOutgoingWebhook", &ids[0])["refusal"]["code"], "NO_SUCH_WEBHOOK");
    bob.say(&room, "hello");
    eventually("the others got it", || receiver.taken().len() >= 9);
    assert!(receiver.arrived().iter().all(|it| !it.body.contains(&ids[0])));
    create(&bob, &input);
}
