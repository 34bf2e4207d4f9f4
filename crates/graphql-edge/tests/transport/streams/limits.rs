//! The limits of event streams and multipart answers.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::clients::http::Request;
use crate::clients::stream::Streaming;
use crate::toy::{toy, toy_with};

pub(crate) const FORMS: [&str; 2] = ["text/event-stream", "multipart/mixed;subscriptionSpec=1.0"];

fn subscribe(query: &str, form: &str) -> Request {
    Request::query(query).header("Accept", form)
}

#[tokio::test]
async fn a_reader_that_never_reads_is_cut_off_and_costs_no_more_than_the_buffers() {
    const CHUNK: usize = 16 * 1024;
    for form in FORMS {
        let deadline = Duration::from_millis(100);
        let toy = toy_with(|_, serving| serving.write_deadline = deadline).await;
        let query = format!("subscription{{flood(bytes:{CHUNK})}}");
        let stream = Streaming::open(toy.address, subscribe(&query, form)).await;
        toy.probe.dropped.notified().await;
        let made = toy.probe.chunks.load(Ordering::SeqCst) * CHUNK;
        assert!(made < 32 * 1024 * 1024, "{made} bytes were made for nobody");
        drop(stream);
    }
}

#[tokio::test]
async fn a_reader_that_never_reads_one_long_answer_is_cut_off() {
    let toy = toy_with(|_, serving| {
        serving.write_deadline = Duration::from_millis(100);
        serving.drain_deadline = Duration::from_hours(1);
    })
    .await;
    let query = Request::query("{repeated(times:4000000)}");
    let stream = Streaming::open(toy.address, query).await;
    toy.shutdown.request();
    // The answer is in flight until its connection is cut.
    let drained = tokio::time::timeout(Duration::from_secs(30), toy.shutdown.drained());
    assert!(drained.await.is_ok(), "the server waits for {stream:?}");
}

#[tokio::test]
async fn a_server_that_stops_waits_for_nobody_who_neither_sends_nor_reads() {
    let hour = Duration::from_hours(1);
    let toy = toy_with(|options, serving| {
        options.body_deadline = hour;
        (serving.write_deadline, serving.header_deadline) = (hour, hour);
        serving.drain_deadline = hour;
    })
    .await;
    let head = "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
    let mut half_sent = Vec::new();
    for half in ["POST /gra".to_owned(), format!("{head}Content-Length: 100\r\n\r\n{{")] {
        let mut stream = TcpStream::connect(toy.address).await.unwrap();
        stream.write_all(half.as_bytes()).await.unwrap();
        half_sent.push(stream);
    }
    let long = Streaming::open(toy.address, Request::query("{repeated(times:4000000)}")).await;
    let flood = subscribe("subscription{flood(bytes:16384)}", FORMS[0]);
    let flood = Streaming::open(toy.address, flood).await;
    let mutation = Request::query("mutation{bumpWhenTold}").send(toy.address);
    let mutation = tokio::spawn(mutation);
    toy.probe.begun.notified().await;
    toy.shutdown.request();
    // The others are dropped meanwhile; a running request is waited for.
    let cut = async { while half_sent[1].read_u8().await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(30), cut).await.expect("half a body is cut");
    toy.probe.proceed.notify_one();
    assert_eq!(mutation.await.unwrap().json()["data"]["bumpWhenTold"], 1);
    let drained = tokio::time::timeout(Duration::from_secs(30), toy.shutdown.drained());
    assert!(drained.await.is_ok(), "the server waits for {long:?} or {flood:?}");
}

#[tokio::test]
async fn a_client_that_leaves_or_closes_its_half_ends_its_operation() {
    for form in FORMS {
        let toy = toy().await;
        let request = subscribe("subscription{silence}", form);
        drop(Streaming::open(toy.address, request).await);
        toy.probe.dropped.notified().await;
        let request = subscribe("subscription{silence}", form);
        let mut half = Streaming::open(toy.address, request).await;
        half.connection.shutdown().await.unwrap();
        toy.probe.dropped.notified().await;
    }
}

#[tokio::test]
async fn streams_beyond_the_cap_are_503_and_leave_connections_for_others() {
    let toy = toy_with(|options, _| options.streams.streams_max = 2).await;
    let open = |form| Streaming::open(toy.address, subscribe("subscription{silence}", form));
    let first = open(FORMS[0]).await;
    let second = open(FORMS[1]).await;
    for form in FORMS {
        let answer = subscribe("subscription{silence}", form).send(toy.address).await;
        assert_eq!((answer.status, answer.code()), (503, "TOO_MANY_STREAMS".into()));
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    assert_eq!(Request::query("{hello}").send(toy.address).await.status, 200);
    // The operation that got no place, and the one that leaves.
    drop(first);
    toy.probe.dropped.notified().await;
    let again = open(FORMS[0]).await;
    assert!(again.head.starts_with("HTTP/1.1 200 "), "{}", again.head);
    drop(second);
}
