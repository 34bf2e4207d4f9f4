//! Expensive queries: they are bounded, delay nobody else, and their memory is returned.

use std::{
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    client::{ANSWER_MAX, Client},
    server::{Server, eventually},
};

/// Only the limit of a single answer is under test.
const NO_RATE: [&str; 2] = ["--limits-rate", "none"];

/// `count` copies of a field, under aliases.
pub(crate) fn aliases(count: usize, field: impl Fn(usize) -> String) -> String {
    (0..count).map(|alias| format!("a{alias}: {} ", field(alias))).collect()
}

pub(crate) fn in_room(room: &str, selection: &str) -> String {
    format!("{{ room(by: {{ roomId: \"{room}\" }}) {{ {selection} }} }}")
}

/// A page of large messages, each of them many times.
pub(crate) fn contents(room: &str, count: usize) -> String {
    let content = aliases(count, |_| "content".into());
    in_room(room, &format!("timeline(last: 100) {{ nodes {{ {content} }} }}"))
}

/// Reads with a filter that matches nothing.
pub(crate) fn scans(room: &str, count: usize) -> String {
    let scan = |alias: usize| {
        format!(
            "timeline(last: 1, filter: {{ conditions: {{ types: [\"x{alias}\"] }} }}) {{ nodes {{ eventId }} }}"
        )
    };
    in_room(room, &aliases(count, scan))
}

pub(crate) fn large_messages(client: &Client, room: &str, count: usize) {
    let body = "x".repeat(59_000);
    for _ in 0..count {
        client.say(room, &body);
    }
}

#[cfg(target_os = "linux")]
pub(crate) fn resident_kib(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn aliases_of_large_contents_are_refused_and_leave_no_memory_behind() {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &NO_RATE);
    let eve = Client::register(&server, "eve");
    let room = eve.create_room(json!({}));
    large_messages(&eve, &room, 60);
    let within = eve.run(&contents(&room, 2), &json!({}));
    assert!(within["room"]["timeline"]["nodes"].as_array().unwrap().len() >= 60);
    let before = resident_kib(&server);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..3 {
                    let code = eve.fail(&contents(&room, 900), &json!({}));
                    assert_eq!(code, "ANSWER_TOO_LARGE");
                    eve.run(&contents(&room, 2), &json!({}));
                }
            });
        }
    });
    let loaded = resident_kib(&server);
    // The allocator returns memory while the server works, some time after it was freed.
    let deadline = Instant::now() + ANSWER_MAX;
    while resident_kib(&server) > 2 * before && Instant::now() < deadline {
        eve.run("{ server { name } }", &json!({}));
    }
    let after = resident_kib(&server);
    assert!(after <= 2 * before, "{before} KiB before the load, {loaded} in it, {after} after it");
}

/// Smaller differences come from the machine, as in the tests of interference.
const NOISE: Duration = Duration::from_millis(25);

/// The 99th percentile of times.
fn p99(times: &[Duration]) -> Duration {
    times[(times.len() * 99).div_ceil(100) - 1]
}

/// The time of each of `count` sends, the longest last.
fn sends(client: &Client, room: &str, count: usize) -> Vec<Duration> {
    let mut times: Vec<_> = (0..count)
        .map(|number| {
            let began = Instant::now();
            client.say(room, &number.to_string());
            began.elapsed()
        })
        .collect();
    times.sort();
    times
}

