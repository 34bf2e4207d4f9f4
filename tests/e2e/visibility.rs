//! Every field and every way agrees with the oracle about who sees what, whatever happened to the
//! viewers and to the room's setting.
//!
//! A room has several viewers, and each her own history. By default the histories are drawn at
//! random; with `ROOKERY_ORACLE=all`, every history of up to five steps is played under every pair
//! of settings.

mod checks;
mod scenes;

use std::{
    collections::{BTreeMap, HashSet},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use serde_json::{Value, json};
use tempfile::tempdir;

use self::{
    checks::Checks,
    scenes::{Played, scenes},
};
use crate::{
    client::{Client, Follower},
    oracle::log_of,
    server::Server,
};

/// Viewers of each room.
const VIEWERS: usize = 5;

/// The name of the room that comes last.
const THE_END: &str = "the end";

/// Rooms that are played, and looked at, at a time.
const AT_ONCE: usize = 4;

#[test]
fn everything_agrees_with_the_oracle_about_who_sees_what() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let [alice, dora] = ["alice", "dora"].map(|name| Client::register(&server, name));
    alice
        .run("mutation { setProfile(input: { displayName: \"Alice\" }) { position } }", &json!({}));
    let viewers: Vec<_> =
        (0..VIEWERS).map(|number| Client::register(&server, &format!("bob{number}"))).collect();
    let start = alice.position();
    let Story { played, live, middle } = play_all(&alice, &dora, &viewers, &start);
    let logs: Vec<_> = played.iter().map(|played| log_of(&alice, &played.room)).collect();

    for (number, viewer) in viewers.iter().enumerate() {
        let caught_up = heard(&mut viewer.follow(Some(&start)), "from the beginning");
        assert_eq!(live[number], caught_up, "live and from the beginning, bob{number}");
        assert_eq!(live[number], polled(viewer, &start), "live and by polling, bob{number}");
    }
    let checks = Checks { alice: &alice, viewers: &viewers, played: &played, logs: &logs };
    checks.are_whole();
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let room = next.fetch_add(1, Ordering::Relaxed);
                    let Some(_) = played.get(room) else { break };
                    for (number, live) in live.iter().enumerate() {
                        checks.room(room, number, live);
                    }
                }
            });
        }
    });
    for (number, _) in viewers.iter().enumerate() {
        checks.home_screen(number);
        for since in [&start, &middle] {
            checks.delta(number, since);
        }
        checks.directory(number);
    }
}

/// What was played.
struct Story {
    played: Vec<Played>,
    /// The events that reached each viewer live.
    live: Vec<HashSet<String>>,
    /// A position in the middle.
    middle: String,
}

/// Plays all scenes, and at the end invites every viewer to a room of its own.
fn play_all(alice: &Client, dora: &Client, viewers: &[Client], start: &str) -> Story {
    let scenes = scenes(VIEWERS);
    let rooms = Mutex::new(BTreeMap::new());
    let next = AtomicUsize::new(0);
    let middle = Mutex::new(start.to_owned());
    let mut streams: Vec<_> = viewers.iter().map(|viewer| viewer.follow(Some(start))).collect();
    let live = thread::scope(|scope| {
        let listen = |stream| scope.spawn(move || heard(stream, "live"));
        let listening: Vec<_> = streams.iter_mut().map(listen).collect();
        let play = || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(scene) = scenes.get(number) else { break };
                let played = scene.play(number, alice, dora, viewers);
                rooms.lock().unwrap().insert(number, played);
                if number == scenes.len() / 2 {
                    *middle.lock().unwrap() = alice.position();
                }
            }
        };
        let playing: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(play)).collect();
        for playing in playing {
            playing.join().unwrap();
        }
        let invite: Vec<_> = viewers.iter().map(|viewer| &viewer.user_id).collect();
        alice.create_room(json!({ "name": THE_END, "invite": invite }));
        listening.into_iter().map(|listening| listening.join().unwrap()).collect()
    });
    let played = rooms.into_inner().unwrap().into_values().collect();
    Story { played, live, middle: middle.into_inner().unwrap() }
}

/// What a stream tells of, up to the end.
fn heard(stream: &mut Follower, how: &str) -> HashSet<String> {
    let mut seen = HashSet::new();
    loop {
        let item = stream.item();
        note(&mut seen, &item, how);
        if is_end(&item) {
            return seen;
        }
    }
}

/// Takes the event of an item, which may come only once.
fn note(seen: &mut HashSet<String>, item: &Value, how: &str) {
    let invited = item["event"]["eventId"].as_str();
    if let Some(event) = item["eventId"].as_str().or(invited) {
        assert!(seen.insert(event.to_owned()), "{event} came twice, {how}");
    }
}

fn is_end(item: &Value) -> bool {
    item["__typename"] == "Invited" && item["room"]["name"] == THE_END
}

/// The same by polling, a few commits at a time.
fn polled(viewer: &Client, start: &str) -> HashSet<String> {
    let document =
        "query($after: Position!) { events(after: $after, limit: 100) { position events {
        __typename ... on RoomEvent { eventId }
        ... on Invited { event { eventId } room { roomId name } } } } }";
    let mut seen = HashSet::new();
    let mut after = json!(start);
    loop {
        let chunk = viewer.run(document, &json!({ "after": after }))["events"].clone();
        for item in chunk["events"].as_array().unwrap() {
            note(&mut seen, item, "polled");
            if is_end(item) {
                return seen;
            }
        }
        assert_ne!(chunk["position"], after, "polling does not get on");
        after = chunk["position"].clone();
    }
}
