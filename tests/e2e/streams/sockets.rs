//! The server closes wrongly used sockets with the code of the protocol.

use std::io::{Read, Write};

use serde_json::{Value, json};
use tempfile::tempdir;
use tungstenite::{
    Bytes, Message,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};

use crate::{
    abuse::memory_kib,
    client::Client,
    raw,
    server::{Server, eventually, succeed},
};

const FOLLOW: &str = "subscription { eventStream { position } }";

fn start() -> (tempfile::TempDir, Server, Client) {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    (data, server, alice)
}

#[test]
fn a_page_of_another_origin_opens_no_socket() {
    let (_data, server, alice) = start();
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1"] {
        assert_eq!(alice.try_socket(&[("origin", origin)]).err(), Some(403), "{origin}");
    }
    let own = format!("http://{}", server.address());
    assert!(alice.try_socket(&[("origin", &own)]).is_ok());
}

#[test]
fn what_breaks_the_protocol_is_closed_with_its_code() {
    let (_data, _server, alice) = start();
    let init = json!({ "type": "connection_init" });
    let closing = |messages: &[Value]| {
        let mut socket = alice.silent_socket();
        for message in messages {
            assert!(socket.try_send(Message::text(message.to_string())));
        }
        socket.closing()
    };
    let subscribe =
        |id: &str| json!({ "id": id, "type": "subscribe", "payload": { "query": FOLLOW } });
    let cases = [
        (4401, vec![subscribe("1")]),
        (4429, vec![init.clone(), init.clone()]),
        (4400, vec![init.clone(), json!({ "type": "nonsense" })]),
        (4400, vec![json!([])]),
        (4400, vec![init.clone(), json!({ "id": "", "type": "subscribe", "payload": {} })]),
        (4403, vec![json!({ "type": "connection_init", "payload": { "token": "rk_wrong" } })]),
    ];
    for (code, messages) in cases {
        assert_eq!(closing(&messages), code, "{messages:?}");
    }
    let mut socket = alice.socket();
    for _ in 0..2 {
        socket.subscribe("twice", FOLLOW, &json!({}));
    }
    assert_eq!(socket.closing(), 4409);
    let mut deep = alice.socket();
    let nested = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let text = format!(r#"{{"type":"subscribe","id":"1","payload":{{"variables":{nested}}}}}"#);
    assert!(deep.try_send(Message::text(text)));
    assert_eq!(deep.closing(), 4400);
}

#[test]
fn the_gate_stands_before_sockets_too() {
    let (_data, _server, alice) = start();
    let mut socket = alice.socket();
    let nested = format!("{{ room(by: {}1{}) {{ id }} }}", "[".repeat(2_000), "]".repeat(2_000));
    let logins = "mutation { a: logIn(input: {username: \"a\", password: \"b\"}) { token }
        b: logIn(input: {username: \"a\", password: \"b\"}) { token } }";
    let many =
        format!("{{ {} }}", (0..20).map(|n| format!("a{n}: __typename ")).collect::<String>());
    let cases = [
        (&*nested, "QUERY_TOO_DEEP"),
        (logins, "TOO_MANY_LOGINS"),
        (&*many, "TOO_MANY_ROOT_FIELDS"),
    ];
    for (document, code) in cases {
        socket.subscribe("1", document, &json!({}));
        let answer = socket.receive();
        assert_eq!(answer["payload"][0]["extensions"]["code"], code, "{answer}");
    }
    socket.subscribe("1", "{ server { name } }", &json!({}));
    assert_eq!(socket.receive()["type"], "next");
}

#[test]
fn subscriptions_beyond_the_cap_are_refused_and_the_others_go_on() {
    let (_data, _server, alice) = start();
    let room = alice.create_room(json!({}));
    let document = "subscription($after: Position) {
        eventStream(after: $after) { events { ... on RoomEvent { text } } } }";
    let after = json!({ "after": alice.position() });
    let mut socket = alice.socket();
    let mut refused = 0;
    for n in 0..1_000 {
        socket.subscribe(&n.to_string(), document, &after);
    }
    socket.subscribe("end", "{ server { name } }", &json!({}));
    loop {
        let message = socket.receive();
        let error = &message["payload"][0];
        assert_eq!(error["extensions"]["code"], "TOO_MANY_SUBSCRIPTIONS", "{message}");
        refused += 1;
        if message["id"] == "end" {
            break;
        }
    }
    assert_eq!(refused, 1_001 - 64);
    alice.say(&room, "hello");
    let mut heard = std::collections::HashSet::new();
    while heard.len() < 64 {
        let message = socket.receive();
        assert_eq!(message["payload"]["data"]["eventStream"]["events"][0]["text"], "hello");
        assert!(heard.insert(message["id"].to_string()), "{message} came twice");
    }
}

#[test]
fn messages_that_are_too_long_or_never_end_are_closed_by_name() {
    let (_data, server, alice) = start();
    let mut socket = alice.socket();
    assert!(socket.try_send(Message::text("x".repeat(70 * 1024))));
    assert_eq!(socket.closing(), 1009);
    let before = memory_kib(&server);
    let mut endless = alice.socket();
    let part = Bytes::from(vec![b'x'; 16 * 1024]);
    let mut code = OpCode::Data(Data::Text);
    // Far more than the limit, so that the memory of a server that collects it would show.
    for _ in 0..64 {
        let frame = Frame::message(part.clone(), code, false);
        if !endless.try_send(Message::Frame(frame)) {
            break;
        }
        code = OpCode::Data(Data::Continue);
    }
    assert_eq!(endless.closing(), 1009);
    let mut flood = alice.socket();
    for _ in 0..1_000 {
        if !flood.try_send(Message::text(r#"{"type":"ping"}"#)) {
            break;
        }
    }
    let code = flood.closing();
    assert!([1008, 1006].contains(&code), "closed with {code}");
    let mut pings = alice.socket();
    for _ in 0..1_000 {
        if !pings.try_send(Message::Ping(Bytes::new())) {
            break;
        }
    }
    let code = pings.closing();
    assert!([1008, 1006].contains(&code), "closed with {code}");
    assert!(memory_kib(&server).saturating_sub(before) < 64 * 1024);
    alice.position();
}

#[test]
fn whoever_says_nothing_or_speaks_too_slowly_is_closed() {
    let (_data, server, alice) = start();
    let mut silent = alice.silent_socket();
    let head = b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    let no_head_end = raw::write(&server, head);
    let mut request = head.to_vec();
    request.extend_from_slice(b"Content-Length: 100\r\n\r\n{\"query\"");
    let no_body_end = raw::write(&server, &request);
    assert_eq!(silent.closing(), 4408);
    let slow_body = raw::read(no_body_end);
    assert_eq!((slow_body.status, &*slow_body.code()), (408, "BODY_TIMEOUT"));
    assert!(raw::is_ended(no_head_end), "a slow head was not cut");
    alice.position();
}

#[test]
fn a_revoked_login_gets_nothing_more() {
    let (data, server, alice) = start();
    let room = alice.create_room(json!({}));
    let path = data.path();
    let name = |client: &Client| client.user_id.clone();
    let revocations: [(&str, &[&str]); 3] = [
        ("a new password", &["user", "set-password", "alice"]),
        ("logging out everywhere", &[]),
        ("deactivation", &["user", "deactivate", "alice", "--yes"]),
    ];
    for (what, command) in revocations {
        let token = succeed(path, &["user", "token", "alice"], "");
        let phone = Client::with_token(&server, "alice", &token);
        assert_eq!(name(&phone), alice.user_id);
        let mut stream = phone.follow(None);
        phone.say(&room, "heard");
        assert_eq!(stream.item()["text"], "heard");
        if command.is_empty() {
            phone.run("mutation { logOut(input: { everywhere: true }) { devices } }", &json!({}));
        } else {
            succeed(path, command, "another password\n");
        }
        assert_eq!(stream.chunk(), Err(4403), "{what}");
        assert_eq!(phone.post("{ __typename }", &json!({})).status, 401, "{what}");
        let mut socket = phone.silent_socket();
        let payload = json!({ "token": phone.token });
        socket.send(&json!({ "type": "connection_init", "payload": payload }));
        assert_eq!(socket.closing(), 4403, "{what}");
    }
    let refused = alice.log_in("another password");
    assert_eq!(refused["refusal"]["code"], "WRONG_CREDENTIALS");
}

#[test]
fn a_login_that_ends_by_itself_ends_its_socket() {
    let (data, server, _alice) = start();
    let token = succeed(data.path(), &["user", "token", "alice", "--lifetime", "2s"], "");
    let phone = Client::with_token(&server, "alice", &token);
    let mut stream = phone.follow(None);
    assert_eq!(stream.chunk(), Err(4403));
    assert_eq!(phone.post("{ __typename }", &json!({})).status, 401);
}

/// A room and a follower who has stopped reading, with more data for her than the kernel buffers.
#[test]
fn a_reader_who_stops_is_closed_and_goes_on_where_she_was() {
    let (_data, server, alice) = start();
    let bob = Client::register(&server, "bob");
    let room = alice.create_room(json!({ "preset": "PUBLIC" }));
    bob.act("joinRoom", json!({ "room": { "roomId": room } }));
    let start = bob.position();
    let mut socket = bob.socket();
    let document = "subscription($after: Position) { eventStream(after: $after) { position
        events { ... on RoomEvent { eventId text content pdu } } } }";
    socket.subscribe("1", document, &json!({ "after": start }));
    let body = "x".repeat(5_000);
    let message = |n: usize| {
        format!(
            "m{n}: sendMessage(input: {{ roomId: {room:?}, body: $b }}) {{ position event {{ eventId }} }} "
        )
    };
    let document =
        format!("mutation($b: String!) {{ {} }}", (0..10).map(message).collect::<String>());
    let mut sent = Vec::new();
    let mut others: Vec<_> = (0..5).map(|_| bob.follow(Some(&start))).collect();
    let mut heard = vec![Vec::new(); others.len()];
    let before = memory_kib(&server);
    for _ in 0..120 {
        let answer = alice.run(&document, &json!({ "b": body }));
        for n in 0..10 {
            sent.push(answer[format!("m{n}")]["event"]["eventId"].as_str().unwrap().to_owned());
        }
        // Reading clients get everything meanwhile.
        for (other, heard) in others.iter_mut().zip(&mut heard) {
            while heard.len() < sent.len() {
                heard.push(other.item()["eventId"].as_str().unwrap().to_owned());
            }
        }
    }
    assert!(heard.iter().all(|heard| *heard == sent), "somebody else missed an event");
    drop(others);
    let grown = memory_kib(&server).saturating_sub(before);
    assert!(grown < 150 * 1024, "{} events took {grown} KiB", sent.len());
    // A client without a subscription and a login on a socket is not online.
    let document = "query($user: UserID!) { user(userId: $user) { presence { presence } } }";
    eventually("the server gives the reader up", || {
        let answer = alice.run(document, &json!({ "user": bob.user_id }));
        answer["user"]["presence"]["presence"] == "OFFLINE"
    });
    let mut seen = Vec::new();
    let mut position = start;
    let code = loop {
        match socket.next() {
            Ok(message) => {
                note(&message["payload"]["data"]["eventStream"], &mut seen, &mut position);
            }
            Err(code) => break code,
        }
    };
    assert_eq!(code, 4008);
    assert_eq!(socket.reason, format!("SLOW_CONSUMER: resume from {position}"));
    assert!(seen.len() < sent.len(), "the reader was never behind");
    let mut again = bob.follow(Some(&position));
    while seen.len() < sent.len() {
        note(&again.chunk().unwrap(), &mut seen, &mut position);
    }
    assert_eq!(seen, sent);
}

fn note(chunk: &Value, seen: &mut Vec<String>, position: &mut String) {
    for event in chunk["events"].as_array().unwrap() {
        seen.push(event["eventId"].as_str().unwrap().to_owned());
    }
    chunk["position"].as_str().unwrap().clone_into(position);
}

/// Whether the kernel has a connection from `server` to `client` that the server still holds.
fn is_open(server: u16, client: u16) -> bool {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let (server, client) = (format!(":{server:04X}"), format!(":{client:04X}"));
    table.lines().any(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let (local, remote) = (fields.next().unwrap(), fields.next().unwrap());
        // 01 is ESTABLISHED.
        local.ends_with(&server) && remote.ends_with(&client) && fields.next() == Some("01")
    })
}