#[test]
fn costly_queries_delay_nobody_else() {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &NO_RATE);
    let eve = Client::register(&server, "eve");
    let room = eve.create_room(json!({ "preset": "PUBLIC" }));
    let bob = Client::register(&server, "bob");
    large_messages(&eve, &room, 20);
    let event = eve.say(&room, "the message");
    // As many different reactions as a message may have, and each user.
    for user in 0..5 {
        let user = Client::register(&server, &format!("fan{user}"));
        user.act("joinRoom", json!({ "room": { "roomId": room } }));
        for number in 0..20 {
            let key = format!("{}{number}{}", user.user_id, "x".repeat(200));
            user.act("addReaction", json!({ "roomId": room, "eventId": event, "key": key }));
        }
    }
    let counted = format!(
        "{{ event(eventId: \"{event}\") {{ reactions(first: 100) {{ nodes {{ key }} }} }} }}"
    );
    let counted = eve.run(&counted, &json!({}));
    assert_eq!(counted["event"]["reactions"]["nodes"].as_array().unwrap().len(), 100);
    let reactions = aliases(10, |_| {
        let reactions = aliases(10, |_| {
            "reactions(first: 100) { nodes { key users(first: 1) { nodes { userId displayName } } } }".into()
        });
        format!("event(eventId: \"{event}\") {{ {reactions} }}")
    });
    let queries = [contents(&room, 900), scans(&room, 160), format!("{{ {reactions} }}")];
    // A document of 12 KB that the server has not seen before.
    let unknown = |number: usize| {
        let fields: String = (0..500).map(|field| format!("m{number}x{field}: topic ")).collect();
        in_room(&room, &fields)
    };
    delays_nobody_else(&bob, |done| {
        thread::scope(|scope| {
            for worker in 0..4 {
                let (eve, queries, unknown) = (&eve, &queries, &unknown);
                scope.spawn(move || {
                    for (number, query) in queries.iter().cycle().skip(worker).enumerate() {
                        if done.load(Ordering::Relaxed) {
                            return;
                        }
                        eve.post(query, &json!({}));
                        eve.post(&unknown(worker * 1_000_000 + number), &json!({}));
                    }
                });
            }
        });
    });
}

#[test]
fn costly_subscriptions_delay_nobody_else() {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &NO_RATE);
    let (eve, bob) = (Client::register(&server, "eve"), Client::register(&server, "bob"));
    let room = eve.create_room(json!({}));
    let start = eve.position();
    large_messages(&eve, &room, 30);
    let answer = |fields: usize| {
        let fields = aliases(fields, |_| "content".into());
        let document = format!(
            "subscription($after: Position) {{ eventStream(after: $after) {{ position
                events {{ ... on RoomEvent {{ {fields} }} }} }} }}"
        );
        let mut socket = eve.socket();
        socket.subscribe("s", &document, &json!({ "after": start }));
        socket.next().expect("a result or an error")
    };
    assert_eq!(answer(4)["type"], "next");
    assert_eq!(answer(900)["payload"][0]["extensions"]["code"], "ANSWER_TOO_LARGE");
    delays_nobody_else(&bob, |done| {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while !done.load(Ordering::Relaxed) {
                        answer(4);
                        answer(900);
                    }
                });
            }
        });
    });
}

/// Compares the sends of `client` alone with those beside `others`, who compute all the time until `done`. They
/// share the few processors of the machine with other tests, so a slow try may have another cause. Work without pauses
/// delays sends in every try.
fn delays_nobody_else(client: &Client, others: impl Fn(&AtomicBool) + Sync) {
    let quiet = client.create_room(json!({}));
    let mut seen = Vec::new();
    for _ in 0..4 {
        let alone = p99(&sends(client, &quiet, 200));
        let done = AtomicBool::new(false);
        let beside = thread::scope(|scope| {
            scope.spawn(|| others(&done));
            let beside = p99(&sends(client, &quiet, 200));
            done.store(true, Ordering::Relaxed);
            beside
        });
        seen.push((alone, beside));
        if beside <= 2 * alone.max(NOISE) {
            return;
        }
    }
    panic!("a send alone and beside the others: {seen:?}");
}

