//! graphql-transport-ws: messages and close codes.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_tungstenite::tungstenite::Message;

use crate::clients::socket::{SUBPROTOCOL, connect, connect_as, connect_with};
use crate::toy::{toy, toy_with};

#[tokio::test]
async fn the_subprotocol_is_confirmed_and_any_other_closes_with_4406() {
    let toy = toy().await;
    let (_, response) = connect_with(toy.address, &[SUBPROTOCOL]).await.unwrap();
    assert_eq!(response.headers()["sec-websocket-protocol"], "graphql-transport-ws");
    let (mut client, _) = connect_with(toy.address, &[]).await.unwrap();
    assert_eq!(client.closed().await.0, 4406);
}

#[tokio::test]
async fn queries_and_mutations_answer_with_next_and_complete() {
    let toy = toy().await;
    let mut client = connect_as(toy.address, Some("good")).await;
    client.subscribe("a", "{user}").await;
    assert_eq!(
        client.receive().await,
        json!({"type": "next", "id": "a", "payload": {"data": {"user": "ada"}}})
    );
    assert_eq!(client.receive().await, json!({"type": "complete", "id": "a"}));
    client.subscribe("a", "mutation{bump}").await;
    assert_eq!(client.receive().await["payload"]["data"]["bump"], 1);
    assert_eq!(client.receive().await["type"], "complete");
}

#[tokio::test]
async fn a_subscription_streams_and_completes() {
    let toy = toy().await;
    let mut client = connect_as(toy.address, None).await;
    client.subscribe("s", "subscription{count(to:3)}").await;
    for number in 1..=3 {
        let payload = json!({"data": {"count": number}});
        assert_eq!(client.receive().await, json!({"type": "next", "id": "s", "payload": payload}));
    }
    assert_eq!(client.receive().await, json!({"type": "complete", "id": "s"}));
}

#[tokio::test]
async fn complete_from_the_client_drops_the_stream_and_frees_its_id() {
    let toy = toy().await;
    let mut client = connect_as(toy.address, None).await;
    client.subscribe("s", "subscription{silence}").await;
    client.send(json!({"type": "complete", "id": "s"})).await;
    toy.probe.dropped.notified().await;
    client.subscribe("s", "{hello}").await;
    assert_eq!(client.receive().await["payload"]["data"]["hello"], "world");
}

#[tokio::test]
async fn an_invalid_request_gets_error_and_the_socket_stays() {
    let toy = toy().await;
    let mut client = connect_as(toy.address, None).await;
    for (query, code) in [
        ("{nothing}", "GRAPHQL_VALIDATION_FAILED"),
        ("{hello", "GRAPHQL_PARSE_FAILED"),
        ("{...f}fragment f on Query{...f}", "FRAGMENT_CYCLE"),
        ("subscription{unknownPosition}", "POSITION_UNKNOWN"),
        ("subscription{panics}", "INTERNAL"),
        ("{panics}", "INTERNAL"),
    ] {
        client.subscribe("x", query).await;
        let message = client.receive().await;
        assert_eq!((&message["type"], &message["id"]), (&json!("error"), &json!("x")), "{message}");
        assert_eq!(message["payload"][0]["extensions"]["code"], code);
        assert!(!message.to_string().contains("secret"));
    }
    client.subscribe("x", "{hello}").await;
    assert_eq!(client.receive().await["type"], "next");
}

#[tokio::test]
async fn pings_of_both_kinds_are_answered() {
    let toy = toy().await;
    let mut client = connect(toy.address).await;
    client.send(json!({"type": "ping", "payload": {"a": 1}})).await;
    assert_eq!(client.receive().await, json!({"type": "pong"}));
    client.send_raw(Message::Ping("p".into())).await;
    assert_eq!(client.socket.next().await.unwrap().unwrap(), Message::Pong("p".into()));
}

#[tokio::test]
async fn the_token_may_come_in_the_payload_or_in_the_upgrade() {
    let toy = toy().await;
    let header = ("authorization", "Bearer good");
    for (headers, payload) in [
        (vec![SUBPROTOCOL], json!({"Authorization": "Bearer good"})),
        (vec![SUBPROTOCOL], json!({"token": "good"})),
        (vec![SUBPROTOCOL, header], json!(null)),
    ] {
        let (mut client, _) = connect_with(toy.address, &headers).await.unwrap();
        client.send(json!({"type": "connection_init", "payload": payload})).await;
        client.receive().await;
        client.subscribe("a", "{user}").await;
        assert_eq!(client.receive().await["payload"]["data"]["user"], "ada");
    }
}

