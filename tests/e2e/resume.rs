//! A subscription that is cut and resumed at random sees each event exactly once, in order.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use serde_json::json;
use tempfile::tempdir;

use crate::{client::Client, server::Server};

/// How often the subscription is cut, unless `ROOKERY_CUTS` says otherwise.
const CUTS: usize = 1_000;

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
    bob.act("joinRoom", json!({ "roomId": room }));
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
        let mut random = Random(0x5eed);
        let mut seen = Vec::new();
        for _ in 0..cuts.unwrap_or(CUTS) {
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

/// xorshift64*: a failure can be seen again, because the seed is fixed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }
}
