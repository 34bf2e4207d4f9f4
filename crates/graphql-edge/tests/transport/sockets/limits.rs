//! The limits of requests over WebSocket.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::clients::socket::{connect, connect_as};
use crate::toy::{toy, toy_with};

#[tokio::test]
async fn a_message_of_70_kb_closes_with_1009() {
    let toy = toy().await;
    let mut client = connect_as(toy.address, None).await;
    client.send_raw(Message::text("x".repeat(70_000))).await;
    assert_eq!(client.closed().await.0, 1009);
}

#[tokio::test]
async fn text_that_is_escaped_may_be_as_long_as_other_text() {
    let toy = toy().await;
    let mut client = connect_as(toy.address, None).await;
    // 40 KB of text, 120 KB of escapes.
    let escaped =
        format!(r#"{{"type":"ping","payload":{{"text":"{}"}}}}"#, r"\u0436".repeat(20_000));
    client.send_raw(Message::text(escaped)).await;
    assert_eq!(client.receive().await["type"], "pong");
    let escaped =
        format!(r#"{{"type":"ping","payload":{{"text":"{}"}}}}"#, r"\u0436".repeat(33_000));
    client.send_raw(Message::text(escaped)).await;
    assert_eq!(client.closed().await.0, 1009);
}

#[tokio::test]
async fn a_message_that_goes_on_and_on_closes_with_1009() {
    let toy = toy().await;
    let mut client = connect_as(toy.address, None).await;
    let start = Frame::message("x".repeat(1_000), OpCode::Data(Data::Text), false);
    client.send_raw(Message::Frame(start)).await;
    // Twice the bytes that a fully escaped message may take; the server closes meanwhile.
    for _ in 0..400 {
        let more = Frame::message("x".repeat(1_000), OpCode::Data(Data::Continue), false);
        if client.socket.feed(Message::Frame(more)).await.is_err() {
            break;
        }
    }
    client.socket.flush().await.ok();
    assert_eq!(client.closed().await.0, 1009);
}

#[tokio::test]
async fn text_that_is_not_utf8_closes_with_1007() {
    let toy = toy().await;
    let mut client = connect_as(toy.address, None).await;
    let frame = Frame::message(vec![0xFF, 0xFE], OpCode::Data(Data::Text), true);
    client.send_raw(Message::Frame(frame)).await;
    assert_eq!(client.closed().await.0, 1007);
}

#[tokio::test]
async fn bytes_that_are_no_frames_close_with_1002() {
    let toy = toy().await;
    let mut client = connect(toy.address).await;
    client.socket.get_mut().write_all(&[0xFF; 16]).await.unwrap();
    assert_eq!(client.closed().await.0, 1002);
}

#[tokio::test]
async fn subscriptions_beyond_the_cap_get_an_error_that_names_it() {
    let toy = toy_with(|options, _| options.socket.operations_max = 2).await;
    let mut client = connect_as(toy.address, None).await;
    for id in ["1", "2", "3"] {
        client.subscribe(id, "subscription{silence}").await;
    }
    let message = client.receive().await;
    assert_eq!((&message["type"], &message["id"]), (&json!("error"), &json!("3")));
    assert_eq!(message["payload"][0]["extensions"]["code"], "TOO_MANY_SUBSCRIPTIONS");
    assert!(message["payload"][0]["message"].as_str().unwrap().contains(" 2 "), "{message}");
    client.send(json!({"type": "complete", "id": "1"})).await;
    toy.probe.dropped.notified().await;
    client.subscribe("3", "{hello}").await;
    assert_eq!(client.receive().await["type"], "next");
}

#[tokio::test]
async fn a_flood_of_pings_closes_with_1008() {
    let toy = toy().await;
    for protocol in [true, false] {
        let mut client = connect_as(toy.address, None).await;
        for _ in 0..=100 {
            let ping = if protocol {
                Message::text(r#"{"type":"ping"}"#)
            } else {
                Message::Ping("".into())
            };
            client.socket.feed(ping).await.unwrap();
        }
        client.socket.flush().await.unwrap();
        assert_eq!(client.closed().await.0, 1008);
    }
}

#[tokio::test]
async fn a_peer_that_misses_two_pings_is_gone() {
    let toy = toy_with(|options, _| options.socket.ping_interval = Duration::from_millis(20)).await;
    let mut client = connect_as(toy.address, None).await;
    client.subscribe("1", "subscription{silence}").await;
    client.socket.flush().await.unwrap();
    // A client that is not polled answers no ping.
    toy.probe.dropped.notified().await;
}

#[tokio::test]
async fn a_peer_that_is_gone_without_a_word_is_noticed_within_two_intervals_of_pings() {
    let toy = toy_with(|options, _| {
        options.socket.ping_interval = Duration::from_secs(1);
        options.socket.pong_deadline = Duration::from_millis(200);
    })
    .await;
    let mut client = connect_as(toy.address, None).await;
    let began = Instant::now();
    // It reads the pings, and answers none.
    let stream = client.socket.get_mut();
    let (mut pings, mut first) = (0, Duration::ZERO);
    let mut ping = [0; 2];
    while stream.read_exact(&mut ping).await.is_ok() {
        assert_eq!(ping, [0x89, 0]);
        pings += 1;
        if pings == 1 {
            first = began.elapsed();
        }
    }
    assert_eq!(pings, 2);
    assert!(began.elapsed() < 2 * first, "{:?} after a first ping at {first:?}", began.elapsed());
}

#[tokio::test]
async fn a_session_is_connected_until_its_socket_closes_or_misses_two_pings() {
    let toy = toy_with(|options, _| options.socket.ping_interval = Duration::from_millis(20)).await;
    let mut connected = toy.probe.connected.subscribe();
    let count = async |connected: &mut tokio::sync::watch::Receiver<usize>, wanted: usize| {
        let reached = connected.wait_for(|count| *count == wanted);
        tokio::time::timeout(Duration::from_secs(30), reached).await.unwrap().unwrap();
    };
    let silent = connect(toy.address).await;
    assert_eq!(*connected.borrow_and_update(), 0, "nobody has said who she is");
    // A client that is not polled answers no ping.
    let gone = connect_as(toy.address, Some("good")).await;
    count(&mut connected, 1).await;
    count(&mut connected, 0).await;
    let mut closes = connect_as(toy.address, Some("good")).await;
    count(&mut connected, 1).await;
    closes.socket.close(None).await.unwrap();
    count(&mut connected, 0).await;
    drop((silent, gone));
}

#[tokio::test]
async fn a_peer_that_answers_pings_stays() {
    let toy = toy_with(|options, _| options.socket.ping_interval = Duration::from_millis(10)).await;
    let mut client = connect_as(toy.address, None).await;
    for _ in 0..6 {
        assert!(matches!(client.socket.next().await.unwrap().unwrap(), Message::Ping(_)));
        client.socket.flush().await.unwrap();
    }
}

#[tokio::test]
async fn a_reader_that_never_reads_is_closed_and_costs_no_more_than_the_queue() {
    const CHUNK: usize = 16 * 1024;
    let deadline = Duration::from_millis(100);
    let toy = toy_with(|options, _| options.socket.write_deadline = deadline).await;
    let mut client = connect_as(toy.address, None).await;
    client.subscribe("1", &format!("subscription{{flood(bytes:{CHUNK})}}")).await;
    toy.probe.dropped.notified().await;
    // The server made only what fits into the kernel's buffers and our queue, however long the
    // client does not read.
    let made = toy.probe.chunks.load(Ordering::SeqCst) * CHUNK;
    assert!(made < 2 * 1024 * 1024, "{made} bytes were made for nobody");
}

#[tokio::test]
async fn a_slow_reader_that_comes_back_is_told_why() {
    const CHUNK: usize = 16 * 1024;
    let toy = toy_with(|options, _| {
        options.socket.write_deadline = Duration::from_millis(100);
        options.socket.close_deadline = Duration::from_secs(10);
    })
    .await;
    let mut client = connect_as(toy.address, None).await;
    client.subscribe("1", &format!("subscription{{flood(bytes:{CHUNK})}}")).await;
    toy.probe.dropped.notified().await;
    let (code, reason) = client.closed().await;
    assert_eq!(code, 4008);
    assert!(reason.starts_with("SLOW_CONSUMER"), "{reason}");
}

#[tokio::test]
async fn a_slow_reader_is_told_the_position_of_what_it_gets_before_the_end() {
    let toy =
        toy_with(|options, _| options.socket.write_deadline = Duration::from_millis(100)).await;
    let mut client = connect_as(toy.address, None).await;
    client.subscribe("1", "subscription{pages(after:100,bytes:9000)}").await;
    toy.probe.dropped.notified().await;
    let (mut last, mut expected) = (String::new(), 100);
    let reason = loop {
        match client.next().await {
            Ok(message) => {
                let page = message["payload"]["data"]["pages"].as_str().unwrap();
                page.split_once(' ').unwrap().0.clone_into(&mut last);
                expected += 1;
                assert_eq!(last, expected.to_string(), "every page once and in order");
            }
            Err((code, reason)) => break (code, reason),
        }
    };
    assert_eq!(reason, (4008, format!("SLOW_CONSUMER: resume from {last}")));
}

#[tokio::test]
async fn with_many_subscriptions_the_position_is_that_of_the_oldest_need() {
    let toy =
        toy_with(|options, _| options.socket.write_deadline = Duration::from_millis(100)).await;
    let mut client = connect_as(toy.address, None).await;
    // A finished one needs nothing.
    client.subscribe("over", "subscription{count(to:3)}").await;
    while client.receive().await["type"] != "complete" {}
    for (id, after) in [("late", 50_000), ("early", 100)] {
        client.subscribe(id, &format!("subscription{{pages(after:{after},bytes:9000)}}")).await;
    }
    while client.receive().await["id"] != "early" {}
    toy.probe.dropped.notified().await;
    let mut last = 101.to_string();
    let (code, reason) = loop {
        match client.next().await {
            Ok(message) if message["id"] == "early" => {
                let page = message["payload"]["data"]["pages"].as_str().unwrap();
                page.split_once(' ').unwrap().0.clone_into(&mut last);
            }
            Ok(_) => {}
            Err(closed) => break closed,
        }
    };
    assert_eq!((code, reason), (4008, format!("SLOW_CONSUMER: resume from {last}")));
}

#[tokio::test]
async fn where_nobody_knows_a_position_the_client_is_left_to_its_own() {
    let toy =
        toy_with(|options, _| options.socket.write_deadline = Duration::from_millis(100)).await;
    let mut client = connect_as(toy.address, None).await;
    client.subscribe("unknown", "subscription{flood(bytes:9000)}").await;
    client.receive().await;
    client.subscribe("known", "subscription{pages(after:100,bytes:9000)}").await;
    toy.probe.dropped.notified().await;
    let reason = "SLOW_CONSUMER: resume from your last position";
    assert_eq!(client.closed().await, (4008, reason.to_owned()));
}

#[tokio::test]
async fn a_busy_subscription_does_not_keep_the_client_from_being_heard() {
    let toy = toy().await;
    let mut client = connect_as(toy.address, None).await;
    client.subscribe("busy", "subscription{flood(bytes:100)}").await;
    client.subscribe("other", "{hello}").await;
    while client.receive().await["id"] != "other" {}
    client.send(json!({"type": "complete", "id": "busy"})).await;
    tokio::join!(toy.probe.dropped.notified(), async {
        // The client keeps reading, so that the server is never blocked.
        client.subscribe("last", "{hello}").await;
        while client.receive().await["id"] != "last" {}
    });
}
