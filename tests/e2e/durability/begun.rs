//! Streams that begin without a position, over each transport.

use std::io::Read as _;

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    client::{Client, two},
    raw::write,
    server::Server,
};

const FOLLOW: &str = "subscription { eventStream { events { __typename } position } }";

/// The first chunk of a stream over HTTP with `accept`; the connection is cut after it.
fn first_chunk(server: &Server, client: &Client, accept: &str) -> Value {
    let body = json!({ "query": FOLLOW }).to_string();
    let token = client.token.as_deref().unwrap();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Authorization: Bearer {token}\r\nAccept: {accept}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = write(server, format!("{head}{body}").as_bytes());
    let (mut text, mut bytes) = (String::new(), [0; 1024]);
    loop {
        let read = stream.read(&mut bytes).expect("a chunk comes at once");
        assert!(read > 0, "the stream ended: {text}");
        text.push_str(&String::from_utf8_lossy(&bytes[..read]));
        if let Some((_, rest)) = text.split_once("\"eventStream\":")
            && let Some((chunk, _)) = rest.split_once('}')
        {
            return serde_json::from_str(&format!("{chunk}}}")).expect("a chunk without events");
        }
    }
}

#[test]
fn a_stream_that_is_cut_before_the_first_event_resumes_from_what_it_was_told_at_once() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let mut socket = bob.socket();
    socket.subscribe("1", FOLLOW, &json!({}));
    let over_a_socket = socket.receive()["payload"]["data"]["eventStream"].clone();
    drop(socket);
    let chunks = [
        over_a_socket,
        first_chunk(&server, &bob, "text/event-stream"),
        first_chunk(&server, &bob, "multipart/mixed;subscriptionSpec=1.0, application/json"),
    ];
    let said = alice.say(&room, "while nobody listens");
    for chunk in chunks {
        assert_eq!(chunk["events"], json!([]), "{chunk}");
        let mut follower = bob.follow(chunk["position"].as_str());
        assert_eq!(follower.item()["eventId"], *said, "the first is what was missed");
    }
}
