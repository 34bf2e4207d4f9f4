//! Every field on every path agrees with the oracle about visibility, for any history of the
//! viewers and of the room's setting.
//!
//! Services are viewers too: their bots, which follow rooms without joining, and a service that acts as
//! one of the users. One service comes after all events.
//!
//! A room has several viewers, each with a different history. By default the histories are random;
//! with `ROOKERY_ORACLE=all`, the test plays every history of up to five steps under every pair of
//! settings.

mod checks;
mod kinds;
mod present;
mod reading;
mod redacted;
mod scenes;

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
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
    kinds::Kind,
    scenes::{Played, SECRET, Scene, scenes},
};
use crate::{
    client::{Client, Follower},
    oracle::{Logged, log_of},
    server::Server,
    services::registered::follow_rooms,
};

/// Viewers of each room.
const VIEWERS: usize = 5;

/// The name of the room that comes last.
const THE_END: &str = "the end";

/// Number of rooms that are played and checked at a time.
const AT_ONCE: usize = 4;

/// Scenes that are played on one server. A viewer may knock on a hundred rooms.
const SCENES_MAX: usize = 80;

/// The checks ask for everything at once, and for much of it in each room.
const UNLIMITED: [&str; 4] = ["--limits-cost", "10000000", "--limits-rate", "none"];

#[test]
fn everything_agrees_with_the_oracle_about_who_sees_what() {
    for scenes in scenes(VIEWERS).chunks(SCENES_MAX) {
        agree(scenes);
    }
}

/// Plays the scenes on a server of their own, and compares each path with the oracle.
fn agree(scenes: &[Scene]) {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &UNLIMITED);
    let [alice, dora] = ["alice", "dora"].map(|name| Client::register(&server, name));
    alice
        .run("mutation { setProfile(input: { displayName: \"Alice\" }) { position } }", &json!({}));
    let mut viewers: Vec<_> =
        (0..VIEWERS).map(|number| Client::register(&server, &format!("bob{number}"))).collect();
    let add = |name: &str, claims: &str| {
        let claims = format!("[[{claims}\nexclusive = false\n");
        follow_rooms(&server, data.path(), name, &claims)
    };
    let first_two = "users]]\nregex = '@bob[01]:localhost'";
    viewers.push(add("watch", first_two));
    viewers.push(add("names", "aliases]]\nregex = '#room[0-9]*[02468]:localhost'"));
    let acting = add("acts", "users]]\nregex = '@bob2:localhost'");
    viewers.push(acting.acting_as("@bob2:localhost"));
    let start = alice.position();
    let Story { played, mut live, middle } = play_all(&alice, &dora, &viewers, (&start, scenes));
    let logs: Vec<_> = played.iter().map(|played| log(&alice, played)).collect();
    let mut numbers = Vec::new();
    for (number, viewer) in viewers.iter().enumerate() {
        let caught_up = heard(&mut viewer.follow(Some(&start)), "from the beginning");
        assert_eq!(live[number], caught_up, "live and from the beginning, {}", viewer.user_id);
        let all = polled(viewer, &start, &Value::Null);
        assert_eq!(live[number], all.told, "live and by polling, {}", viewer.user_id);
        assert!(!all.skips, "something is left out, {}", viewer.user_id);
        let topics = polled(viewer, &start, &json!({ "types": ["m.room.topic"] }));
        assert!(topics.skips && topics.told.events.len() < all.told.events.len());
        assert_eq!(
            topics.numbers, all.numbers,
            "told and skipped through a filter, {}",
            viewer.user_id
        );
        numbers.push(topics.numbers);
    }
    viewers.push(add("later", first_two));
    live.push(Told::default());
    numbers.push(Numbers::default());
    let (live, numbers) = (&live[..], &numbers[..]);
    let kinds = kinds();
    let late = &[viewers.len() - 1];
    let checks = Checks {
        alice: &alice,
        viewers: &viewers,
        kinds: &kinds,
        played: &played,
        logs: &logs,
        late,
        live,
        numbers,
    };
    checks.present(&dora, &Client::register(&server, "zoe"));
    checks.are_whole();
    check_all(&checks, (&start, &middle), |_| true);
    // After a restart, the rooms of services are found again.
    server.kill();
    let server = Server::start_with(data.path(), &UNLIMITED);
    let viewers: Vec<_> = viewers.iter().map(|viewer| viewer.at(&server)).collect();
    let checks = Checks { viewers: &viewers, ..checks };
    check_all(&checks, (&start, &middle), |kind| kind != Kind::User);
}

/// The kind of each viewer.
fn kinds() -> Vec<Kind> {
    let watching = Kind::Users(&["@bob0:localhost", "@bob1:localhost"]);
    let mut kinds = vec![Kind::User; VIEWERS];
    kinds.extend([watching, Kind::Aliases, Kind::User, watching]);
    kinds
}

/// Compares all paths of these viewers with the oracle.
fn check_all(checks: &Checks<'_>, since: (&str, &str), wants: impl Fn(Kind) -> bool + Sync) {
    let numbers = || (0..checks.viewers.len()).filter(|number| wants(checks.kinds[*number]));
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let room = next.fetch_add(1, Ordering::Relaxed);
                    let Some(_) = checks.played.get(room) else { break };
                    for number in numbers() {
                        checks.room(room, number);
                    }
                }
            });
        }
    });
    for number in numbers() {
        checks.home_screen(number);
        for since in [since.0, since.1] {
            checks.delta(number, since);
        }
        checks.directory(number);
    }
}

