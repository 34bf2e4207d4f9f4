//! graphql-sse: one connection for all operations of a client.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};

use crate::clients::http::{Answer, Request};
use crate::clients::stream::Streaming;
use crate::toy::{Toy, toy, toy_with};

const TOKEN: &str = "X-GraphQL-Event-Stream-Token";
const GOOD: &str = "Bearer good";
const GRAPHQL: &str = "application/graphql-response+json";

pub(crate) async fn reserve(address: SocketAddr, authorization: &str) -> String {
    let request = Request::get("/graphql").method("PUT").header("Authorization", authorization);
    let answer = request.send(address).await;
    assert_eq!((answer.status, answer.header("cache-control")), (201, Some("no-store")));
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    answer.body
}

pub(crate) fn opening(token: &str) -> Request {
    Request::get(format!("/graphql?token={token}")).header("Accept", "text/event-stream")
}

pub(crate) async fn open(toy: &Toy) -> (String, Streaming) {
    let token = reserve(toy.address, GOOD).await;
    let mut stream = Streaming::open(toy.address, opening(&token)).await;
    stream.until(":\n\n").await;
    (token, stream)
}

fn operation(token: &str, id: &str, query: &str) -> Request {
    posted(token, &json!({"query": query, "extensions": {"operationId": id}}))
}

/// An operation with a complete body.
pub(crate) fn posted(token: &str, body: &Value) -> Request {
    let request = Request::post(body.to_string()).header(TOKEN, token);
    request.header("Authorization", GOOD).header("Accept", GRAPHQL)
}

async fn operate(toy: &Toy, token: &str, id: &str, query: &str) -> Answer {
    operation(token, id, query).send(toy.address).await
}

fn stopping(token: &str, id: &str) -> Request {
    let request = Request::get(format!("/graphql?operationId={id}")).method("DELETE");
    request.header(TOKEN, token).header("Authorization", GOOD)
}

#[tokio::test]
async fn operations_are_accepted_and_answered_on_the_stream() {
    let toy = toy().await;
    let (token, mut stream) = open(&toy).await;
    let accepted = operate(&toy, &token, "s", "subscription{count(to:2)}").await;
    assert_eq!((accepted.status, &*accepted.body), (202, ""));
    assert_eq!(
        stream.until("complete\ndata: {\"id\":\"s\"}\n\n").await,
        "event: next\ndata: {\"id\":\"s\",\"payload\":{\"data\":{\"count\":1}}}\n\n\
         event: next\ndata: {\"id\":\"s\",\"payload\":{\"data\":{\"count\":2}}}\n\n\
         event: complete\ndata: {\"id\":\"s\"}\n\n"
    );
    for (query, result) in [("{user}", "{\"user\":\"ada\"}"), ("mutation{bump}", "{\"bump\":1}")] {
        assert_eq!(operate(&toy, &token, "q", query).await.status, 202);
        let events = stream.until("complete\ndata: {\"id\":\"q\"}\n\n").await;
        assert!(events.contains(&format!("\"payload\":{{\"data\":{result}")), "{events}");
    }
}

#[tokio::test]
async fn an_operation_is_stopped_by_its_id_and_the_others_go_on() {
    let toy = toy().await;
    let (token, mut stream) = open(&toy).await;
    assert_eq!(operate(&toy, &token, "s", "subscription{silence}").await.status, 202);
    let twice = operate(&toy, &token, "s", "{hello}").await;
    assert_eq!((twice.status, twice.code()), (409, "OPERATION_ID_TAKEN".into()));
    assert_eq!(stopping(&token, "s").send(toy.address).await.status, 200);
    toy.probe.dropped.notified().await;
    assert_eq!(stopping(&token, "never").send(toy.address).await.status, 200);
    assert_eq!(operate(&toy, &token, "s", "{hello}").await.status, 202);
    stream.until("\"world\"").await;
}

#[tokio::test]
async fn what_cannot_be_executed_is_answered_to_its_request() {
    let toy = toy().await;
    let (token, mut stream) = open(&toy).await;
    for (query, code) in [
        ("{hello", "GRAPHQL_PARSE_FAILED"),
        ("{nothing}", "GRAPHQL_VALIDATION_FAILED"),
        ("mutation{nothing}", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription{nothing}", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription{a b}", "GRAPHQL_VALIDATION_FAILED"),
        ("query($n:Int!){same(number:$n)}", "BAD_USER_INPUT"),
    ] {
        let answer = operate(&toy, &token, "x", query).await;
        assert_eq!((answer.status, &*answer.code()), (400, code), "{query}");
    }
    let anonymous = Request::query("{hello}").header(TOKEN, &token).header("Authorization", GOOD);
    assert_eq!(anonymous.send(toy.address).await.code(), "BAD_REQUEST");
    // Later errors are events.
    for (query, code) in
        [("subscription{unknownPosition}", "POSITION_UNKNOWN"), ("{panics}", "INTERNAL")]
    {
        assert_eq!(operate(&toy, &token, "x", query).await.status, 202, "{query}");
        let events = stream.until("complete\ndata: {\"id\":\"x\"}\n\n").await;
        assert!(events.contains(code) && !events.contains("secret"), "{events}");
    }
}

