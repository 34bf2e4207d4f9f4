//! Services as identities: their tokens, their users and their names.

use serde_json::{Value, json};
use tempfile::tempdir;

use super::registered::{add, ensure, file, own};
use crate::{
    client::Client,
    server::{Server, fail, succeed},
};

const WHO: &str = "{ viewer { user { userId } } }";

fn who(client: &Client) -> Value {
    client.run(WHO, &json!({}))["viewer"]["user"]["userId"].clone()
}

fn device(client: &Client) -> String {
    let answer = client.run("{ viewer { device { deviceId } } }", &json!({}));
    answer["viewer"]["device"]["deviceId"].as_str().unwrap().to_owned()
}

#[test]
fn a_service_acts_as_its_bot_and_its_users_over_http_and_sockets() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    let room = alice.create_room(json!({ "preset": "PUBLIC" }));
    let bot = add(&server, data.path(), "irc");
    assert_eq!(who(&bot), "@irc:localhost");
    let bob = ensure(&bot, "_irc_bob");
    assert_eq!(who(&bob), "@_irc_bob:localhost");
    assert_eq!(bob.act("joinRoom", json!({ "roomId": room }))["refusal"], Value::Null);
    // Each user counts actions for itself, and a retry is the same action.
    let first = json!({ "roomId": room, "body": "from IRC", "actionId": 1 });
    let event = bob.act("sendMessage", first.clone())["event"]["eventId"].clone();
    assert_eq!(bob.act("sendMessage", first)["event"]["eventId"], event);
    bot.act("joinRoom", json!({ "roomId": room, "actionId": 1 }));
    let mut stream = bob.follow(None);
    alice.say(&room, "to IRC");
    stream.until(|item| item["text"] == "to IRC");
    let timeline = "query($room: RoomID!) { room(by: { roomId: $room }) {
        timeline(last: 10) { nodes { ... on MessageEvent { text sender { userId } } } } } }";
    let page = alice.run(timeline, &json!({ "room": room })).to_string();
    assert_eq!(page.matches("from IRC").count(), 1, "{page}");
    assert!(page.contains("@_irc_bob:localhost"), "{page}");
}

#[test]
fn a_service_acts_as_nobody_outside_its_namespaces_and_users_act_as_nobody() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    let bot = add(&server, data.path(), "irc");
    let bob = ensure(&bot, "_irc_bob");
    for outside in [
        bot.acting_as("@alice:localhost"),
        bot.acting_as("@_irc_nobody:localhost"),
        bot.acting_as("@_irc_bob:example.org"),
        bot.acting_as("_irc_bob"),
        alice.acting_as(&bob.user_id),
        alice.acting_as(&alice.user_id),
        alice.nobody().acting_as(&bob.user_id),
    ] {
        let answer = outside.post(WHO, &json!({}));
        assert_eq!(answer.status, 403, "{}: {}", outside.user_id, answer.body);
        assert_eq!(answer.body["errors"][0]["extensions"]["code"], "FORBIDDEN");
        let mut socket = outside.silent_socket();
        let token = outside.token.as_ref().map(|token| format!("Bearer {token}"));
        let payload = json!({ "Authorization": token, "actAs": outside.user_id });
        socket.send(&json!({ "type": "connection_init", "payload": payload }));
        assert_eq!(socket.closing(), 4403, "{}", outside.user_id);
    }
    let document = "mutation($name: String!) { ensureUser(input: { localpart: $name }) {
        user { userId } refusal { code field } } }";
    for (name, code) in [("alice", "FORBIDDEN"), ("_irc_\u{e4}", "USER_NAME_INVALID")] {
        let refusal = bot.run(document, &json!({ "name": name }))["ensureUser"]["refusal"].clone();
        assert_eq!(refusal["code"], code, "{name}: {refusal}");
    }
    assert_eq!(alice.fail(document, &json!({ "name": "_irc_eve" })), "FORBIDDEN");
    // A user of a service has no password.
    assert_eq!(bob.nobody().log_in("correct horse")["refusal"]["code"], "WRONG_CREDENTIALS");
}

