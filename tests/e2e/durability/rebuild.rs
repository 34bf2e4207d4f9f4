//! Read models are rebuilt while the server serves, and nothing is lost.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use serde_json::json;
use tempfile::tempdir;

use crate::{
    client::Client,
    crash::all_messages,
    resume::Done,
    server::{Server, run, succeed},
};

const INTACT: &str = "read models: equal to a rebuild";

#[test]
fn a_rebuild_while_others_write_and_listen_loses_nothing() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob) = (Client::register(&server, "alice"), Client::register(&server, "bob"));
    let room = alice.create_room(json!({ "preset": "PUBLIC", "alias": "#tea:localhost" }));
    bob.act("joinRoom", json!({ "room": { "roomId": room } }));
    let mut stream = bob.follow(None);
    let done = AtomicBool::new(false);
    let sent = thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut sent = Vec::new();
            while !done.load(Ordering::Relaxed) {
                sent.push(alice.say(&room, &format!("message {}", sent.len())));
                let document =
                    "query($room: RoomID!) { room(by: { roomId: $room }) { lastMessage { eventId } } }";
                let seen = alice.run(document, &json!({ "room": room }));
                assert_eq!(seen["room"]["lastMessage"]["eventId"], *sent.last().unwrap());
                assert_eq!(stream.item()["eventId"], *sent.last().unwrap());
            }
            sent
        });
        let stop = Done(&done);
        for _ in 0..5 {
            let rebuilt = run(data.path(), &["rebuild"], "");
            assert!(rebuilt.success, "{}", rebuilt.error);
            assert!(rebuilt.error.contains("rebuilt all read models"), "{}", rebuilt.error);
            let verified = succeed(data.path(), &["verify"], "");
            assert!(verified.contains(INTACT), "{verified}");
        }
        drop(stop);
        writer.join().unwrap()
    });
    let stored: Vec<String> =
        all_messages(&bob, &room).into_iter().rev().map(|(id, _)| id).collect();
    assert_eq!(stored, sent);
    assert!(server.stop().success());
    assert!(succeed(data.path(), &["verify"], "").contains(INTACT));
    assert!(run(data.path(), &["rebuild"], "").success);
    let server = Server::start(data.path());
    let again: Vec<String> =
        all_messages(&bob.at(&server), &room).into_iter().rev().map(|(id, _)| id).collect();
    assert_eq!(again, sent);
}

#[test]
fn read_models_that_are_lost_or_damaged_are_built_anew() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    let room = alice.create_room(json!({ "name": "Tea" }));
    for n in 0..20 {
        alice.say(&room, &n.to_string());
    }
    let before = all_messages(&alice, &room);
    assert!(server.stop().success());
    let models = data.path().join("models");
    for damage in [true, false] {
        if damage {
            overwrite(&models);
        } else {
            std::fs::remove_dir_all(&models).unwrap();
        }
        let server = Server::start(data.path());
        assert_eq!(all_messages(&alice.at(&server), &room), before, "damaged: {damage}");
        assert!(succeed(data.path(), &["verify"], "").contains(INTACT));
        assert!(server.stop().success());
    }
}

/// Changes a byte in the middle of every file below `folder`.
fn overwrite(folder: &std::path::Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            overwrite(&path);
        } else {
            let mut bytes = std::fs::read(&path).unwrap();
            let middle = bytes.len() / 2;
            if let Some(byte) = bytes.get_mut(middle) {
                *byte ^= 0x55;
                std::fs::write(&path, bytes).unwrap();
            }
        }
    }
}
