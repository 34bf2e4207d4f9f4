//! graphql-sse: a connection for each operation.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::clients::http::Request;
use crate::clients::stream::Streaming;
use crate::toy::{toy, toy_with};

fn events(query: &str) -> Request {
    Request::query(query).header("Accept", "text/event-stream")
}

#[tokio::test]
async fn a_subscription_is_a_stream_of_events_with_an_end() {
    let toy = toy().await;
    let mut stream = Streaming::open(toy.address, events("subscription{count(to:2)}")).await;
    assert!(stream.head.starts_with("HTTP/1.1 200 "), "{}", stream.head);
    for header in [
        "content-type: text/event-stream; charset=utf-8",
        "cache-control: no-store, no-transform",
        "x-accel-buffering: no",
    ] {
        assert!(stream.head.contains(header), "{}", stream.head);
    }
    assert_eq!(
        stream.rest().await,
        ":\n\nevent: next\ndata: {\"data\":{\"count\":1}}\n\n\
         event: next\ndata: {\"data\":{\"count\":2}}\n\nevent: complete\ndata:\n\n"
    );
}

#[tokio::test]
async fn queries_and_mutations_are_streams_for_those_who_read_nothing_else() {
    let toy = toy().await;
    let mut stream = Streaming::open(toy.address, events("{hello}")).await;
    let end = "event: complete\ndata:\n\n";
    assert_eq!(
        stream.until(end).await,
        format!(":\n\nevent: next\ndata: {{\"data\":{{\"hello\":\"world\"}}}}\n\n{end}")
    );
    Streaming::open(toy.address, events("mutation{bump}")).await.until(end).await;
    assert_eq!(toy.probe.bumps.load(Ordering::SeqCst), 1);
    // urql accepts both: one answer is one body, a stream is a stream.
    let any = "application/json, text/event-stream, multipart/mixed";
    let answer = Request::query("{hello}").header("Accept", any).send(toy.address).await;
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    let request = Request::query("subscription{count(to:1)}").header("Accept", any);
    let stream = Streaming::open(toy.address, request).await;
    assert!(stream.head.contains("text/event-stream"), "{}", stream.head);
}

#[tokio::test]
async fn an_event_source_subscribes_by_get_and_cannot_act() {
    let toy = toy().await;
    let get = |query: &str| {
        Request::get(format!("/graphql?query={query}")).header("Accept", "text/event-stream")
    };
    let mut stream = Streaming::open(toy.address, get("subscription%7Bcount(to:1)%7D")).await;
    assert!(stream.rest().await.ends_with("event: complete\ndata:\n\n"));
    assert_eq!(get("mutation%7Bbump%7D").send(toy.address).await.status, 405);
    assert_eq!(toy.probe.bumps.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_is_wrong_with_an_operation_is_an_event() {
    let toy = toy().await;
    for (query, code) in [
        ("{hello", "GRAPHQL_PARSE_FAILED"),
        ("{nothing}", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription{nothing}", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription{count(to:1) silence}", "GRAPHQL_VALIDATION_FAILED"),
        ("{...f}fragment f on Query{...f}", "FRAGMENT_CYCLE"),
        ("subscription{unknownPosition}", "POSITION_UNKNOWN"),
        ("subscription{panics}", "INTERNAL"),
        ("{panics}", "INTERNAL"),
    ] {
        let mut stream = Streaming::open(toy.address, events(query)).await;
        assert!(stream.head.starts_with("HTTP/1.1 200 "), "{query} {}", stream.head);
        let text = stream.rest().await;
        let text = text.trim_start_matches(":\n\n");
        assert!(text.starts_with("event: next\ndata: {\"errors\":["), "{query}: {text}");
        assert!(text.contains(&format!("\"code\":\"{code}\"")), "{query}: {text}");
        assert!(text.ends_with("\n\nevent: complete\ndata:\n\n"), "{query}: {text}");
        assert!(!text.contains("secret"), "{text}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_a_status() {
    let toy = toy().await;
    let ask = |request: Request| request.header("Accept", "text/event-stream").send(toy.address);
    assert_eq!(ask(Request::post("{")).await.status, 400);
    assert_eq!(ask(events("{hello}").header("Content-Type", "text/plain")).await.status, 415);
    for (token, status) in [("Bearer stale", 401), ("Bearer down", 503)] {
        let request = events("subscription{silence}").header("Authorization", token);
        assert_eq!(ask(request).await.status, status);
    }
}

#[tokio::test]
async fn an_idle_stream_shows_signs_of_life() {
    let interval = Duration::from_millis(10);
    let toy = toy_with(|options, _| options.streams.heartbeat_interval = interval).await;
    let mut stream = Streaming::open(toy.address, events("subscription{silence}")).await;
    for _ in 0..5 {
        assert_eq!(stream.until("\n\n").await, ":\n\n");
    }
}

#[tokio::test]
async fn a_stream_ends_with_its_session_and_nothing_comes_after() {
    let toy = toy().await;
    let request = events("subscription{silence}").header("Authorization", "Bearer good");
    let mut stream = Streaming::open(toy.address, request).await;
    stream.until(":\n\n").await;
    let mut connected = toy.probe.connected.subscribe();
    assert_eq!(*connected.borrow_and_update(), 1, "who has a stream is there");
    toy.probe.revoked.send_replace(true);
    let text = stream.rest().await;
    assert!(text.starts_with("event: next\ndata: {\"errors\":[{"), "{text}");
    assert!(text.contains("UNAUTHENTICATED") && text.ends_with("event: complete\ndata:\n\n"));
    toy.probe.dropped.notified().await;
    connected.wait_for(|count| *count == 0).await.unwrap();
}

#[tokio::test]
async fn shutdown_ends_streams_without_complete_so_that_clients_come_back() {
    let toy = toy().await;
    let mut stream = Streaming::open(toy.address, events("subscription{silence}")).await;
    stream.until(":\n\n").await;
    toy.shutdown.request();
    assert_eq!(stream.rest().await, "");
    toy.shutdown.drained().await;
}

#[tokio::test]
async fn pages_of_foreign_origins_open_no_streams() {
    let listed = "https://chat.example";
    let toy = toy_with(|options, _| options.allowed_origins = vec![listed.into()]).await;
    let evil = events("subscription{count(to:1)}").header("Origin", "https://evil.example");
    let answer = evil.send(toy.address).await;
    assert_eq!((answer.status, answer.code()), (403, "ORIGIN_FORBIDDEN".into()));
    let own = events("subscription{count(to:1)}").header("Origin", listed);
    let stream = Streaming::open(toy.address, own).await;
    assert!(stream.head.contains("access-control-allow-origin: https://chat.example"));
}