#[test]
fn a_server_that_stops_tells_its_clients_to_come_back() {
    let (data, server, alice) = start();
    let room = alice.create_room(json!({}));
    let mut stream = alice.follow(None);
    let said = alice.say(&room, "before the end");
    stream.until(|item| item["eventId"] == said.as_str());
    let mut idle = alice.socket();
    let status = server.stop();
    assert!(status.success(), "{status}");
    assert_eq!(stream.chunk(), Err(1012));
    assert_eq!(idle.closing(), 1012);
    let again = Server::start(data.path());
    let document = "query($event: EventID!) { event(eventId: $event) { text } }";
    let found = alice.at(&again).run(document, &json!({ "event": said }));
    assert_eq!(found["event"]["text"], "before the end");
}

#[test]
fn a_request_under_way_is_answered_before_the_server_stops() {
    let (_data, server, alice) = start();
    let token = alice.token.clone().unwrap();
    let body = br#"{"query":"mutation { createRoom(input: {}) { position } }"}"#;
    let head = format!(
        "POST /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: \
         application/json\r\nAuthorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let (first, rest) = body.split_at(10);
    let mut stream = raw::write(&server, &[head.as_bytes(), first].concat());
    eventually("the server has the connection", || {
        let port = server.address().rsplit_once(':').unwrap().1.parse::<u16>().unwrap();
        is_open(port, stream.local_addr().unwrap().port())
    });
    // The head has been read once the server answers another request on a later connection.
    alice.position();
    let stopping = std::thread::spawn(move || server.stop());
    stream.write_all(rest).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(stopping.join().unwrap().success());
}

#[test]
fn a_socket_that_caught_up_costs_no_more_memory_than_its_buffer() {
    const SOCKETS: usize = 200;
    const EVENTS: usize = 200;
    let (_data, server, alice) = start();
    let room = alice.create_room(json!({}));
    let start = alice.position();
    for _ in 0..EVENTS {
        alice.say(&room, &"x".repeat(2_000));
    }
    // One after the other, so that only their lasting memory remains.
    let catch_up = || {
        let mut stream = alice.follow(Some(&start));
        for _ in 0..EVENTS {
            stream.item();
        }
        stream
    };
    drop(catch_up());
    let before = memory_kib(&server);
    let streams: Vec<_> = (0..SOCKETS).map(|_| catch_up()).collect();
    let grown = memory_kib(&server).saturating_sub(before);
    assert!(grown < 100 * streams.len() as u64, "{SOCKETS} sockets took {grown} KiB");
}