#[test]
fn chunks_that_nobody_reads_make_room_for_those_of_others() {
    let data = tempdir().unwrap();
    // Room for two unread chunks.
    let limits = ["--limits-rate", "none", "--limits-answer", "1MiB", "--limits-answers", "1MiB"];
    let limits = [&limits[..], &["--log", "info,rookery_graphql_edge=debug"]].concat();
    let server = Server::start_with(data.path(), &limits);
    let (eve, bob) = (Client::register(&server, "eve"), Client::register(&server, "bob"));
    let room = eve.create_room(json!({ "preset": "PUBLIC" }));
    bob.act("joinRoom", json!({ "room": { "roomId": room } }));
    let start = eve.position();
    eve.say_many(&room, "x", 150);
    let fields = aliases(60, |_| "sequence".into());
    let chunk = format!(
        "subscription($after: Position) {{ eventStream(after: $after) {{ position
            events {{ ... on RoomEvent {{ {fields} }} }} }} }}"
    );
    let mut sockets: Vec<_> = (0..3).map(|_| eve.narrow_socket()).collect();
    for socket in &mut sockets {
        for subscription in 0..8 {
            socket.subscribe_later(&subscription.to_string(), &chunk, &json!({ "after": start }));
        }
        socket.flush();
    }
    eventually("a client that does not read makes room", || {
        !server.logged("whose client does not read is closed").is_empty()
    });
    // The first chunk decides which of them it is. It gets the position to resume from.
    let (closed, codes) = mpsc::channel();
    for mut socket in sockets {
        let closed = closed.clone();
        thread::spawn(move || closed.send(socket.closing()));
    }
    assert_eq!(codes.recv_timeout(ANSWER_MAX), Ok(4008));
    let mut stream = bob.follow(Some(&start));
    for _ in 0..150 {
        stream.item();
    }
}

#[test]
fn a_filter_that_fits_nothing_is_charged_and_read_once() {
    let data = tempdir().unwrap();
    let limits = ["--limits-rate", "none", "--limits-work", "1100"];
    let server = Server::start_with(data.path(), &limits);
    let eve = Client::register(&server, "eve");
    let room = eve.create_room(json!({}));
    for number in 0..300 {
        eve.say(&room, &number.to_string());
    }
    // Each of these reads the same 300 events, which count once; the repetitions count as rows.
    eve.run(&scans(&room, 30), &json!({}));
    assert_eq!(eve.fail(&scans(&room, 160), &json!({})), "TOO_MUCH_WORK");
}

/// All of a list, page by page: `page` asks for the page after a cursor, and returns its items with their
/// cursors.
fn pages(page: impl Fn(Option<Value>) -> Vec<(Value, Value)>) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), None);
    for _ in 0..100 {
        let found = page(after.take());
        let Some((_, last)) = found.last() else { return all };
        after = Some(last.clone());
        all.extend(found.into_iter().map(|(item, _)| item));
    }
    panic!("the pages never end: {all:?}");
}

/// The items of the page at `path` of an answer, each with its cursor.
fn items(answer: &Value, path: &str) -> Vec<(Value, Value)> {
    let page = answer.pointer(path).unwrap();
    let edges = page["edges"].as_array().unwrap();
    let has_next = page["pageInfo"]["hasNextPage"] == true;
    assert!(!has_next || page["pageInfo"]["endCursor"] == edges.last().unwrap()["cursor"]);
    edges.iter().map(|edge| (edge["node"].clone(), edge["cursor"].clone())).collect()
}

