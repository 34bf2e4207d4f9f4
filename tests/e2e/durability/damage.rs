//! Damaged files: a refusal leaves every file as it was, and salvage saves the intact part.

mod trials;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde_json::json;
use tempfile::{TempDir, tempdir};

use self::trials::copy;
use crate::{
    client::Client,
    crash::all_messages,
    server::{Server, fail, run, succeed},
};

const MESSAGES: usize = 60;

/// Every file below `dir`, with its bytes.
fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(contents(&path));
        } else if path.is_file() {
            files.insert(path.clone(), fs::read(path).unwrap());
        }
    }
    files
}

/// The messages of a room, with their senders.
struct Said {
    data: TempDir,
    token: String,
    room: String,
}

/// A stopped or killed server, with a room of [`MESSAGES`] messages.
fn given(killed: bool) -> Said {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let alice = Client::register(&server, "alice");
    let room = alice.create_room(json!({ "preset": "PUBLIC" }));
    for number in 0..MESSAGES {
        alice.say(&room, &text(number));
    }
    let token = alice.token.clone().unwrap();
    if killed {
        server.kill();
    } else {
        server.stop();
    }
    Said { data, token, room }
}

fn text(number: usize) -> String {
    format!("message number {number} {}", "q".repeat(300))
}

/// Flips a bit in every copy of a message in the file of the log.
fn flip(data: &Path, number: usize) {
    let path = data.join("log/sled/db");
    let mut bytes = fs::read(&path).unwrap();
    let needle = format!("message number {number} ");
    let places: Vec<_> = bytes
        .windows(needle.len())
        .enumerate()
        .filter_map(|(at, window)| (window == needle.as_bytes()).then_some(at))
        .collect();
    assert!(!places.is_empty(), "the message is not in the file");
    for at in places {
        bytes[at] ^= 1;
    }
    fs::write(path, bytes).unwrap();
}

#[test]
fn damaged_log_is_refused_by_every_command_and_no_file_is_changed() {
    for killed in [false, true] {
        let Said { data, .. } = given(killed);
        let path = data.path();
        let whole = contents(path);
        flip(path, MESSAGES / 2);
        let before = contents(path);
        for command in ["serve", "verify", "export", "rebuild", "compact"] {
            let mut arguments = vec![command];
            match command {
                "serve" => arguments.extend(["--listen", "127.0.0.1:0"]),
                "export" => arguments.push("-"),
                _ => {}
            }
            let refusal = fail(path, &arguments, "");
            assert!(refusal.contains("log salvage"), "{command}: {refusal}");
            let after = contents(path);
            for (file, bytes) in &before {
                assert!(after.get(file) == Some(bytes), "{command} changed {}", file.display());
            }
            assert_eq!(after.len(), before.len(), "{command} made or removed files");
        }
        // The bit flips back, as after bad memory: nothing is lost.
        for (file, bytes) in whole {
            fs::write(file, bytes).unwrap();
        }
        let exported = succeed(path, &["export", "-"], "");
        assert!((0..MESSAGES).all(|number| exported.contains(&text(number))));
    }
}

#[test]
fn salvage_saves_all_but_what_is_damaged_and_names_it() {
    let Said { data, token, room } = given(true);
    let path = data.path();
    flip(path, 30);
    let before = contents(path);
    let output = tempdir().unwrap();
    let into = output.path().join("saved");
    let ran = run(path, &["log", "salvage", "--into", into.to_str().unwrap()], "");
    assert!(ran.success, "{}", ran.error);
    assert!(ran.error.contains("positions 33 to 33"), "{}", ran.error);
    assert!(ran.error.contains(&format!("1 event of room/{room}")), "{}", ran.error);
    let file = output.path().join("saved.ndjson");
    succeed(path, &["log", "salvage", file.to_str().unwrap()], "");
    assert!(contents(path) == before, "salvage changed a file");

    let imported = output.path().join("imported");
    succeed(&imported, &["import", file.to_str().unwrap()], "");
    for saved in [&into, &imported] {
        succeed(saved, &["verify"], "");
    }
    // The new log is another history than the one in the accounts.
    let server = Server::start_with(&into, &["--accept-missing-accounts"]);
    let alice = Client::with_token(&server, "alice", &token);
    let expected: Vec<_> = (0..MESSAGES).rev().filter(|number| *number != 30).map(text).collect();
    let said: Vec<_> = all_messages(&alice, &room).into_iter().map(|(_, text)| text).collect();
    assert_eq!(said, expected);
    alice.say(&room, "and on");
    server.stop();
    succeed(&into, &["verify"], "");
}

