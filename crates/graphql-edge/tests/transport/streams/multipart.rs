//! Multipart subscriptions.

use std::time::Duration;

use serde_json::Value;

use crate::clients::http::Request;
use crate::clients::stream::Streaming;
use crate::toy::{toy, toy_with};

/// The header of Apollo Client 4.
const ACCEPT: &str = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json";

fn parts(query: &str) -> Request {
    Request::query(query).header("Accept", ACCEPT)
}

/// The JSON of each part, as Apollo Client reads it.
fn read(text: &str) -> Vec<Value> {
    let (parts, end) = text.rsplit_once("\r\n--graphql--").unwrap();
    assert_eq!(end, "\r\n");
    let mut parts = parts.split("\r\n--graphql");
    assert_eq!(parts.next(), Some(""));
    parts
        .map(|part| {
            let (head, body) = part.split_once("\r\n\r\n").unwrap();
            assert_eq!(head, "\r\nContent-Type: application/json");
            serde_json::from_str(body).unwrap()
        })
        .collect()
}

#[tokio::test]
async fn each_result_is_a_part_and_the_boundary_follows_at_once() {
    let toy = toy().await;
    let mut stream = Streaming::open(toy.address, parts("subscription{count(to:2)}")).await;
    let content_type =
        "content-type: multipart/mixed; boundary=\"graphql\"; subscriptionSpec=\"1.0\"";
    assert!(stream.head.contains(content_type), "{}", stream.head);
    let first = "{\"payload\":{\"data\":{\"count\":1}}}\r\n--graphql";
    let mut text = stream.until(first).await;
    text += &stream.rest().await;
    let read = read(&text);
    assert_eq!(read[1], serde_json::json!({"payload": {"data": {"count": 2}}}));
    assert_eq!(read.len(), 2);
}

#[tokio::test]
async fn errors_of_the_operation_are_in_the_payload_and_faults_beside_it() {
    let toy = toy().await;
    for (query, place, code) in [
        ("subscription{unknownPosition}", "/payload/errors/0", "POSITION_UNKNOWN"),
        ("subscription{nothing}", "/payload/errors/0", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription{count(to:1) silence}", "/payload/errors/0", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription{panics}", "/errors/0", "INTERNAL"),
    ] {
        let mut stream = Streaming::open(toy.address, parts(query)).await;
        let read = read(&stream.rest().await);
        assert_eq!(read.len(), 1, "{read:?}");
        let error = read[0].pointer(place).unwrap_or_else(|| panic!("{read:?}"));
        assert_eq!(error["extensions"]["code"], code, "{query}");
    }
    // A refusal of the gate is not a stream: Apollo reads it as the result.
    let answer = parts("subscription{a(}").send(toy.address).await;
    assert_eq!((answer.status, answer.code()), (200, "GRAPHQL_PARSE_FAILED".into()));
    let stale = parts("subscription{silence}").header("Authorization", "Bearer stale");
    assert_eq!(stale.send(toy.address).await.status, 401);
}

#[tokio::test]
async fn an_idle_stream_has_empty_parts() {
    let interval = Duration::from_millis(10);
    let toy = toy_with(|options, _| options.streams.heartbeat_interval = interval).await;
    let mut stream = Streaming::open(toy.address, parts("subscription{silence}")).await;
    assert_eq!(stream.until("--graphql").await, "\r\n--graphql");
    for _ in 0..3 {
        let part = stream.until("--graphql").await;
        assert_eq!(part, "\r\nContent-Type: application/json\r\n\r\n{}\r\n--graphql");
    }
}

#[tokio::test]
async fn shutdown_and_logout_are_told_as_apollo_would_take_an_end_for_completion() {
    for (revoke, code) in [(true, "UNAUTHENTICATED"), (false, "UNAVAILABLE")] {
        let toy = toy().await;
        let request = parts("subscription{silence}").header("Authorization", "Bearer good");
        let mut stream = Streaming::open(toy.address, request).await;
        let mut text = stream.until("--graphql").await;
        if revoke {
            toy.probe.revoked.send_replace(true);
        } else {
            toy.shutdown.request();
        }
        text += &stream.rest().await;
        let read = read(&text);
        assert_eq!(read[0]["payload"], Value::Null);
        assert_eq!(read[0]["errors"][0]["extensions"]["code"], code);
        toy.probe.dropped.notified().await;
    }
}

#[tokio::test]
async fn what_does_not_go_on_is_no_multipart() {
    let toy = toy().await;
    let answer = parts("{hello}").send(toy.address).await;
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    let only = Request::query("{hello}").header("Accept", "multipart/mixed;subscriptionSpec=1.0");
    assert_eq!(only.send(toy.address).await.status, 406);
}