#[tokio::test]
async fn a_reservation_is_for_one_stream_and_gone_with_it() {
    let toy = toy().await;
    let (token, stream) = open(&toy).await;
    let again = opening(&token).send(toy.address).await;
    assert_eq!((again.status, again.code()), (409, "STREAM_TAKEN".into()));
    assert_eq!(operate(&toy, &token, "s", "subscription{silence}").await.status, 202);
    drop(stream);
    toy.probe.dropped.notified().await;
    let mut connected = toy.probe.connected.subscribe();
    connected.wait_for(|count| *count == 0).await.unwrap();
    for request in [opening(&token), operation(&token, "x", "{hello}"), stopping(&token, "s")] {
        let answer = request.send(toy.address).await;
        assert_eq!((answer.status, answer.code()), (404, "STREAM_UNKNOWN".into()));
    }
}

#[tokio::test]
async fn a_token_alone_opens_the_stream_and_does_nothing_else() {
    let toy = toy().await;
    let token = reserve(toy.address, GOOD).await;
    let other = opening(&token).header("Authorization", "Bearer other");
    assert_eq!(other.send(toy.address).await.status, 404);
    let mut stream = Streaming::open(toy.address, opening(&token)).await;
    stream.until(":\n\n").await;
    // A caller without a login has no reservation; and an invalid token is refused before anything
    // is looked up.
    for (authorization, status) in
        [("", 404), ("Bearer other", 401), ("Bearer stale", 401), ("Basic x", 401)]
    {
        let act = operation(&token, "x", "mutation{bump}").header("Authorization", authorization);
        assert_eq!(act.send(toy.address).await.status, status, "{authorization}");
        let stop = stopping(&token, "x").header("Authorization", authorization);
        assert_eq!(stop.send(toy.address).await.status, status, "{authorization}");
    }
    assert_eq!(toy.probe.bumps.load(std::sync::atomic::Ordering::SeqCst), 0);
    let stale = Request::get("/graphql").method("PUT").header("Authorization", "Bearer stale");
    assert_eq!(stale.send(toy.address).await.status, 401);
}

#[tokio::test]
async fn an_operation_that_is_early_waits_for_the_stream() {
    let toy = toy().await;
    let token = reserve(toy.address, GOOD).await;
    let early = operate(&toy, &token, "e", "{hello}");
    tokio::pin!(early);
    assert!(futures_util::poll!(&mut early).is_pending());
    let mut stream = Streaming::open(toy.address, opening(&token)).await;
    assert_eq!(early.await.status, 202);
    stream.until("\"world\"").await;
}

#[tokio::test]
async fn tokens_of_any_length_that_were_never_given_are_404() {
    let toy = toy().await;
    for token in ["0", &"f".repeat(32), &"x".repeat(50_000)] {
        assert_eq!(operate(&toy, token, "x", "{hello}").await.status, 404);
    }
}

#[tokio::test]
async fn a_stream_has_a_cap_of_operations() {
    let toy = toy_with(|options, _| options.socket.operations_max = 2).await;
    let (token, _stream) = open(&toy).await;
    for (id, status) in [("1", 202), ("2", 202), ("3", 400)] {
        let answer = operate(&toy, &token, id, "subscription{silence}").await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
}

#[tokio::test]
async fn answers_for_a_stream_that_nobody_reads_do_not_pile_up() {
    let toy = toy_with(|options, _| options.execution_deadline = Duration::from_millis(300)).await;
    let (token, stream) = open(&toy).await;
    // The buffers of the kernel and four answers fit.
    for number in 0..60 {
        let id = number.to_string();
        let answer = operate(&toy, &token, &id, "{repeated(times:100000)}").await;
        if answer.status != 202 {
            assert_eq!(answer.code(), "TIMEOUT");
            drop(stream);
            return;
        }
    }
    panic!("66 MB of answers wait");
}

#[tokio::test]
async fn logout_ends_every_operation_and_the_stream() {
    let toy = toy().await;
    let (token, mut stream) = open(&toy).await;
    for id in ["1", "2"] {
        assert_eq!(operate(&toy, &token, id, "subscription{silence}").await.status, 202);
    }
    toy.probe.revoked.send_replace(true);
    let text = stream.rest().await;
    assert_eq!(text.matches("UNAUTHENTICATED").count(), 2, "{text}");
    assert_eq!(text.matches("event: complete").count(), 2, "{text}");
}
