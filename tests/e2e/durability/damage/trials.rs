//! Random damage in each file of a data folder of a stopped or killed server.
//!
//! **Invariant:** the server serves the written data, or names the damage.
//! **Invariant:** a refusal leaves every file as it was.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Mutex,
    thread,
};

use rookery_log::Rounds;
use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

use super::contents;
use crate::{
    client::Client,
    server::{Server, run},
};

/// Trials without `cargo xtask torture`.
const TRIALS: u64 = 84;

/// Trials that run at the same time.
const LANES: usize = 2;

/// Most bytes that one damage overwrites.
const BYTES_MAX: usize = 512;

/// An intact folder, and the answers of its server.
struct Base {
    data: TempDir,
    files: Vec<PathBuf>,
    users: Vec<(String, String)>,
    truth: Value,
}

/// The outcome of one trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// The server refused to start.
    Refused,
    /// The server failed a request, and its log says why.
    Named,
    /// The server answered everything, and its log names the damage.
    Mended,
    /// The server answered everything and logged nothing.
    Whole,
}

impl Base {
    fn new(killed: bool) -> Self {
        let data = tempdir().unwrap();
        let server = Server::start(data.path());
        let (alice, bob) = (Client::register(&server, "alice"), Client::register(&server, "bob"));
        let room = alice.create_room(json!({ "preset": "PUBLIC", "name": "Board" }));
        bob.act("joinRoom", json!({ "room": { "roomId": room } }));
        let aliases = json!({ "roomId": room, "alternative": ["#board:localhost"] });
        alice.act("setRoomAliases", aliases);
        alice.run(
            "mutation { setProfile(input: { displayName: \"Al\" }) { position } }",
            &json!({}),
        );
        let mut last = String::new();
        for number in 0..40 {
            let speaker = if number % 2 == 0 { &alice } else { &bob };
            last = speaker.say(&room, &format!("message {number} {}", "q".repeat(number * 20)));
            if number % 5 == 0 {
                let reaction = json!({ "roomId": room, "eventId": last, "key": "+" });
                bob.act("addReaction", reaction);
            }
            if number % 9 == 0 {
                alice.act("redactEvent", json!({ "roomId": room, "eventId": last }));
            }
        }
        bob.run(
            "mutation($input: MarkRoomReadInput!) { markRoomRead(input: $input) { refusal { code } } }",
            &json!({ "input": { "roomId": room, "eventId": last } }),
        );
        // A stop writes snapshots; after a kill they are behind the log.
        server.stop();
        let server = Server::start(data.path());
        alice.at(&server).say(&room, "after the restart");
        let users = [("alice", alice), ("bob", bob)];
        let users = users.map(|(name, user)| (name.to_owned(), user.token.unwrap()));
        let truth = look(&server, &users).expect("a whole folder answers everything");
        if killed {
            server.kill();
        } else {
            server.stop();
        }
        let files = contents(data.path()).into_iter().filter(|(_, bytes)| !bytes.is_empty());
        let files = files.map(|(path, _)| path.strip_prefix(data.path()).unwrap().to_owned());
        Self { files: files.collect(), users: users.into(), truth, data }
    }
}

/// The answers to each user, or the errors of a failed request.
fn look(server: &Server, users: &[(String, String)]) -> Result<Value, Value> {
    let document = "{ viewer { isAdmin user { userId displayName } devices { nodes { deviceId } } }
        room(by: { alias: \"#board:localhost\" }) { roomId }
        initialSync(first: 10) { rooms { roomId name memberCount unreadCount
            members(first: 10) { nodes { user { userId } displayName powerLevel } }
            timeline(last: 100) { nodes { eventId sequence text isRedacted content
                reactions { nodes { key count } } } } } } }";
    let mut shown = Vec::new();
    for (name, token) in users {
        let answer = Client::with_token(server, name, token).post(document, &json!({})).body;
        if !answer["errors"].is_null() {
            return Err(answer["errors"].clone());
        }
        shown.push(answer["data"].clone());
    }
    Ok(shown.into())
}

/// A number below `below`. Source: Marsaglia, "Xorshift RNGs".
fn chance(state: &mut u64, below: usize) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    usize::try_from(*state % below as u64).unwrap()
}

/// Damages a file and describes the damage.
fn damage(path: &Path, state: &mut u64) -> String {
    let mut bytes = fs::read(path).unwrap();
    let at = chance(state, bytes.len());
    let kind = chance(state, 10);
    match kind {
        0 => {
            fs::remove_file(path).unwrap();
            return "removed".to_owned();
        }
        1 | 2 => bytes.truncate(at),
        3 | 4 => {
            let end = bytes.len().min(at + BYTES_MAX);
            bytes[at..end].fill(0);
        }
        _ => bytes[at] ^= 1 << chance(state, 8),
    }
    fs::write(path, bytes).unwrap();
    format!(
        "{} at byte {at}",
        ["", "cut", "cut", "zeroed", "zeroed"].get(kind).unwrap_or(&"flipped")
    )
}

pub(super) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &target);
        } else if path.is_file() {
            fs::copy(path, target).unwrap();
        }
    }
}

fn trial(base: &Base, seed: u64) -> Outcome {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let work = tempdir().unwrap();
    let path = work.path().join("data");
    copy(base.data.path(), &path);
    let file = &base.files[chance(&mut state, base.files.len())];
    let how = damage(&path.join(file), &mut state);
    let what = format!("seed {seed}: {} {how}", file.display());
    let before = contents(&path);
    let server = match Server::try_start(&path) {
        Ok(server) => server,
        Err(said) => {
            assert!(said.contains("error: ") && !said.contains("panicked"), "{what}: {said}");
            let after = contents(&path);
            for (file, bytes) in &before {
                assert!(
                    after.get(file) == Some(bytes),
                    "{what}: changed {}: {said}",
                    file.display()
                );
            }
            assert_eq!(after.len(), before.len(), "{what}: made or removed files: {said}");
            return Outcome::Refused;
        }
    };
    let shown = look(&server, &base.users);
    assert_eq!(server.logged("panicked"), Vec::<String>::new(), "{what}");
    let told = [server.logged(" WARN "), server.logged(" ERROR ")].concat();
    let outcome = match shown {
        Ok(shown) if shown == base.truth && told.is_empty() => Outcome::Whole,
        Ok(shown) if shown == base.truth => Outcome::Mended,
        Ok(shown) => panic!("{what}: served {shown:#}\nin place of {:#}\n{told:?}", base.truth),
        Err(errors) => {
            assert!(!told.is_empty(), "{what}: nothing in the log names {errors}");
            Outcome::Named
        }
    };
    assert!(server.stop().success(), "{what}");
    let verified = run(&path, &["verify"], "");
    assert!(!verified.error.contains("panicked"), "{what}: {}", verified.error);
    outcome
}

#[test]
fn a_damaged_folder_serves_what_was_written_or_names_the_damage_and_a_refusal_changes_nothing() {
    let bases = [Base::new(false), Base::new(true)];
    let seeds = Mutex::new(Rounds::of(TRIALS, 0x0da_4a9e));
    let outcomes = Mutex::new(BTreeMap::<Outcome, usize>::new());
    thread::scope(|scope| {
        for _ in 0..LANES {
            scope.spawn(|| {
                loop {
                    let seed = seeds.lock().unwrap().next();
                    let Some(seed) = seed else { return };
                    let base = &bases[usize::from(seed % 2 == 1)];
                    let outcome = trial(base, seed);
                    *outcomes.lock().unwrap().entry(outcome).or_default() += 1;
                }
            });
        }
    });
    println!("{:?}", outcomes.lock().unwrap());
}