#[test]
fn missing_or_changed_signing_key_is_refused_until_an_operator_accepts_a_new_one() {
    let Said { data, .. } = given(false);
    let path = data.path();
    let key = path.join("signing.key");
    let whole = fs::read(&key).unwrap();
    let mut changed = whole.clone();
    changed[20] ^= 1;
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    for damaged in [None, Some(&changed)] {
        match damaged {
            None => fs::remove_file(&key).unwrap(),
            Some(bytes) => fs::write(&key, bytes).unwrap(),
        }
        let before = contents(path);
        let refusal = fail(path, &serve, "");
        assert!(refusal.contains("signing.key") && refusal.contains("backup"), "{refusal}");
        assert!(contents(path) == before, "a refusal changed a file");
    }
    fs::write(&key, &whole).unwrap();
    Server::start(path).stop();
    assert_eq!(fs::read(&key).unwrap(), whole);

    fs::remove_file(&key).unwrap();
    let identity = path.join("identity.json");
    let text = fs::read_to_string(&identity).unwrap();
    let mut accepting: serde_json::Value = serde_json::from_str(&text).unwrap();
    accepting["signing_key"] = "new".into();
    fs::write(&identity, accepting.to_string()).unwrap();
    Server::start(path).stop();
    assert_ne!(fs::read(&key).unwrap(), whole);
    assert!(!fs::read_to_string(&identity).unwrap().contains("\"new\""));
}

/// A data directory whose torn end undoes the erasure of "a secret word", although the checkpoint of erasures is past
/// it.
fn torn_after_an_erasure() -> TempDir {
    let data = tempdir().unwrap();
    let path = data.path();
    let server = Server::start(path);
    let alice = Client::register(&server, "alice");
    let room = alice.create_room(json!({ "preset": "PUBLIC" }));
    let event = alice.say(&room, "a secret word");
    alice.act("redactEvent", json!({ "roomId": room, "eventId": event }));
    server.kill();
    // As the housekeeping of a server saves it.
    let later = tempdir().unwrap();
    copy(path, later.path());
    assert!(Server::start(later.path()).stop().success());
    let checkpoint = "rooms/erasures.process";
    fs::copy(later.path().join(checkpoint), path.join(checkpoint)).unwrap();
    // The last record in the file with the ID of the event is the one without the word.
    let db = path.join("log/sled/db");
    let mut bytes = fs::read(&db).unwrap();
    let last = bytes.windows(event.len()).rposition(|window| window == event.as_bytes()).unwrap();
    bytes[last] ^= 1;
    fs::write(&db, bytes).unwrap();
    data
}

#[test]
fn content_that_was_redacted_stays_gone_when_the_end_of_the_log_is_torn() {
    let data = torn_after_an_erasure();
    let path = data.path();
    let server = Server::start(path);
    assert_eq!(server.logged("erasing redacted content again").len(), 1);
    server.stop();
    assert!(!succeed(path, &["export", "-"], "").contains("a secret word"));
}

#[test]
fn content_that_was_redacted_stays_gone_when_an_import_has_removed_the_torn_end() {
    let (other, data) = (given(false).data, torn_after_an_erasure());
    let path = data.path();
    let exported = succeed(other.path(), &["export", "-"], "");
    let refusal = run(path, &["import", "-"], &exported);
    assert!(refusal.error.contains("already has a log"), "{}", refusal.error);
    Server::start(path).stop();
    assert!(!succeed(path, &["export", "-"], "").contains("a secret word"));
}

#[test]
fn lost_accounts_are_refused_and_no_file_is_changed() {
    let Said { data, .. } = given(true);
    let path = data.path();
    fs::remove_file(path.join("accounts.redb")).unwrap();
    let before = contents(path);
    let refusal = fail(path, &["serve", "--listen", "127.0.0.1:0"], "");
    assert!(refusal.contains("1 user without an account (alice)"), "{refusal}");
    assert!(contents(path) == before, "a refusal changed a file");
}

#[test]
fn accounts_older_than_the_log_are_refused_and_no_file_is_changed() {
    for killed in [false, true] {
        let Said { data, token, room } = given(killed);
        let path = data.path();
        let file = path.join("accounts.redb");
        let older = fs::read(&file).unwrap();
        let server = Server::start(path);
        let alice = Client::with_token(&server, "alice", &token);
        let phone = alice.log_in("correct horse")["token"].as_str().unwrap().to_owned();
        Client::register(&server, "bob").act("joinRoom", json!({ "room": { "roomId": room } }));
        alice.say(&room, "after the backup");
        server.stop();
        let with_phone = fs::read(&file).unwrap();

        let server = Server::start(path);
        let phone = Client::with_token(&server, "alice", &phone);
        phone.run("mutation { logOut(input: {}) { devices } }", &json!({}));
        if killed {
            server.kill();
        } else {
            server.stop();
        }
        for (accounts, lack) in [
            (older, "1 user without an account (bob)"),
            (with_phone, "logged in although the log removed them: 1 device"),
        ] {
            fs::write(&file, accounts).unwrap();
            let before = contents(path);
            let refusal = fail(path, &["serve", "--listen", "127.0.0.1:0"], "");
            assert!(refusal.contains(lack) && refusal.contains("older"), "{refusal}");
            assert!(contents(path) == before, "a refusal changed a file; killed: {killed}");
        }
    }
}
