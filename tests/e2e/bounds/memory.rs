//! Long answers of every kind leave no memory behind.
#![cfg(target_os = "linux")]

use std::{thread, time::Instant};

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    client::{ANSWER_MAX, Client},
    costly::{aliases, contents, in_room, large_messages, resident_kib, scans},
    server::Server,
};

/// Threads that ask at the same time.
const THREADS: usize = 4;

/// The request of one kind of answer, and its bytes at least.
enum Asked {
    Query(String, usize),
    /// The first chunk of a subscription after this position.
    Chunk(String, String, usize),
}

impl Asked {
    /// How often each thread asks: together the answers are longer than the memory of the server before them.
    fn times(&self) -> usize {
        match self {
            Self::Query(..) => 5,
            Self::Chunk(..) => 40,
        }
    }

    fn ask(&self, client: &Client) {
        let (answer, least) = match self {
            Self::Query(query, least) => (client.run(query, &json!({})), least),
            Self::Chunk(document, after, least) => {
                let mut socket = client.socket();
                socket.subscribe("s", document, &json!({ "after": after }));
                let message = socket.receive();
                assert_eq!(message["type"], "next", "{}", shortened(&message));
                (message, least)
            }
        };
        let bytes = answer.to_string().len();
        assert!(bytes >= *least, "an answer of {bytes} bytes: {}", shortened(&answer));
    }
}

fn shortened(answer: &Value) -> String {
    answer.to_string().chars().take(300).collect()
}

/// One room with large messages, a message with many reactions, and many state events.
fn long_answers(eve: &Client) -> [(&'static str, Asked); 5] {
    const LONG: usize = 1 << 20;
    let room = eve.create_room(json!({}));
    let after = eve.position();
    large_messages(eve, &room, 30);
    let event = eve.say(&room, "the message");
    for number in 0..20 {
        let key = format!("k{number}{}", "x".repeat(200));
        eve.act("addReaction", json!({ "roomId": room, "eventId": event, "key": key }));
    }
    let topic = "t".repeat(8_000);
    eve.act("setRoomTopic", json!({ "roomId": room, "topic": topic }));
    let reactions = aliases(120, |_| "reactions(first: 20) { ...Reactions }".into());
    let reactions = format!(
        "{{ event(eventId: \"{event}\") {{ {reactions} }} }}
         fragment Reactions on ReactionConnection {{ nodes {{ key users(first: 1) {{ nodes {{ userId }} }} }} }}"
    );
    let pages = aliases(90, |alias| {
        format!("state(first: 20) {{ ...State }} m{alias}: members(first: 20) {{ ...Members }}")
    });
    let pages = format!(
        "{} fragment State on RoomStateConnection {{ nodes {{ type content }} }}
         fragment Members on RoomMemberConnection {{ nodes {{ userId membership }} }}",
        in_room(&room, &pages)
    );
    let content = aliases(4, |_| "content".into());
    let chunk = format!(
        "subscription($after: Position) {{ eventStream(after: $after) {{ position
            events {{ ... on RoomEvent {{ {content} }} }} }} }}"
    );
    [
        ("contents", Asked::Query(contents(&room, 4), 6 * LONG)),
        ("reactions", Asked::Query(reactions, LONG / 4)),
        ("scans", Asked::Query(scans(&room, 160), 3_000)),
        ("state and members", Asked::Query(pages, LONG / 4)),
        ("chunks of a subscription", Asked::Chunk(chunk, after, LONG)),
    ]
}

#[test]
fn long_answers_of_every_kind_leave_no_memory_behind() {
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &["--limits-rate", "none"]);
    let eve = Client::register(&server, "eve");
    let kinds = long_answers(&eve);
    for (_, asked) in &kinds {
        asked.ask(&eve);
    }
    // The same for all kinds, so that what each of them leaves adds up.
    let before = resident_kib(&server);
    for (kind, asked) in &kinds {
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| (0..asked.times()).for_each(|_| asked.ask(&eve)));
            }
        });
        let loaded = resident_kib(&server);
        // The allocator returns memory while the server works, some time after it was freed.
        let deadline = Instant::now() + ANSWER_MAX;
        while resident_kib(&server) > 2 * before && Instant::now() < deadline {
            eve.run("{ server { name } }", &json!({}));
        }
        let after = resident_kib(&server);
        assert!(
            after <= 2 * before,
            "{kind}: {before} KiB before, {loaded} in it, {after} after it"
        );
    }
}
