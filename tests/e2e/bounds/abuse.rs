//! Abusive requests: the server refuses each by name, and other users notice nothing.
//!
//! The numbers only identify the cases.

use std::{fmt::Write, thread};

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    client::Client,
    raw::{post, send},
    server::Server,
};

fn ask(query: &str) -> Vec<u8> {
    json!({ "query": query }).to_string().into_bytes()
}

/// Runs `attack`, and checks that the process lives and that another user can talk and listen.
fn while_others_talk(attack: impl FnOnce(&Server, &Client)) {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, eve) = (Client::register(&server, "alice"), Client::register(&server, "eve"));
    let room = alice.create_room(json!({ "name": "Quiet" }));
    let mut stream = alice.follow(None);
    attack(&server, &eve);
    let said = alice.say(&room, "nothing happened");
    stream.until(|item| item["eventId"] == said.as_str());
    assert!(server.logged("panicked").is_empty(), "{:?}", server.logged("panicked"));
}

#[test]
fn documents_that_explode_are_refused_before_they_are_read() {
    let mut doubling = String::from("query { ...f0 } fragment f30 on Query { __typename }");
    for n in 0..30 {
        let next = n + 1;
        write!(doubling, " fragment f{n} on Query {{ ...f{next} ...f{next} }}").unwrap();
    }
    let mut few = String::from("query { ...f0 } fragment f15 on Query { __typename }");
    for n in 0..15 {
        let next = n + 1;
        write!(few, " fragment f{n} on Query {{ ...f{next} ...f{next} }}").unwrap();
    }
    let nested = |open: &str, close: &str, depth: usize| {
        format!("{{ room(by: {}1{}) {{ id }} }}", open.repeat(depth), close.repeat(depth))
    };
    let deep = format!("{}id{}", "{ a ".repeat(1_000), "}".repeat(1_000));
    let aliases: String = (0..900).map(|n| format!("a{n}: __typename ")).collect();
    let cases = [
        (1, doubling, "TOO_MANY_FRAGMENTS"),
        (1, few, "TOO_MANY_FIELDS"),
        (2, nested("[", "]", 2_000), "QUERY_TOO_DEEP"),
        (2, nested("{a:", "}", 2_000), "QUERY_TOO_DEEP"),
        (3, deep, "QUERY_TOO_DEEP"),
        (4, format!("{{ {aliases} }}"), "TOO_MANY_ROOT_FIELDS"),
        (4, format!("{{ server {{ {} }} }}", "__typename ".repeat(1_200)), "TOO_MANY_FIELDS"),
        (4, format!("{{ {} }}", "__typename ".repeat(200_000)), "BODY_TOO_LARGE"),
        (5, "{ ...a } fragment a on Query { ...a }".into(), "FRAGMENT_CYCLE"),
        (
            5,
            "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }".into(),
            "FRAGMENT_CYCLE",
        ),
        (6, format!("{{ __typename {} }}", "@skip(if: false) ".repeat(500)), "TOO_MANY_DIRECTIVES"),
        (0, format!("{{ __typename {} }}", " ".repeat(20_000)), "QUERY_TOO_LARGE"),
    ];
    while_others_talk(|server, _| {
        for (number, document, code) in cases {
            let answer = post(server, &ask(&document));
            assert_eq!(answer.code(), code, "case {number}");
        }
    });
}

