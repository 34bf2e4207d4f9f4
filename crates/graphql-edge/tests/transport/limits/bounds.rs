//! The resources of one address, one stranger and one user: they are bounded, and keep nobody else
//! out.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use rookery_graphql_edge::{Rate, TransportOptions};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::clients::http::Request;
use crate::clients::socket::{Client, connect, connect_as};
use crate::clients::stream::Streaming;
use crate::streams::limits::FORMS;
use crate::streams::single::{opening, reserve};
use crate::toy::{toy, toy_with};

const SILENCE: &str = "subscription{silence}";

async fn connected(address: SocketAddr, sent: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(sent.as_bytes()).await.unwrap();
    stream
}

/// A stranger who is served at once, whatever other connections exist.
async fn is_served(address: SocketAddr) {
    let answer = timeout(Duration::from_secs(10), Request::query("{hello}").send(address)).await;
    assert_eq!(answer.expect("others are kept out").status, 200);
}

#[tokio::test]
async fn half_sent_heads_and_slow_bodies_keep_nobody_out() {
    let head = "POST /graphql HTTP/1.1\r\nHost: x\r\n";
    let body = format!("{head}Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{{");
    for sent in [head, &body] {
        let toy = toy_with(|_, serving| serving.connections_max = 16).await;
        let mut taken = Vec::new();
        for _ in 0..100 {
            taken.push(connected(toy.address, sent).await);
        }
        is_served(toy.address).await;
        // The oldest of them made room.
        let mut rest = Vec::new();
        let read = timeout(Duration::from_secs(10), taken[0].read_to_end(&mut rest)).await;
        assert!(read.is_ok() && rest.is_empty());
    }
}

#[tokio::test]
async fn a_connection_on_which_nobody_logs_in_ends_with_an_answer() {
    let toy = toy_with(|_, serving| serving.stranger_lifetime = Duration::ZERO).await;
    let ask = |authorization: &str| {
        format!("GET /graphql?query=%7Bhello%7D HTTP/1.1\r\nHost: x\r\n{authorization}\r\n")
    };
    let mut stranger = connected(toy.address, &ask("")).await;
    let mut answer = String::new();
    stranger.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("world") && answer.contains("connection: close"), "{answer}");
    let ask = ask("Authorization: Bearer good\r\n");
    let mut user = connected(toy.address, &ask).await;
    for _ in 0..3 {
        let mut buffer = [0; 4096];
        let read = user.read(&mut buffer).await.unwrap();
        assert!(String::from_utf8_lossy(&buffer[..read]).contains("world"));
        user.write_all(ask.as_bytes()).await.unwrap();
    }
}

async fn refused(address: SocketAddr, token: Option<&str>) -> (u16, String) {
    let mut client = connect(address).await;
    client.send(json!({"type": "connection_init", "payload": {"token": token}})).await;
    client.closed().await
}

#[tokio::test]
async fn sockets_of_strangers_and_of_users_are_bounded_and_named() {
    let toy = toy_with(|options, _| {
        options.callers.stranger_sockets_max = 2;
        options.callers.user_sockets_max = 3;
    })
    .await;
    let address = toy.address;
    let mut strangers = vec![connect_as(address, None).await, connect_as(address, None).await];
    let (code, reason) = refused(address, None).await;
    assert_eq!((code, reason.split(':').next()), (1013, Some("TOO_MANY_SOCKETS")));
    let mut users: Vec<Client> = Vec::new();
    for _ in 0..3 {
        users.push(connect_as(address, Some("good")).await);
    }
    let (code, reason) = refused(address, Some("good")).await;
    assert_eq!((code, reason.split(':').next()), (1013, Some("TOO_MANY_SOCKETS")));
    // Streams count as well.
    for form in FORMS {
        for authorization in ["", "Bearer good"] {
            let request = Request::query(SILENCE).header("Accept", form);
            let answer = request.header("Authorization", authorization).send(address).await;
            assert_eq!((answer.status, &*answer.code()), (429, "TOO_MANY_SOCKETS"));
        }
    }
    for closing in [strangers.pop().unwrap(), users.pop().unwrap()] {
        let Client { mut socket } = closing;
        socket.close(None).await.unwrap();
        while futures_util::StreamExt::next(&mut socket).await.is_some() {}
    }
    connect_as(address, None).await;
    connect_as(address, Some("good")).await;
}

#[tokio::test]
async fn a_socket_on_which_nobody_logs_in_is_closed_however_many_pings_it_sends() {
    let lifetime = Duration::from_millis(100);
    let toy = toy_with(|options, _| options.callers.stranger_lifetime = lifetime).await;
    let mut user = connect_as(toy.address, Some("good")).await;
    let mut stranger = connect_as(toy.address, None).await;
    let closed = loop {
        match stranger.next().await {
            Ok(_) => stranger.send(json!({"type": "ping"})).await,
            Err(closed) => break closed,
        }
    };
    assert_eq!(closed.0, 4401);
    assert!(closed.1.starts_with("LOGIN_TIMEOUT"), "{}", closed.1);
    let request = Request::query(SILENCE).header("Accept", FORMS[0]);
    let mut stream = Streaming::open(toy.address, request).await;
    assert!(stream.rest().await.contains("UNAUTHENTICATED"));
    user.subscribe("1", "{hello}").await;
    assert_eq!(user.receive().await["type"], "next");
}

