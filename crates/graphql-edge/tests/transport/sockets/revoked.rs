//! A session after its end, on every path, with a client that reads and one that does not.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::clients::http::Request;
use crate::clients::socket::connect_as;
use crate::clients::stream::Streaming;
use crate::streams::limits::FORMS;
use crate::streams::single::{open, posted};
use crate::toy::{Toy, toy_with};

const GOOD: &str = "Bearer good";

/// How long a test waits for an expected message.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that waits for hours for a client that does not read.
async fn patient() -> Toy {
    let long = Duration::from_hours(1);
    toy_with(|options, serving| {
        serving.write_deadline = long;
        options.socket.write_deadline = long;
        options.socket.close_deadline = long;
        options.socket.slow_close_deadline = long;
    })
    .await
}

/// Turns of all tasks without a new chunk, after which the server is certainly waiting for its
/// client.
const TURNS: usize = 5_000;

/// Waits until the server has made chunks and then no more, because its client takes none. Server
/// and test share one thread, so the server does all that it can while the test waits for its turn.
async fn stalled(toy: &Toy) {
    let (mut before, mut turns) = (0, 0);
    while before == 0 || turns < TURNS {
        tokio::task::yield_now().await;
        let made = toy.probe.chunks.load(Ordering::SeqCst);
        turns = if made == before { turns + 1 } else { 0 };
        before = made;
    }
}

/// Reads the kernel's remaining data; the connection has to be reset rather than closed.
async fn reset(connection: &mut TcpStream) {
    let mut buffer = vec![0; 64 * 1024];
    let ended = timeout(PATIENCE, async {
        loop {
            match connection.read(&mut buffer).await {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) => return Some(error.kind()),
            }
        }
    });
    assert_eq!(ended.await.unwrap(), Some(std::io::ErrorKind::ConnectionReset));
}

#[tokio::test]
async fn a_stream_that_nobody_reads_is_reset_when_its_session_ends() {
    for form in FORMS {
        let toy = patient().await;
        let request = Request::query("subscription{flood(bytes:16384)}");
        let request = request.header("Accept", form).header("Authorization", GOOD);
        let mut stream = Streaming::open(toy.address, request).await;
        stalled(&toy).await;
        toy.probe.revoked.send_replace(true);
        toy.probe.dropped.notified().await;
        reset(&mut stream.connection).await;
    }
}

#[tokio::test]
async fn a_reserved_stream_that_nobody_reads_is_reset_and_takes_no_more_operations() {
    let toy = patient().await;
    let (token, mut stream) = open(&toy).await;
    let flood =
        json!({"query": "subscription{flood(bytes:16384)}", "extensions": {"operationId": "f"}});
    assert_eq!(posted(&token, &flood).send(toy.address).await.status, 202);
    stalled(&toy).await;
    toy.probe.revoked.send_replace(true);
    let bump = json!({"query": "mutation{bump}", "extensions": {"operationId": "b"}});
    let answer = posted(&token, &bump).send(toy.address).await;
    assert_eq!((answer.status, &*answer.code()), (401, "UNAUTHENTICATED"));
    toy.probe.dropped.notified().await;
    reset(&mut stream.connection).await;
    assert_eq!(toy.probe.bumps.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_socket_that_nobody_reads_is_reset_when_its_session_ends() {
    let toy = patient().await;
    let mut client = connect_as(toy.address, Some("good")).await;
    client.subscribe("1", "subscription{flood(bytes:16384)}").await;
    stalled(&toy).await;
    toy.probe.revoked.send_replace(true);
    toy.probe.dropped.notified().await;
    reset(client.socket.get_mut()).await;
}

#[tokio::test]
async fn a_long_answer_that_nobody_reads_is_reset_when_its_session_ends() {
    let toy = patient().await;
    let request = Request::query("{repeated(times:4000000)}").header("Authorization", GOOD);
    let mut connection = TcpStream::connect(toy.address).await.unwrap();
    connection.write_all(&request.bytes()).await.unwrap();
    // The answer is in transit once its beginning has arrived.
    connection.read_exact(&mut [0; 16]).await.unwrap();
    toy.probe.revoked.send_replace(true);
    reset(&mut connection).await;
}

#[tokio::test]
async fn a_client_that_reads_hears_the_last_word_of_its_path() {
    let toy = patient().await;
    let mut socket = connect_as(toy.address, Some("good")).await;
    socket.subscribe("1", "subscription{silence}").await;
    let mut streams = Vec::new();
    for form in FORMS {
        let request = Request::query("subscription{silence}").header("Accept", form);
        streams.push(Streaming::open(toy.address, request.header("Authorization", GOOD)).await);
    }
    let (token, mut single) = open(&toy).await;
    let silence = json!({"query": "subscription{silence}", "extensions": {"operationId": "s"}});
    assert_eq!(posted(&token, &silence).send(toy.address).await.status, 202);
    let mut connected = toy.probe.connected.subscribe();
    connected.wait_for(|count| *count == 4).await.unwrap();
    toy.probe.revoked.send_replace(true);
    assert_eq!(socket.next().await, Err((4403, "Forbidden: access token revoked".into())));
    assert!(matches!(socket.socket.next().await, None | Some(Err(_) | Ok(Message::Close(_)))));
    for stream in streams.iter_mut().chain([&mut single]) {
        let text = stream.rest().await;
        assert_eq!(text.matches("UNAUTHENTICATED").count(), 1, "{text}");
        assert!(!text.contains("data\":{"), "{text}");
    }
}

/// Starts a request that waits for [`Probe::proceed`](crate::toy::Probe), and ends the session
/// meanwhile.
async fn ended_meanwhile(toy: &Toy, address: SocketAddr, query: &str) -> (u16, String) {
    let request = Request::query(query).header("Authorization", GOOD);
    let answer = tokio::spawn(request.send(address));
    toy.probe.begun.notified().await;
    toy.probe.revoked.send_replace(true);
    toy.probe.proceed.notify_one();
    let answer = answer.await.unwrap();
    (answer.status, answer.body)
}

#[tokio::test]
async fn a_query_that_outlives_its_session_is_not_answered() {
    let toy = patient().await;
    let (status, body) = ended_meanwhile(&toy, toy.address, "{whenTold}").await;
    assert_eq!(status, 401);
    assert!(body.contains("UNAUTHENTICATED") && !body.contains("whenTold"), "{body}");
}

#[tokio::test]
async fn a_mutation_that_had_begun_ends_and_says_what_has_happened() {
    let toy = patient().await;
    let (status, body) = ended_meanwhile(&toy, toy.address, "mutation{bumpWhenTold}").await;
    assert_eq!(status, 200);
    assert!(body.starts_with(r#"{"data":{"bumpWhenTold":1}"#), "{body}");
}

#[tokio::test]
async fn a_reservation_is_not_opened_once_its_session_is_over() {
    let toy = patient().await;
    let reserve = || Request::get("/graphql").method("PUT").header("Authorization", GOOD);
    let token = reserve().send(toy.address).await.body;
    toy.probe.revoked.send_replace(true);
    let opening = Request::get(format!("/graphql?token={token}"));
    let answer = opening.header("Accept", "text/event-stream").send(toy.address).await;
    assert_eq!((answer.status, &*answer.code()), (401, "UNAUTHENTICATED"));
    assert_eq!(reserve().send(toy.address).await.status, 401);
}