#[test]
fn lists_go_on_after_their_pages() {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &NO_RATE);
    let ann = Client::register(&server, "ann");
    let room = ann.create_room(json!({ "preset": "PUBLIC" }));
    let (event, liked) = (ann.say(&room, "look"), ann.say(&room, "and this"));
    let others: Vec<_> =
        (0..5).map(|number| Client::register(&server, &format!("user{number}"))).collect();
    for (number, other) in others.iter().enumerate() {
        other.act("joinRoom", json!({ "room": { "roomId": room } }));
        other.act("addReaction", json!({ "roomId": room, "eventId": liked, "key": "+" }));
        let key = format!("k{number}");
        ann.act("addReaction", json!({ "roomId": room, "eventId": event, "key": key }));
        other.run(
            "mutation($input: MarkRoomReadInput!) { markRoomRead(input: $input) { refusal { code } } }",
            &json!({ "input": { "roomId": room, "eventId": event } }),
        );
        other.run(
            "mutation($input: SetTypingInput!) { setTyping(input: $input) { refusal { code } } }",
            &json!({ "input": { "roomId": room, "isTyping": true } }),
        );
        ann.run(
            "mutation($input: CreateFilterInput!) { createFilter(input: $input) { filterId } }",
            &json!({ "input": { "filter": { "types": [format!("t{number}")] } } }),
        );
        ann.log_in("correct horse");
    }
    let alternative: Vec<_> = (0..5).map(|number| format!("#a{number}:localhost")).collect();
    ann.run(
        "mutation($input: SetRoomAliasesInput!) { setRoomAliases(input: $input) { refusal { code } } }",
        &json!({ "input": { "roomId": room, "alternative": alternative } }),
    );
    // A list with its selection, its path, and how many entries it has at least.
    let in_room = |list: &str| format!("room(by: {{ roomId: \"{room}\" }}) {{ {list} }}");
    let lists = [
        (
            format!("event(eventId: \"{event}\") {{ reactions(ARGS) {{ pageInfo {{ hasNextPage endCursor }}
                edges {{ cursor node {{ key count }} }} }} }}"),
            "/event/reactions",
            5,
        ),
        (
            format!(
                "event(eventId: \"{liked}\") {{ reactions {{ nodes {{
                    users(ARGS) {{ pageInfo {{ hasNextPage endCursor }}
                    edges {{ cursor node {{ userId }} }} }} }} }} }}"
            ),
            "/event/reactions/nodes/0/users",
            5,
        ),
        (in_room("aliases(ARGS) { pageInfo { hasNextPage endCursor } edges { cursor node } }"), "/room/aliases", 5),
        (in_room("typing(ARGS) { pageInfo { hasNextPage endCursor } edges { cursor node { userId } } }"), "/room/typing", 5),
        (in_room("receipts(ARGS) { pageInfo { hasNextPage endCursor } edges { cursor node { userId } } }"), "/room/receipts", 5),
        (in_room("state(ARGS) { pageInfo { hasNextPage endCursor } edges { cursor node { type stateKey } } }"), "/room/state", 11),
        ("viewer { filters(ARGS) { pageInfo { hasNextPage endCursor } edges { cursor node { filterId } } } }".to_owned(), "/viewer/filters", 5),
        ("viewer { devices(ARGS) { pageInfo { hasNextPage endCursor } edges { cursor node { deviceId } } } }".to_owned(), "/viewer/devices", 6),
    ];
    for (list, path, least) in lists {
        let whole = list.replace("ARGS", "first: 100");
        let whole = ann.run(&format!("{{ {whole} }}"), &json!({}));
        let whole = items(&whole, path);
        assert!(whole.len() >= least, "{list}: {whole:?}");
        let paged = list.replace("ARGS", "first: 2, after: $after");
        let paged = format!("query($after: String) {{ {paged} }}");
        let page = |after: Option<Value>| {
            let answer = ann.run(&paged, &json!({ "after": after }));
            let found = items(&answer, path);
            assert!(found.len() <= 2, "{list}: {found:?}");
            found
        };
        let whole: Vec<_> = whole.into_iter().map(|(item, _)| item).collect();
        assert_eq!(pages(page), whole, "{list}");
    }
}

#[test]
fn a_count_of_members_takes_no_longer_for_more_of_them() {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &["--limits-rate", "none", "--limits-work", "3"]);
    let ann = Client::register(&server, "ann");
    let room = ann.create_room(json!({ "preset": "PUBLIC" }));
    let bob = Client::register(&server, "bob");
    bob.act("joinRoom", json!({ "room": { "roomId": room } }));
    // Joined members are counted already; others are counted once for a request, out of its work.
    let count = |membership: &str| {
        let members = |_| format!("members(first: 1, membership: {membership}) {{ totalCount }}");
        in_room(&room, &aliases(3, members))
    };
    let joined = ann.run(&count("JOIN"), &json!({}));
    assert_eq!(joined["room"]["a2"]["totalCount"], 2);
    assert_eq!(ann.fail(&count("BAN"), &json!({})), "TOO_MUCH_WORK");
}