#[tokio::test]
async fn the_user_to_act_as_may_come_in_the_payload_or_in_the_upgrade() {
    let toy = toy().await;
    let token = ("authorization", "Bearer program");
    let eve = ("rookery-act-as", "eve");
    for (headers, payload, user) in [
        (vec![SUBPROTOCOL], json!({"token": "program", "actAs": "eve"}), Some("eve")),
        (vec![SUBPROTOCOL, token, eve], json!(null), Some("eve")),
        (vec![SUBPROTOCOL, token], json!({"actAs": "eve"}), Some("eve")),
        (vec![SUBPROTOCOL, token], json!(null), Some("program")),
        (vec![SUBPROTOCOL, token, eve], json!({"actAs": "mallory"}), None),
        (vec![SUBPROTOCOL, eve], json!({"token": "good"}), None),
    ] {
        let (mut client, _) = connect_with(toy.address, &headers).await.unwrap();
        client.send(json!({"type": "connection_init", "payload": payload})).await;
        let Some(user) = user else {
            assert_eq!(client.closed().await.0, 4403, "{payload}");
            continue;
        };
        client.receive().await;
        client.subscribe("a", "{user}").await;
        assert_eq!(client.receive().await["payload"]["data"]["user"], user, "{payload}");
    }
}

#[tokio::test]
async fn messages_that_are_not_of_the_protocol_close_with_4400() {
    let toy = toy().await;
    for message in [
        Message::text("no json"),
        Message::text(r#"{"type":"start","id":"1"}"#),
        Message::text(r#"{"id":"1"}"#),
        Message::text(r#"{"type":"subscribe","payload":{"query":"{hello}"}}"#),
        Message::text(r#"{"type":"subscribe","id":"","payload":{"query":"{hello}"}}"#),
        Message::text(r#"{"type":"subscribe","id":"1","payload":{}}"#),
        Message::text("[".repeat(10_000)),
        Message::binary(b"{\"type\":\"ping\"}".as_slice()),
    ] {
        let mut client = connect_as(toy.address, None).await;
        client.send_raw(message.clone()).await;
        assert_eq!(client.closed().await.0, 4400, "{message}");
    }
}

#[tokio::test]
async fn subscribe_before_init_closes_with_4401() {
    let toy = toy().await;
    let mut client = connect(toy.address).await;
    client.subscribe("1", "{hello}").await;
    assert_eq!(client.closed().await, (4401, "Unauthorized".into()));
}

#[tokio::test]
async fn a_bad_token_closes_with_4403() {
    let toy = toy().await;
    let mut client = connect(toy.address).await;
    client.send(json!({"type": "connection_init", "payload": {"token": "stale"}})).await;
    assert_eq!(client.closed().await, (4403, "Forbidden".into()));
}

#[tokio::test]
async fn a_token_that_cannot_be_checked_closes_with_1013() {
    let toy = toy().await;
    let mut client = connect(toy.address).await;
    client.send(json!({"type": "connection_init", "payload": {"token": "down"}})).await;
    assert_eq!(client.closed().await.0, 1013);
}

#[tokio::test]
async fn silence_closes_with_4408() {
    let toy = toy_with(|options, _| options.socket.init_deadline = Duration::from_millis(20)).await;
    let mut client = connect(toy.address).await;
    assert_eq!(client.closed().await, (4408, "Connection initialisation timeout".into()));
}

#[tokio::test]
async fn a_duplicate_id_closes_with_4409() {
    let toy = toy().await;
    let mut client = connect_as(toy.address, None).await;
    client.subscribe("1", "subscription{silence}").await;
    client.subscribe("1", "{hello}").await;
    assert_eq!(client.closed().await, (4409, "Subscriber for 1 already exists".into()));
    toy.probe.dropped.notified().await;
}

#[tokio::test]
async fn a_second_init_closes_with_4429() {
    let toy = toy().await;
    let mut client = connect_as(toy.address, None).await;
    client.send(json!({"type": "connection_init"})).await;
    assert_eq!(client.closed().await, (4429, "Too many initialisation requests".into()));
}

#[tokio::test]
async fn a_revoked_token_closes_with_4403_and_nothing_comes_after() {
    let toy = toy().await;
    let mut client = connect_as(toy.address, Some("good")).await;
    client.subscribe("1", "subscription{silence}").await;
    let mut other = connect_as(toy.address, None).await;
    toy.probe.revoked.send_replace(true);
    assert_eq!(client.closed().await, (4403, "Forbidden: access token revoked".into()));
    toy.probe.dropped.notified().await;
    other.subscribe("1", "{hello}").await;
    assert_eq!(other.receive().await["type"], "next");
}

#[tokio::test]
async fn shutdown_closes_with_1012_and_everyone_is_drained() {
    let toy = toy().await;
    let mut client = connect_as(toy.address, None).await;
    toy.shutdown.request();
    assert_eq!(client.closed().await.0, 1012);
    assert!(client.socket.next().await.is_none());
    toy.shutdown.drained().await;
}

#[tokio::test]
async fn a_page_of_a_foreign_origin_is_403() {
    let toy =
        toy_with(|options, _| options.allowed_origins = vec!["https://chat.example".into()]).await;
    let own = format!("http://{}", toy.address);
    for (origin, expected) in [
        ("https://evil.example", Some(403)),
        ("null", Some(403)),
        ("https://chat.example", None),
        (own.as_str(), None),
    ] {
        let outcome = connect_with(toy.address, &[SUBPROTOCOL, ("origin", origin)]).await;
        assert_eq!(outcome.err(), expected, "{origin}");
    }
}

#[tokio::test]
async fn a_mutation_that_began_ends_though_its_socket_left() {
    let toy = toy().await;
    let mut client = connect_as(toy.address, None).await;
    client.subscribe("1", "mutation{bumpWhenTold}").await;
    toy.probe.begun.notified().await;
    client.socket.close(None).await.unwrap();
    drop(client);
    toy.probe.proceed.notify_one();
    toy.probe.ended.notified().await;
    assert_eq!(toy.probe.bumps.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_client_that_leaves_drops_its_streams() {
    let toy = toy().await;
    let mut client = connect_as(toy.address, None).await;
    client.subscribe("1", "subscription{silence}").await;
    client.subscribe("2", "{hello}").await;
    client.receive().await;
    client.socket.flush().await.unwrap();
    drop(client);
    toy.probe.dropped.notified().await;
}

/// A frame of a client, masked with zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first, 0x80 | u8::try_from(payload.len()).unwrap(), 0, 0, 0, 0];
    frame.extend_from_slice(payload);
    frame
}

/// The frames of the server until it closes the connection; none if it resets it.
async fn frames_of(mut client: crate::clients::socket::Client, sent: &[u8]) -> Option<Vec<u8>> {
    let stream = client.socket.get_mut();
    stream.write_all(sent).await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer));
    read.await.expect("the server ends the connection").ok().map(|_| answer)
}

#[tokio::test]
async fn a_closing_frame_is_answered_before_the_connection_ends() {
    let toy = toy().await;
    let close = |code: u16, reason: &[u8]| [&code.to_be_bytes()[..], reason].concat();
    let cases: [(Vec<u8>, Vec<u8>); 8] = [
        (close(1000, b"bye"), close(1000, b"bye")),
        (close(1001, b""), close(1001, b"")),
        (close(4999, b"own"), close(4999, b"own")),
        (vec![], vec![]),
        // These codes are not allowed on the wire, and a payload of one byte is invalid.
        (close(1005, b""), close(1002, b"Protocol violation")),
        (close(1006, b""), close(1002, b"Protocol violation")),
        (vec![3], close(1002, b"Protocol error")),
        (close(1000, b"\xff"), close(1007, b"Text is not UTF-8")),
    ];
    for (sent, answer) in cases {
        for initialised in [true, false] {
            let client = if initialised {
                connect_as(toy.address, Some("good")).await
            } else {
                connect(toy.address).await
            };
            let got = frames_of(client, &frame(0x88, &sent)).await.expect("no reset");
            let expected = [&[0x88, u8::try_from(answer.len()).unwrap()], &*answer].concat();
            assert_eq!(got, expected, "{sent:?}");
        }
    }
}

#[tokio::test]
async fn a_closing_frame_is_answered_while_subscriptions_run() {
    let toy = toy().await;
    let mut client = connect_as(toy.address, Some("good")).await;
    client.subscribe("s", "subscription{silence}").await;
    client.subscribe("q", "{hello}").await;
    client.receive().await;
    client.receive().await;
    let got = frames_of(client, &frame(0x88, &[3, 0xe8])).await.expect("no reset");
    assert_eq!(got, [0x88, 2, 3, 0xe8]);
    toy.probe.dropped.notified().await;
}

#[tokio::test]
async fn a_message_of_frames_without_end_closes_with_1009() {
    let toy = toy().await;
    // Without a payload, with little, and with pings in between.
    for (more, pings) in [(frame(0, b""), false), (frame(0, b"x"), false), (frame(0, b""), true)] {
        let mut client = connect_as(toy.address, None).await;
        let (mut read, mut write) = client.socket.get_mut().split();
        let write = async {
            write.write_all(&frame(1, b"{")).await.ok();
            for lot in 0..200 {
                let mut bytes = more.repeat(1_000);
                if pings && lot < 90 {
                    bytes.extend(frame(0x8a, b"pong"));
                }
                if write.write_all(&bytes).await.is_err() {
                    break;
                }
            }
            std::future::pending::<()>().await;
        };
        let read = async {
            let mut answer = [0; 4];
            read.read_exact(&mut answer).await.expect("a closing frame");
            answer
        };
        let answer = tokio::select! { () = write => unreachable!(), answer = read => answer };
        assert_eq!((answer[0], &answer[2..]), (0x88, &1009_u16.to_be_bytes()[..]));
    }
}

#[tokio::test]
async fn a_message_in_many_frames_with_pongs_between_them_is_read() {
    let toy = toy().await;
    let mut client = connect_as(toy.address, None).await;
    let query = format!("{{hello}} # {}", "x".repeat(8_000));
    let message = json!({"type": "subscribe", "id": "1", "payload": {"query": query}}).to_string();
    let mut bytes = Vec::new();
    for (number, part) in message.as_bytes().chunks(7).enumerate() {
        bytes.extend(frame(u8::from(number == 0), part));
        if number % 20 == 0 {
            bytes.extend(frame(0x8a, &[b'p'; 125]));
        }
    }
    bytes.extend(frame(0x80, b""));
    client.socket.get_mut().write_all(&bytes).await.unwrap();
    assert_eq!(client.receive().await["payload"]["data"]["hello"], "world");
}

#[tokio::test]
async fn a_client_of_the_legacy_subprotocol_is_told_what_to_use_and_ours_is_preferred() {
    let toy = toy().await;
    let legacy = [("sec-websocket-protocol", "graphql-ws")];
    let (mut client, response) = connect_with(toy.address, &legacy).await.unwrap();
    assert_eq!(response.headers()["sec-websocket-protocol"], "graphql-ws");
    let told = client.receive().await;
    assert_eq!(told["type"], "connection_error");
    let message = told["payload"]["message"].as_str().unwrap();
    assert!(message.contains("graphql-transport-ws"), "{message}");
    let (code, reason) = client.closed().await;
    assert!(code == 4406 && reason.contains("graphql-transport-ws"), "{code} {reason}");
    let both = [("sec-websocket-protocol", "graphql-ws, graphql-transport-ws")];
    let (_, response) = connect_with(toy.address, &both).await.unwrap();
    assert_eq!(response.headers()["sec-websocket-protocol"], "graphql-transport-ws");
}

#[tokio::test]
async fn an_upgrade_spells_the_names_of_headers_as_the_standard_does() {
    let toy = toy().await;
    for name in ["Sec-WebSocket-Protocol", "sec-websocket-protocol"] {
        let mut stream = tokio::net::TcpStream::connect(toy.address).await.unwrap();
        let request = format!(
            "GET /graphql HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
             {name}: graphql-transport-ws\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        for line in [
            "Sec-WebSocket-Protocol: graphql-transport-ws",
            "Sec-WebSocket-Accept: ",
            "Upgrade: websocket",
            "Connection: Upgrade",
        ] {
            assert!(head.lines().any(|it| it.starts_with(line)), "no {line} in {head}");
        }
    }
}