#[test]
fn bodies_that_are_too_long_or_malformed_are_refused() {
    let deep = format!(
        "{{\"query\":\"{{__typename}}\",\"variables\":{{\"a\":{}{}}}}}",
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    let batch = format!("[{}]", vec![r#"{"query":"{__typename}"}"#; 2_000].join(","));
    let huge = vec![b' '; 5 * 1024 * 1024];
    let mut chunked = Vec::new();
    for chunk in huge.chunks(64 * 1024) {
        chunked.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        chunked.extend_from_slice(chunk);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    while_others_talk(|server, _| {
        let json = "Content-Type: application/json";
        let answers = [
            (413, "BODY_TOO_LARGE", post(server, &huge)),
            (
                413,
                "BODY_TOO_LARGE",
                send(server, "POST /graphql", &[json, "Transfer-Encoding: chunked"], &chunked),
            ),
            (400, "BATCH_UNSUPPORTED", post(server, batch.as_bytes())),
            (400, "JSON_TOO_DEEP", post(server, deep.as_bytes())),
            (400, "BAD_REQUEST", post(server, b"{\"query\": ")),
            (400, "BAD_REQUEST", post(server, b"")),
            (400, "BAD_REQUEST", post(server, b"\xff\xfe")),
            (400, "BAD_REQUEST", post(server, b"{\"query\": 7}")),
        ];
        for (index, (status, code, answer)) in answers.into_iter().enumerate() {
            assert_eq!((answer.status, &*answer.code()), (status, code), "answer {index}");
            let body = &answer.body;
            assert!(!body.contains("serde") && !body.contains(".rs"), "internals: {body}");
        }
    });
}

#[test]
fn methods_and_media_types_that_browsers_forge_are_refused() {
    while_others_talk(|server, eve| {
        let token = format!("Authorization: Bearer {}", eve.token.as_ref().unwrap());
        let create = "mutation{createRoom(input:{}){position}}";
        let get = format!("GET /graphql?query={create}");
        assert_eq!(send(server, &get, &[&token], b"").status, 405);
        let body = ask(create);
        for media in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
            let media = format!("Content-Type: {media}");
            assert_eq!(send(server, "POST /graphql", &[&token, &media], &body).status, 415);
        }
        assert_eq!(send(server, "POST /graphql", &[&token], &body).status, 415);
        assert_eq!(send(server, "DELETE /graphql", &[&token], b"").status, 405);
        let rooms = eve.run("{ initialSync { rooms { roomId } } }", &json!({}));
        assert_eq!(rooms["initialSync"]["rooms"], json!([]), "a forged request made a room");
    });
}

#[test]
fn one_request_tries_one_password() {
    let logins: String = (0..9)
        .map(|n| {
            format!("a{n}: logIn(input: {{username: \"alice\", password: \"{n}\"}}) {{ token }} ")
        })
        .collect();
    while_others_talk(|_, eve| {
        let document = format!("mutation {{ {logins} }}");
        assert_eq!(eve.fail(&document, &json!({})), "TOO_MANY_LOGINS");
        let spread = "mutation { ...a ...b }
            fragment a on Mutation { a: logIn(input: {username: \"a\", password: \"b\"}) { token } }
            fragment b on Mutation { b: logIn(input: {username: \"a\", password: \"b\"}) { token } }";
        assert_eq!(eve.fail(spread, &json!({})), "TOO_MANY_LOGINS");
    });
}

#[test]
fn pages_out_of_range_are_named() {
    while_others_talk(|_, eve| {
        let room = eve.create_room(json!({}));
        let documents = [
            "query($n: Int!, $room: RoomID!) { room(by: { roomId: $room }) { timeline(first: $n) { nodes { id } } } }",
            "query($n: Int!, $room: RoomID!) { room(by: { roomId: $room }) { timeline(last: $n) { nodes { id } } } }",
            "query($n: Int!, $room: RoomID!) { room(by: { roomId: $room }) { members(first: $n) { totalCount } } }",
            "query($n: Int!, $room: RoomID!) { room(by: { roomId: $room }) { state(first: $n) { nodes { id } } } }",
            "query($n: Int!) { initialSync(first: $n) { position } }",
            "query($n: Int!) { publicRooms(first: $n) { totalCount } }",
        ];
        for document in documents {
            for size in [i32::MAX, 101, 0, -1, i32::MIN] {
                let answer = eve.post(document, &json!({ "n": size, "room": room })).body;
                let error = &answer["errors"][0];
                assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{document} {size}");
                let message = error["message"].as_str().unwrap();
                assert!(message.contains("from 1 to 100"), "{message}");
            }
            let too_large = json!({ "n": 2_147_483_648_u64, "room": room });
            assert!(eve.post(document, &too_large).body["errors"].is_array());
        }
        let position = eve.position();
        let document =
            "query($after: Position!) { events(after: $after, limit: 101) { position } }";
        assert_eq!(eve.fail(document, &json!({ "after": position })), "BAD_USER_INPUT");
    });
}

#[test]
fn strange_text_is_kept_as_it_is_or_refused() {
    while_others_talk(|server, eve| {
        let room = eve.create_room(json!({}));
        let kept = [
            "a\u{202e}b\u{2066}c".to_owned(),
            format!("z{}", "\u{0301}".repeat(5_000)),
            "<script>alert(1)</script><img src=x onerror=alert(1)>".to_owned(),
            "javascript:alert(1)".to_owned(),
            "line\r\nbreak\ttab\u{1b}[31m".to_owned(),
            "\u{1f468}\u{200d}\u{1f469}\u{feff}".to_owned(),
        ];
        for body in &kept {
            eve.say(&room, body);
            let document =
                "query($room: RoomID!) { room(by: { roomId: $room }) { lastMessage { text } } }";
            let found = eve.run(document, &json!({ "room": room }));
            assert_eq!(found["room"]["lastMessage"]["text"], body.as_str());
        }
        let input = json!({ "roomId": room, "body": "nul\u{0}byte" });
        let nul = eve.act("sendMessage", input);
        assert!(nul["event"].is_object() || nul["refusal"].is_object(), "{nul}");
        let token = format!("Authorization: Bearer {}", eve.token.as_ref().unwrap());
        let lone = format!(
            r#"{{"query":"mutation($b: String!) {{ sendMessage(input: {{roomId: \"{room}\", body: $b}}) {{ position }} }}","variables":{{"b":"\ud800"}}}}"#
        );
        let headers = [&*token, "Content-Type: application/json"];
        let answer = send(server, "POST /graphql", &headers, lone.as_bytes());
        assert_eq!((answer.status, &*answer.code()), (400, "BAD_REQUEST"));
        let name = "n".repeat(256);
        let input = json!({ "roomId": room, "name": name });
        assert_eq!(eve.refused("setRoomName", input), "TOO_LARGE");
        let combining = json!({ "roomId": room, "body": "\u{0301}".repeat(500_000) });
        let document =
            "mutation($input: SendMessageInput!) { sendMessage(input: $input) { position } }";
        assert_eq!(eve.post(document, &json!({ "input": combining })).status, 413);
    });
}

#[test]
fn content_that_could_not_be_read_again_is_refused() {
    while_others_talk(|_, eve| {
        let room = eve.create_room(json!({}));
        let mut nested = json!(1);
        for _ in 0..28 {
            nested = json!({ "a": nested });
        }
        let event =
            |content: Value| json!({ "roomId": room, "type": "com.example.x", "content": content });
        assert_eq!(eve.act("sendEvent", event(json!({ "a": nested })))["refusal"], Value::Null);
        for content in [json!({ "a": 1.5 }), json!({ "a": 9_007_199_254_740_993_i64 })] {
            assert_eq!(eve.refused("sendEvent", event(content)), "INVALID_CONTENT");
        }
        let document =
            "mutation($input: SendEventInput!) { sendEvent(input: $input) { position } }";
        for content in [json!([]), json!("text"), json!(null), json!(7)] {
            assert_eq!(eve.fail(document, &json!({ "input": event(content) })), "BAD_USER_INPUT");
        }
    });
}

#[test]
fn answers_to_wrong_requests_show_no_internals() {
    while_others_talk(|_, eve| {
        let documents = [
            "{ secretField }",
            "{ room(by: { roomId: 5 }) { id } }",
            "{ room(by: { roomId: \"not an ID\" }) { id } }",
            "{ node(id: \"????\") { id } }",
            "{ room(by: { roomId: \"!a:b\" }, alias: \"#a:b\") { id } }",
            "mutation { sendMessage(input: { roomId: \"!a:b\" }) { position } }",
            "query($a: Nonsense) { server { name } }",
            "{",
        ];
        for document in documents {
            let body = eve.post(document, &json!({})).body.to_string();
            for internal in
                ["panicked", ".rs", "rookery_", "async_graphql", "Some(", "/home", "/work"]
            {
                assert!(!body.contains(internal), "{document}: {body}");
            }
        }
    });
}

#[test]
fn strangers_may_read_the_schema_and_nothing_else() {
    while_others_talk(|_, eve| {
        let nobody = eve.nobody();
        let types = nobody.run("{ __schema { types { name } } }", &json!({}));
        assert!(types["__schema"]["types"].as_array().unwrap().len() > 10);
        assert_eq!(nobody.run("{ viewer { position } }", &json!({}))["viewer"], Value::Null);
        let room = eve.create_room(json!({ "preset": "PUBLIC", "isListed": true }));
        let position = eve.position();
        let documents = [
            format!("{{ room(by: {{ roomId: {room:?} }}) {{ name }} }}"),
            "{ publicRooms { totalCount } }".to_owned(),
            "{ initialSync { position } }".to_owned(),
            format!("{{ events(after: {position:?}) {{ position }} }}"),
            format!("{{ user(userId: {:?}) {{ displayName }} }}", eve.user_id),
            "mutation { createRoom(input: {}) { position } }".to_owned(),
            format!(
                "mutation {{ joinRoom(input: {{ room: {{ roomId: {room:?} }} }}) {{ position }} }}"
            ),
            "mutation { setProfile(input: {}) { position } }".to_owned(),
            "mutation { logOut(input: {}) { devices } }".to_owned(),
        ];
        for document in documents {
            assert_eq!(nobody.fail(&document, &json!({})), "UNAUTHENTICATED", "{document}");
        }
        let mut forged = eve.clone();
        forged.token = Some("A".repeat(43));
        let answer = forged.post("{ __typename }", &json!({}));
        assert_eq!(answer.status, 401);
    });
}

#[test]
fn guessing_passwords_is_limited_and_tells_nothing_about_users() {
    while_others_talk(|server, eve| {
        let document = "mutation($name: String!) {
            logIn(input: { username: $name, password: \"wrong wrong\" }) {
                token refusal { code message } } }";
        let try_once =
            |name: &str| eve.nobody().run(document, &json!({ "name": name }))["logIn"].clone();
        assert_eq!(try_once("alice"), try_once("nobody.at.all"));
        assert_eq!(try_once("alice")["refusal"]["code"], "WRONG_CREDENTIALS");
        let codes: Vec<Value> =
            (0..20).map(|_| try_once("alice")["refusal"]["code"].clone()).collect();
        assert_eq!(codes.last().unwrap(), "RATE_LIMITED");
        // The owner's other device continues, and so does every other user at the same address.
        let other = eve.log_in("correct horse");
        assert!(other["token"].is_string(), "{other}");
        Client::register(server, "another.user");
    });
}

#[test]
fn a_flood_in_one_room_is_limited_and_others_are_not() {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &["--limits-rates-messages", "20+1/h"]);
    let (alice, eve) = (Client::register(&server, "alice"), Client::register(&server, "eve"));
    let room = alice.create_room(json!({ "preset": "PUBLIC" }));
    eve.act("joinRoom", json!({ "room": { "roomId": room } }));
    let document = "mutation($room: RoomID!, $n: Int) {
        sendMessage(input: { roomId: $room, body: \"flood\", actionId: $n }) {
            event { eventId } refusal { code retryAfter } } }";
    let send = |n: i32| eve.run(document, &json!({ "room": room, "n": n }))["sendMessage"].clone();
    for n in 1..=20 {
        assert!(send(n)["event"]["eventId"].is_string());
    }
    for n in [21, 22, 21] {
        let refusal = &send(n)["refusal"];
        assert_eq!(refusal["code"], "RATE_LIMITED");
        assert!(refusal["retryAfter"].as_i64().is_some_and(|wait| (1..=3_600).contains(&wait)));
    }
    // Earlier requests get their answers.
    assert!(send(20)["event"]["eventId"].is_string());
    alice.say(&room, "still here");
    drop(server);
    let without = ["--limits-rates-messages", "1+1/h", "--limits-rate", "none"];
    let server = Server::start_with(data.path(), &without);
    for n in 0..5 {
        eve.at(&server).say(&room, &n.to_string());
    }
}

#[test]
fn nobody_is_invited_before_they_exist() {
    while_others_talk(|server, eve| {
        let room = eve.create_room(json!({}));
        for user in ["@later:localhost", "@someone:far.example"] {
            let input = json!({ "roomId": room, "userId": user });
            assert_eq!(eve.refused("inviteUser", input), "NO_SUCH_USER");
            let document = "mutation($input: CreateRoomInput!) {
                createRoom(input: $input) { room { roomId } refusal { code } } }";
            let input = json!({ "input": { "invite": [user] } });
            let made = eve.run(document, &input)["createRoom"].clone();
            assert_eq!(made["refusal"]["code"], "NO_SUCH_USER", "{made}");
        }
        let later = Client::register(server, "later");
        let invited = later.run("{ initialSync { invites { roomId } } }", &json!({}));
        assert_eq!(invited["initialSync"]["invites"], json!([]));
        eve.act("inviteUser", json!({ "roomId": room, "userId": later.user_id }));
        let invited = later.run("{ initialSync { invites { roomId } } }", &json!({}));
        assert_eq!(invited["initialSync"]["invites"], json!([{ "roomId": room }]));
    });
}

#[test]
fn many_logins_at_once_wait_in_a_bounded_line() {
    while_others_talk(|server, eve| {
        let before = memory_kib(server);
        let document = "mutation($name: String!) {
            logIn(input: { username: $name, password: \"correct horse\" }) {
                refusal { code } } }";
        let answers: Vec<Value> = thread::scope(|scope| {
            let threads: Vec<_> = (0..95)
                .map(|n| {
                    let (client, name) = (eve.nobody(), json!({ "name": format!("guess{n}") }));
                    scope.spawn(move || {
                        client.run(document, &name)["logIn"]["refusal"]["code"].clone()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let count = |code: &str| answers.iter().filter(|answer| *answer == code).count();
        let (busy, wrong) = (count("BUSY"), count("WRONG_CREDENTIALS"));
        assert_eq!(busy + wrong, answers.len(), "{answers:?}");
        assert!(busy > 0 && wrong > 0, "{busy} were told to come back, {wrong} were checked");
        let grown = memory_kib(server).saturating_sub(before);
        assert!(grown < 120 * 1024, "{} logins took {grown} KiB", answers.len());
    });
}

/// Memory of the process.
pub(crate) fn memory_kib(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_forged_forwarding_header_moves_no_limit() {
    while_others_talk(|server, _| {
        let body = ask(
            "mutation { register(input: {username: \"mallory\", password: \"long enough\"}) { refusal { code } } }",
        );
        let from = |address: &str| {
            let header = format!("X-Forwarded-For: {address}");
            let headers = ["Content-Type: application/json", &*header];
            send(server, "POST /graphql", &headers, &body).body
        };
        // Registration is open on loopback alone. The server trusts nobody's header, so a client
        // that sends it loses the loopback and gains nothing.
        for address in ["203.0.113.9", "127.0.0.1", "::1, 127.0.0.1"] {
            assert!(from(address).contains("REGISTRATION_CLOSED"), "{address}");
        }
        let guess = ask(
            "mutation { logIn(input: {username: \"mallory\", password: \"not this one\"}) { refusal { code } } }",
        );
        let last = (0..12).map(|n| {
            let header = format!("X-Forwarded-For: 198.51.100.{n}");
            let headers = ["Content-Type: application/json", &*header];
            send(server, "POST /graphql", &headers, &guess).body
        });
        assert!(last.collect::<Vec<_>>()[11].contains("RATE_LIMITED"));
    });
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &["--trusted-proxies", "127.0.0.1"]);
    let body = ask(
        "mutation { register(input: {username: \"mallory\", password: \"long enough\"}) { refusal { code } } }",
    );
    let headers = ["Content-Type: application/json", "X-Forwarded-For: 203.0.113.9"];
    let answer = send(&server, "POST /graphql", &headers, &body);
    assert!(answer.body.contains("REGISTRATION_CLOSED"), "{}", answer.body);
}

#[test]
fn line_breaks_in_what_clients_send_do_not_forge_log_lines() {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &["--log", "trace"]);
    let eve = Client::register(&server, "eve");
    let forged = "\n2031-01-01T00:00:00Z  INFO forged: the line";
    let room = eve.create_room(json!({ "name": forged }));
    eve.say(&room, forged);
    eve.post(&format!("query a {{ __typename }} # {forged}"), &json!({ "v": forged }));
    eve.post("query($a: RoomID!) { room(by: { roomId: $a }) { id } }", &json!({ "a": forged }));
    let document = "mutation($name: String!) { logIn(input: { username: $name, password: $name }) {
        refusal { code } } }";
    eve.nobody().post(document, &json!({ "name": forged }));
    let headers = ["User-Agent: a\tforged: the line", "Content-Type: application/json"];
    send(&server, "POST /graphql", &headers, &ask("{ __typename }"));
    let lines = server.logged("forged: the line");
    assert!(lines.iter().all(|line| !line.starts_with("2031")), "{lines:?}");
    assert!(server.logged(eve.token.as_ref().unwrap()).is_empty(), "a token is in the log");
    assert!(server.logged("correct horse").is_empty(), "a password is in the log");
}

#[test]
fn pages_forbid_scripts_from_elsewhere_and_answers_are_not_cached() {
    while_others_talk(|server, eve| {
        for page in ["/", "/graphiql"] {
            let answer = send(server, &format!("GET {page}"), &[], b"");
            assert_eq!(answer.status, 200, "{page}");
            let head = answer.head.to_lowercase();
            assert!(head.contains("content-security-policy:"), "{head}");
            assert!(head.contains("default-src 'none'") || head.contains("default-src 'self'"));
            assert!(head.contains("x-content-type-options: nosniff"), "{head}");
        }
        let token = format!("Authorization: Bearer {}", eve.token.as_ref().unwrap());
        let headers = [&*token, "Content-Type: application/json"];
        let answer = send(server, "POST /graphql", &headers, &ask("{ viewer { position } }"));
        let head = answer.head.to_lowercase();
        assert!(head.contains("cache-control: no-store"), "{head}");
        for path in ["/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/graphiql/../../Cargo.toml"]
        {
            assert_eq!(send(server, &format!("GET {path}"), &[], b"").status, 404, "{path}");
        }
    });
}
