//! One budget of memory for all caches.
//!
//! **Invariant:** the size of the caches follows `memory.budget`, and the program prints the share of each.
#![cfg(target_os = "linux")]

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    client::Client,
    costly::resident_kib,
    server::{Server, succeed},
};

const ROOMS: usize = 40;
const MESSAGES: usize = 60;

/// Reads all messages of a room in pages, each with a different document.
fn scroll(client: &Client, room: &str, number: usize) {
    let mut before = Value::Null;
    for page in 0.. {
        let document = format!(
            "query Scroll{number}x{page}($before: Cursor) {{ room(by: {{ roomId: \"{room}\" }}) {{
                timeline(last: 30, before: $before) {{
                    pageInfo {{ hasPreviousPage startCursor }} nodes {{ eventId content }} }} }} }}"
        );
        let answer = client.run(&document, &json!({ "before": before }));
        let info = &answer["room"]["timeline"]["pageInfo"];
        before = info["startCursor"].clone();
        if info["hasPreviousPage"] != true {
            return;
        }
    }
}

/// Resident KiB after a load with this budget, and after a restart.
fn loaded_and_fresh(budget: &str) -> (u64, u64) {
    let arguments = ["--limits-rate", "none", "--memory-budget", budget];
    let data = tempdir().unwrap();
    let server = Server::start_with(data.path(), &arguments);
    let eve = Client::register(&server, "eve");
    let rooms: Vec<_> = (0..ROOMS).map(|_| eve.create_room(json!({}))).collect();
    let body = "x".repeat(4_000);
    for room in &rooms {
        eve.say_many(room, &body, MESSAGES);
    }
    for (number, room) in rooms.iter().chain(&rooms).enumerate() {
        scroll(&eve, room, number);
    }
    let loaded = resident_kib(&server);
    assert!(server.stop().success());
    let server = Server::start_with(data.path(), &arguments);
    eve.at(&server).run("{ viewer { user { userId } } }", &json!({}));
    (loaded, resident_kib(&server))
}

#[test]
fn a_smaller_budget_leaves_less_in_memory_after_the_same_load() {
    let (small, large) = (loaded_and_fresh("16MiB"), loaded_and_fresh("256MiB"));
    // The engine of the log and the allocator take some of it with any budget.
    let (by_small, by_large) = (small.0.saturating_sub(small.1), large.0.saturating_sub(large.1));
    assert!(6 * by_small < 5 * by_large, "loaded and fresh: {small:?} KiB, {large:?} KiB");
}

#[test]
fn a_load_takes_at_most_twice_the_memory_of_a_restart() {
    for budget in ["16MiB", "64MiB"] {
        let (loaded, fresh) = loaded_and_fresh(budget);
        assert!(
            loaded < 2 * fresh,
            "{budget}: {loaded} KiB after the load, {fresh} after a restart"
        );
    }
}

#[test]
fn the_budget_and_its_shares_are_printed() {
    let data = tempdir().unwrap();
    let shown = succeed(data.path(), &["--check-config", "--memory-budget", "64MiB"], "");
    assert!(shown.contains("memory.budget = \"64MiB\""), "{shown}");
    assert!(shown.contains("pages of the log (cache.log)") && shown.contains(" 16 MiB"), "{shown}");
}
