//! The limits of answers: bytes, work and time, for one and for all together.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::clients::http::Request;
use crate::clients::socket::connect_as;
use crate::limits::costs::counting;
use crate::toy::{Toy, toy_with};

/// A server on which one answer has at most a mebibyte, one caller two of them, and all sixteen.
async fn bounded() -> Toy {
    toy_with(|options, _| {
        options.answers.bytes_max = 1 << 20;
        options.answers.all_bytes_max = 16 << 20;
        options.answers.work_max = 1_000;
        options.execution_deadline = Duration::from_millis(300);
    })
    .await
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_refused_whole_with_its_cost() {
    let toy = toy_with(|options, _| {
        counting(options);
        options.answers.bytes_max = 1_000;
    })
    .await;
    let query = "{ hello takes(bytes: 1001) }";
    let answer = Request::query(query).send(toy.address).await;
    let cost = json!({"requested": 2, "limit": 100});
    let told = json!({"code": "ANSWER_TOO_LARGE", "cost": cost});
    assert_eq!((answer.status, &answer.json()["errors"][0]["extensions"]), (400, &told));
    assert_eq!(answer.json()["data"], json!(null));
    let mut client = connect_as(toy.address, None).await;
    client.subscribe("q", query).await;
    let refused = client.receive().await;
    assert_eq!(
        (&refused["type"], &refused["payload"][0]["extensions"]["code"]),
        (&json!("error"), &json!("ANSWER_TOO_LARGE"))
    );
}

#[tokio::test]
async fn each_alias_of_a_value_counts() {
    let toy = bounded().await;
    let aliases = |count: usize| {
        let fields: Vec<_> =
            (0..count).map(|alias| format!("a{alias}: takes(bytes: 200000)")).collect();
        format!("{{ {} }}", fields.join(" "))
    };
    assert_eq!(Request::query(&aliases(5)).send(toy.address).await.status, 200);
    let answer = Request::query(&aliases(6)).send(toy.address).await;
    assert_eq!(answer.code(), "ANSWER_TOO_LARGE");
}

#[tokio::test]
async fn what_is_looked_at_for_an_answer_is_bounded() {
    let toy = bounded().await;
    let within = "{ a: looksAt(units: 500) b: looksAt(units: 500) }";
    assert_eq!(Request::query(within).send(toy.address).await.status, 200);
    let beyond = "{ a: looksAt(units: 500) b: looksAt(units: 501) }";
    assert_eq!(Request::query(beyond).send(toy.address).await.code(), "TOO_MUCH_WORK");
}

#[tokio::test]
async fn a_mutation_whose_answer_is_too_long_was_carried_out_and_says_so() {
    let toy = bounded().await;
    let answer = Request::query("mutation { bumpAndTake(bytes: 2000000) }").send(toy.address).await;
    assert_eq!((answer.status, answer.code().as_str()), (200, "ANSWER_TOO_LARGE"));
    let message = answer.json()["errors"][0]["message"].to_string();
    assert!(message.contains("carried out") && message.contains("actionId"), "{message}");
    assert_eq!(toy.probe.bumps.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_computes_and_never_waits_ends_at_its_deadline_and_others_are_answered_meanwhile() {
    let toy = bounded().await;
    let spinning: Vec<_> =
        (0..8).map(|_| tokio::spawn(Request::query("{ spins }").send(toy.address))).collect();
    let mut answered = 0;
    while spinning.iter().any(|spinning| !spinning.is_finished()) {
        assert_eq!(Request::query("{ hello }").send(toy.address).await.status, 200);
        answered += 1;
    }
    assert!(answered > 2, "{answered} answers beside eight that never wait");
    for spinning in spinning {
        assert_eq!(spinning.await.unwrap().code(), "TIMEOUT");
    }
}

/// Asks for a long answer and reads only its beginning.
async fn unread(address: SocketAddr, token: Option<&str>) -> TcpStream {
    let mut request = Request::query("{ takes(bytes: 1000000) }");
    if let Some(token) = token {
        request = request.header("Authorization", &format!("Bearer {token}"));
    }
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&request.bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn who_reads_no_answers_waits_for_room_and_keeps_nobody_else_waiting() {
    let toy = toy_with(|options, _| {
        options.answers.bytes_max = 1 << 20;
        options.answers.all_bytes_max = 8 << 20;
        options.execution_deadline = Duration::from_secs(5);
    })
    .await;
    // Requests without a login from here have room for one long answer at a time.
    let mut first = unread(toy.address, None).await;
    let mut begun = [0; 12];
    first.read_exact(&mut begun).await.unwrap();
    assert_eq!(&begun, b"HTTP/1.1 200");
    let other = Request::query("{ takes(bytes: 1000000) }").header("Authorization", "Bearer good");
    assert_eq!(other.send(toy.address).await.status, 200);
    // Once the first has read its answer there is room for the next.
    let mut rest = Vec::new();
    first.read_to_end(&mut rest).await.unwrap();
    let next = Request::query("{ takes(bytes: 1000000) }");
    assert_eq!(next.send(toy.address).await.status, 200);
}

#[tokio::test]
async fn an_answer_that_a_socket_does_not_take_keeps_its_room_until_it_does() {
    let toy = toy_with(|options, _| {
        options.answers.bytes_max = 1 << 20;
        options.answers.all_bytes_max = 8 << 20;
        options.execution_deadline = Duration::from_secs(5);
    })
    .await;
    // A caller has room for one long answer here: the second waits until the socket has read the first.
    let mut client = connect_as(toy.address, None).await;
    let query = "{ takes(bytes: 1000000) }";
    client.subscribe("a", query).await;
    client.subscribe("b", query).await;
    let mut answered = Vec::new();
    while answered.len() < 2 {
        let message = client.receive().await;
        if message["type"] == "next" {
            assert_eq!(message["payload"]["data"]["takes"].as_str().unwrap().len(), 125_000);
            answered.push(message["id"].clone());
        }
    }
    assert_eq!(answered, [json!("a"), json!("b")]);
}
