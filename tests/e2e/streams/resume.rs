//! A subscription with random cuts and resumes sees each event exactly once, in order.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use rookery_log::Rounds;
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    client::{Client, two},
    server::Server,
};

/// Number of cuts, unless `ROOKERY_CUTS` or `cargo xtask torture` says otherwise.
const CUTS: u64 = 1_000;

/// Tells the writer to end, also when the reader fails.
pub(crate) struct Done<'a>(pub(crate) &'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_stream_that_is_cut_and_resumed_shows_each_event_once_and_in_order() {
    let cuts = std::env::var("ROOKERY_CUTS").ok().and_then(|cuts| cuts.parse().ok());
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    let bob = Client::register(&server, "bob");
    let room = alice.create_room(json!({ "preset": "PUBLIC" }));
    bob.act("joinRoom", json!({ "room": { "roomId": room } }));
    let mut position = bob.position();
    let done = AtomicBool::new(false);

    let seen = thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut sent = Vec::new();
            while !done.load(Ordering::Relaxed) {
                sent.push(alice.say(&room, &format!("message {}", sent.len())));
            }
            sent
        });
        let stop = Done(&done);
        let mut seen = Vec::new();
        for seed in Rounds::of(cuts.unwrap_or(CUTS), 0x5eed) {
            let mut random = Random(seed.max(1));
            let mut stream = bob.follow(Some(&position));
            for _ in 0..random.below(4) {
                position = take(&mut stream, &mut seen);
            }
        }
        drop(stop);
        let sent = writer.join().unwrap();
        let mut stream = bob.follow(Some(&position));
        while seen.len() < sent.len() {
            take(&mut stream, &mut seen);
        }
        assert!(seen.iter().map(|(id, _)| id).eq(&sent), "the stream is not what was sent");
        seen
    });
    let sequences: Vec<_> = seen.iter().map(|(_, sequence)| *sequence).collect();
    let dense = sequences.windows(2).all(|pair| pair[1] == pair[0] + 1);
    assert!(dense, "the room's sequence has a hole or goes back");
}

#[test]
fn chunks_of_long_events_are_bounded_in_bytes_and_the_same_for_all_who_begin_there() {
    const EVENTS: usize = 60;
    const EVENT_BYTES: usize = 30_000;
    const CHUNK_BYTES: usize = 256 * 1024;
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let start = bob.position();
    let body = "x".repeat(EVENT_BYTES);
    let sent: Vec<_> = (0..EVENTS).map(|_| alice.say(&room, &body)).collect();
    let document = "query($after: Position!) { events(after: $after, limit: 100) { position
        events { ... on RoomEvent { eventId text } } } }";
    let poll = |after: &str| bob.run(document, &json!({ "after": after }))["events"].clone();
    let walk = |chunk: &mut dyn FnMut(&str) -> Value| {
        let (mut position, mut seen, mut ends) = (start.clone(), Vec::new(), Vec::new());
        while seen.len() < sent.len() {
            let chunk = chunk(&position);
            let events = chunk["events"].as_array().unwrap();
            let len: usize = events.iter().map(|event| event["text"].as_str().unwrap().len()).sum();
            assert!(len < CHUNK_BYTES + EVENT_BYTES, "{} events in a chunk", events.len());
            seen.extend(events.iter().map(|it| it["eventId"].as_str().unwrap().to_owned()));
            chunk["position"].as_str().unwrap().clone_into(&mut position);
            ends.push((position.clone(), seen.len()));
        }
        assert_eq!(seen, sent, "each event once and in order");
        ends
    };
    let polled = walk(&mut |after| poll(after));
    assert_eq!(walk(&mut |after| poll(after)), polled);
    for _ in 0..2 {
        let mut stream = bob.follow(Some(&start));
        let streamed = walk(&mut |_| stream.chunk().expect("the stream goes on"));
        assert_eq!(streamed[0], polled[0], "a stream that is behind has the chunks of a poll");
        assert!(streamed[0].1 > 1, "the first chunk ends for its bytes");
    }
}

fn take(stream: &mut crate::client::Follower, seen: &mut Vec<(String, i64)>) -> String {
    let chunk = stream.chunk().expect("the stream goes on");
    for event in chunk["events"].as_array().unwrap() {
        seen.push((
            event["eventId"].as_str().unwrap().to_owned(),
            event["sequence"].as_i64().unwrap(),
        ));
    }
    chunk["position"].as_str().unwrap().to_owned()
}

/// xorshift64*: a failure can be repeated, because the seed is fixed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }
}