#[test]
fn ensuring_a_user_is_idempotent_and_sets_the_display_name() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let bot = add(&server, data.path(), "irc");
    let document = "mutation($input: EnsureUserInput!) { ensureUser(input: $input) {
        user { userId } refusal { code } } }";
    for name in ["Bob", "Bob", "Robert"] {
        let input = json!({ "localpart": "_irc_bob", "displayName": name });
        let payload = bot.run(document, &json!({ "input": input }))["ensureUser"].clone();
        assert_eq!(payload["refusal"], Value::Null, "{payload}");
        let bob = bot.acting_as("@_irc_bob:localhost");
        let shown = bob.run("{ viewer { user { displayName } } }", &json!({}));
        assert_eq!(shown["viewer"]["user"]["displayName"], name);
        let devices = "{ viewer { devices { nodes { deviceId name } } } }";
        let devices = bob.run(devices, &json!({}))["viewer"]["devices"]["nodes"].clone();
        assert_eq!(devices, json!([{ "deviceId": device(&bob), "name": "service:irc" }]));
    }
}

#[test]
fn a_name_that_a_service_claims_is_refused_to_everybody_else() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    let early = Client::register(&server, "_irc_early");
    let room = alice.create_room(json!({ "preset": "PUBLIC" }));
    let bot = add(&server, data.path(), "irc");
    let document = "mutation($name: String!) { register(input: {
        username: $name, password: \"correct horse\" }) { refusal { code field } token } }";
    for name in ["_irc_bob", "irc"] {
        let refusal = alice.nobody().run(document, &json!({ "name": name }));
        let refusal = &refusal["register"]["refusal"];
        assert_eq!(*refusal, json!({ "code": "NAME_RESERVED", "field": "username" }), "{name}");
    }
    let said = fail(data.path(), &["user", "create", "_irc_bob", "--no-password"], "");
    assert!(said.contains("reserved for the service irc"), "{said}");
    let alias = json!({ "alias": "#_irc_tea:localhost" });
    assert_eq!(alice.refused("createRoom", alias.clone()), "NAME_RESERVED");
    let aliases = json!({ "roomId": room, "canonical": "#_irc_tea:localhost" });
    assert_eq!(alice.refused("setRoomAliases", aliases), "NAME_RESERVED");
    // A user who was there before the service keeps the account, and enters no more rooms.
    assert_eq!(early.refused("joinRoom", json!({ "roomId": room })), "NAME_RESERVED");
    assert_eq!(early.refused("createRoom", json!({})), "NAME_RESERVED");
    assert_eq!(bot.act("createRoom", alias)["refusal"], Value::Null);
    let as_early = bot.acting_as(&early.user_id);
    assert_eq!(as_early.act("joinRoom", json!({ "roomId": room }))["refusal"], Value::Null);
    succeed(data.path(), &["service", "remove", "irc"], "");
    let freed = alice.nobody().run(document, &json!({ "name": "_irc_bob" }));
    assert!(freed["register"]["token"].is_string(), "{freed}");
}