#[tokio::test]
async fn subscriptions_are_bounded_for_each_user_and_not_only_for_each_socket() {
    let toy = toy_with(|options, _| options.callers.user_subscriptions_max = 2).await;
    let mut one = connect_as(toy.address, Some("good")).await;
    let mut other = connect_as(toy.address, Some("good")).await;
    one.subscribe("1", SILENCE).await;
    one.subscribe("2", "{hello}").await;
    while one.receive().await["type"] != "complete" {}
    other.subscribe("2", SILENCE).await;
    other.subscribe("3", SILENCE).await;
    let message = other.receive().await;
    assert_eq!((&message["type"], &message["id"]), (&json!("error"), &json!("3")));
    assert_eq!(message["payload"][0]["extensions"]["code"], "TOO_MANY_SUBSCRIPTIONS");
    one.send(json!({"type": "complete", "id": "1"})).await;
    toy.probe.dropped.notified().await;
    other.subscribe("3", "subscription{count(to:1)}").await;
    assert_eq!(other.receive().await["type"], "next");
}

#[tokio::test]
async fn a_stranger_who_reserves_streams_pushes_out_those_of_nobody_else() {
    let toy = toy_with(|options, _| {
        options.streams.reservations_max = 20;
        options.callers.reservations_max = 4;
    })
    .await;
    let token = reserve(toy.address, "Bearer good").await;
    let first = reserve(toy.address, "").await;
    for _ in 0..50 {
        reserve(toy.address, "").await;
    }
    assert_eq!(opening(&first).send(toy.address).await.code(), "STREAM_UNKNOWN");
    let mut stream = Streaming::open(toy.address, opening(&token)).await;
    stream.until(":\n\n").await;
}

fn poor(options: &mut TransportOptions) {
    options.rate = Some(Rate { per_second: 1, burst: 1_000 });
    options.cost_max = 1;
    options.clock = || Duration::from_secs(1_700_000_000);
}

#[tokio::test]
async fn reservations_refusals_and_invalid_documents_cost_something() {
    let put = || Request::get("/graphql").method("PUT");
    let asked: [fn() -> Request; 4] = [
        || Request::query("{"),
        || Request::query("{nothing}"),
        || Request::post("{"),
        || Request::query("{hello}").header("Authorization", "Bearer other"),
    ];
    for ask in asked.into_iter().chain([put as fn() -> Request]) {
        let toy = toy_with(|options, _| poor(options)).await;
        let mut limited = 0;
        for _ in 0..20 {
            limited += usize::from(ask().send(toy.address).await.status == 429);
        }
        assert!(limited >= 9, "{limited}");
        // The limits of one caller do not affect another.
        let user = Request::query("{hello}").header("Authorization", "Bearer good");
        assert_eq!(user.send(toy.address).await.status, 200);
    }
}

fn by_hash(query: &str, sends: bool) -> Request {
    let hash = Sha256::digest(query).iter().fold(String::new(), |mut hash, byte| {
        write!(hash, "{byte:02x}").unwrap();
        hash
    });
    let named = json!({"persistedQuery": {"version": 1, "sha256Hash": hash}});
    let query = if sends { Value::from(query) } else { Value::Null };
    Request::post(json!({"query": query, "extensions": named}).to_string())
}

#[tokio::test]
async fn invalid_documents_are_not_kept_and_those_of_strangers_push_out_none_of_users() {
    let toy = toy().await;
    let kept = async |query: &str| {
        by_hash(query, false).send(toy.address).await.code() != "PERSISTED_QUERY_NOT_FOUND"
    };
    let user = by_hash("{hello}", true).header("Authorization", "Bearer good");
    assert_eq!(user.send(toy.address).await.status, 200);
    for number in 0..300 {
        by_hash(&format!("{{a{number}:hello}}"), true).send(toy.address).await;
    }
    assert!(kept("{hello}").await && kept("{a299:hello}").await && !kept("{a0:hello}").await);
    by_hash("{nothing}", true).send(toy.address).await;
    assert!(!kept("{nothing}").await);
    let mut client = connect_as(toy.address, None).await;
    for query in ["subscription{nothing}", "subscription{count(to:1)}"] {
        let payload: Value = serde_json::from_slice(by_hash(query, true).body()).unwrap();
        client.send(json!({"type": "subscribe", "id": "1", "payload": payload})).await;
        while !["complete", "error"].contains(&client.receive().await["type"].as_str().unwrap()) {}
    }
    assert!(!kept("subscription{nothing}").await && kept("subscription{count(to:1)}").await);
}