/// The log of a room, with the facts that only its players know.
fn log(alice: &Client, played: &Played) -> Vec<Logged> {
    let mut log = log_of(alice, &played.room);
    for event in log.iter_mut().filter(|event| played.secret.contains(&event.id)) {
        event.redacted_by = Some(played.redaction.clone());
        event.is_edit = event.id == played.secret[1];
    }
    log
}

/// The items of a stream.
#[derive(Debug, Default, PartialEq)]
struct Told {
    events: HashSet<String>,
    receipts: BTreeSet<Moved>,
}

/// A moved receipt: the room, the user, the event, and whether it is private.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Moved {
    room: String,
    user: String,
    event: String,
    private: bool,
}

/// The items of polling.
#[derive(Default)]
struct Polled {
    told: Told,
    /// By room, the numbers of delivered and of skipped events.
    numbers: Numbers,
    /// An event was skipped.
    skips: bool,
}

type Numbers = BTreeMap<String, BTreeSet<u64>>;

/// The played rooms.
struct Story {
    played: Vec<Played>,
    /// The items that reached each viewer live.
    live: Vec<Told>,
    /// A position in the middle.
    middle: String,
}

/// Plays all scenes, and at the end invites every viewer to a separate room.
fn play_all(
    alice: &Client,
    dora: &Client,
    viewers: &[Client],
    (start, scenes): (&str, &[Scene]),
) -> Story {
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
        let users = viewers[..VIEWERS].iter();
        let invite: Vec<_> = users.map(|viewer| &viewer.user_id).collect();
        let alias = "#room0000:localhost";
        alice.create_room(json!({ "name": THE_END, "invite": invite, "alias": alias }));
        listening.into_iter().map(|listening| listening.join().unwrap()).collect()
    });
    let played = rooms.into_inner().unwrap().into_values().collect();
    Story { played, live, middle: middle.into_inner().unwrap() }
}

/// The items of a stream, up to the end.
fn heard(stream: &mut Follower, how: &str) -> Told {
    let mut told = Told::default();
    loop {
        let item = stream.item();
        note(&mut told, &item, how);
        if is_end(&item) {
            return told;
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// Adds an item, which may come only once.
fn note(told: &mut Told, item: &Value, how: &str) {
    assert!(how == "live" || !item.to_string().contains(SECRET), "taken back: {item}, {how}");
    let invited = item["event"]["eventId"].as_str();
    if let Some(event) = item["eventId"].as_str().or(invited) {
        assert!(told.events.insert(event.to_owned()), "{event} came twice, {how}");
    }
    if item["__typename"] == "ReceiptMoved" {
        let private = item["isPrivate"] == true;
        let (user, event) = (text(&item["userId"]), text(&item["readEvent"]));
        let moved = Moved { room: text(&item["room"]["roomId"]), user, event, private };
        assert!(told.receipts.insert(moved), "{item} came twice, {how}");
    }
}

fn is_end(item: &Value) -> bool {
    let opens = ["Invited", "RoomOpened"].contains(&item["__typename"].as_str().unwrap());
    opens && item["room"]["name"] == THE_END
}

/// The same by polling, a few commits at a time.
fn polled(viewer: &Client, start: &str, filter: &Value) -> Polled {
    let document = "query($after: Position!, $filter: FilterBy) {
        events(after: $after, filter: $filter, limit: 100) { position
        skipped { roomId first last } events { __typename
        ... on RoomEvent { eventId sequence content text pdu room { roomId } }
        ... on ReceiptMoved { room { roomId } userId readEvent: eventId isPrivate }
        ... on RoomOpened { room { roomId name } }
        ... on Invited { event { eventId sequence } room { roomId name } } } } }";
    let mut polled = Polled::default();
    let mut after = json!(start);
    loop {
        let filter = if filter.is_null() { Value::Null } else { json!({ "conditions": filter }) };
        let variables = json!({ "after": after, "filter": filter });
        let chunk = viewer.run(document, &variables)["events"].clone();
        for skipped in chunk["skipped"].as_array().unwrap() {
            let (first, last) = (skipped["first"].as_u64(), skipped["last"].as_u64());
            let numbers = polled.numbers.entry(text(&skipped["roomId"])).or_default();
            numbers.extend(first.unwrap()..=last.unwrap());
            polled.skips = true;
        }
        for item in chunk["events"].as_array().unwrap() {
            note(&mut polled.told, item, "polled");
            if is_end(item) {
                // Events of that room may be skipped in the same chunk.
                polled.numbers.remove(item["room"]["roomId"].as_str().unwrap());
                return polled;
            }
            let number = item["sequence"].as_u64().or(item["event"]["sequence"].as_u64());
            if let Some(number) = number {
                polled.numbers.entry(text(&item["room"]["roomId"])).or_default().insert(number);
            }
        }
        assert_ne!(chunk["position"], after, "polling does not get on");
        after = chunk["position"].clone();
    }
}