#[test]
fn services_are_added_rotated_and_removed_with_and_without_a_running_server() {
    let data = tempdir().unwrap();
    let path = data.path();
    drop(Server::start(path));
    let yaml = path.join("bridge.yaml");
    let secret = "0123456789abcdef0123456789abcdef";
    std::fs::write(
        &yaml,
        format!(
            "id: bridge\nurl: http://127.0.0.1:9898\nas_token: {secret}\nhs_token: {secret}\n\
             sender_localpart: bridge\nrate_limited: false\nnamespaces:\n  users:\n  - exclusive: true\n    \
             regex: '@_x_.*'\n"
        ),
    )
    .unwrap();
    let yaml = yaml.display().to_string();
    for online in [false, true] {
        let server = online.then(|| Server::start(path));
        assert_eq!(succeed(path, &["service", "add", &yaml], ""), "", "the token is in the file");
        assert!(fail(path, &["service", "add", &yaml], "").contains("already"));
        let same = file(path, "other", "[[users]]\nregex = '@_x_.*'\nexclusive = true\n");
        let said = fail(path, &["service", "add", &same], "");
        assert!(said.contains("other") && said.contains("bridge"), "{said}");
        let listed = succeed(path, &["service", "list"], "");
        let line = "bridge\t@bridge:localhost\thttp://127.0.0.1:9898\tusers @_x_.*, exclusive\n";
        assert_eq!(listed, line);
        let (server, was_online) = match server {
            Some(server) => (server, true),
            None => (Server::start(path), false),
        };
        let old = Client::with_token(&server, "bridge", secret);
        assert_eq!(who(&old), "@bridge:localhost");
        let device = device(&old);
        let server = if was_online {
            server
        } else {
            drop(server);
            let new = succeed(path, &["service", "rotate", "bridge"], "");
            let server = Server::start(path);
            assert_eq!(who(&Client::with_token(&server, "bridge", &new)), "@bridge:localhost");
            server
        };
        let new = succeed(path, &["service", "rotate", "bridge"], "");
        let new = Client::with_token(&server, "bridge", &new);
        assert_eq!(old.at(&server).post(WHO, &json!({})).status, 401);
        assert_eq!(self::device(&new), device, "a device outlives its token");
        succeed(path, &["service", "remove", "bridge"], "");
        assert_eq!(new.post(WHO, &json!({})).status, 401);
        assert!(fail(path, &["service", "remove", "bridge"], "").contains("no service"));
        assert_eq!(succeed(path, &["service", "list"], ""), "");
        drop(server);
    }
}

#[test]
fn a_mistake_in_a_registration_is_named_with_file_line_and_key() {
    let data = tempdir().unwrap();
    drop(Server::start(data.path()));
    let bad = file(data.path(), "bad", "[[users]]\nregex = '('\n");
    let said = fail(data.path(), &["service", "add", &bad], "");
    for word in [bad.as_str(), "line 3", "`users[0].regex`"] {
        assert!(said.contains(word), "{word} is not in: {said}");
    }
}

#[test]
fn the_users_of_a_service_share_its_rate_and_others_keep_theirs() {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &["--limits-rates-services", "6+1/d"]);
    let alice = Client::register(&server, "alice");
    let room = alice.create_room(json!({ "preset": "PUBLIC" }));
    let bot = add(&server, data.path(), "irc");
    let users = ["_irc_a", "_irc_b"].map(|name| ensure(&bot, name));
    for user in &users {
        assert_eq!(user.act("joinRoom", json!({ "roomId": room }))["refusal"], Value::Null);
    }
    let say = |client: &Client| {
        client.act("sendMessage", json!({ "roomId": room, "body": "hi" }))["refusal"]["code"]
            .clone()
    };
    assert_eq!([say(&users[0]), say(&users[1])], [Value::Null, Value::Null]);
    for user in users.iter().chain([&bot]) {
        assert_eq!(say(user), "RATE_LIMITED", "{}", user.user_id);
    }
    assert_eq!(say(&alice), Value::Null);
    // A registration may lift the rate.
    let claims = format!("rate_limited = false\n{}", own("fast"));
    let token = succeed(data.path(), &["service", "add", &file(data.path(), "fast", &claims)], "");
    let fast = Client::with_token(&server, "fast", &token);
    assert_eq!(fast.act("joinRoom", json!({ "roomId": room }))["refusal"], Value::Null);
    for _ in 0..10 {
        assert_eq!(say(&fast), Value::Null);
    }
}

#[test]
fn a_service_that_acts_as_an_administrator_has_no_rights_of_one() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    let claims = "[[users]]\nregex = '@.*:localhost'\n";
    let token = succeed(data.path(), &["service", "add", &file(data.path(), "double", claims)], "");
    let bot = Client::with_token(&server, "double", &token);
    let as_alice = bot.acting_as(&alice.user_id);
    let is_admin = |client: &Client| {
        client.run("{ viewer { isAdmin } }", &json!({}))["viewer"]["isAdmin"].clone()
    };
    assert_eq!([is_admin(&alice), is_admin(&as_alice)], [json!(true), json!(false)]);
}
