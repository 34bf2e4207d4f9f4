//! Administrators watch the server and act on it over GraphQL; others may not.

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    client::{Client, two},
    server::{Server, eventually},
};

const STATUS: &str = "{ admin { status {
    logPosition accountCount roomCount
    readModels { name position behind parkedCount }
    parkedStreams { model stream position reason }
    processes { name behind skipped trouble }
    rebuild { done total secondsLeft }
    counters { appends deliveries streams sockets }
} } }";

fn status(admin: &Client) -> Value {
    admin.run(STATUS, &json!({}))["admin"]["status"].clone()
}

#[test]
fn only_administrators_see_the_server_and_act_on_it() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, _room) = two(&server);
    let others = [
        "{ admin { accounts { nodes { isAdmin } } } }",
        "{ admin { rooms { nodes { roomId } } } }",
        "mutation { rebuildReadModels(input: {}) { refusal { code } } }",
        "mutation { retryParkedStreams(input: {}) { refusal { code } } }",
    ];
    for document in [STATUS].into_iter().chain(others) {
        assert_eq!(bob.fail(document, &json!({})), "FORBIDDEN", "{document}");
        alice.run(document, &json!({}));
    }
}

#[test]
fn administrator_watches_log_models_and_counters_and_rebuilds() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, room) = two(&server);
    let before = status(&alice);
    let _follower = bob.follow(Some(&bob.position()));
    eventually("the stream is open", || status(&alice)["counters"]["streams"] == 1);
    alice.say(&room, "hello");
    let is_over = |status: &Value| {
        let models = status["readModels"].as_array().unwrap();
        models.iter().all(|model| model["behind"] == 0 && model["parkedCount"] == 0)
    };
    eventually("the models reach the end of the log", || is_over(&status(&alice)));
    let after = status(&alice);
    let grown = |what: &str| {
        after["counters"][what].as_i64().unwrap() - before["counters"][what].as_i64().unwrap()
    };
    assert!(grown("appends") >= 1, "{before} {after}");
    assert!(grown("deliveries") >= 1, "{before} {after}");
    assert_eq!((grown("streams"), grown("sockets")), (1, 1));
    assert_eq!((&after["accountCount"], &after["roomCount"]), (&json!(2), &json!(1)));
    assert_eq!(after["parkedStreams"], json!([]));
    assert!(after["processes"].as_array().unwrap().iter().any(|it| it["name"] == "erasures"));
    let rebuild =
        "mutation { rebuildReadModels(input: { reason: \"a test\" }) { refusal { code } } }";
    alice.run(rebuild, &json!({}));
    eventually("the rebuild is over", || !server.logged("rebuilt the read models").is_empty());
    eventually("no rebuild runs any more", || status(&alice)["rebuild"].is_null());
    let retry = "mutation { retryParkedStreams(input: {}) { applied parked refusal { code } } }";
    let retried = alice.run(retry, &json!({}))["retryParkedStreams"].clone();
    assert_eq!(retried, json!({ "applied": 0, "parked": 0, "refusal": null }));
}

#[test]
fn administrator_finds_accounts_and_rooms_page_by_page() {
    let data = tempdir().unwrap();
    let server = Server::start(data.path());
    let (alice, bob, first) = two(&server);
    for name in ["Kitchen", "Attic"] {
        bob.create_room(json!({ "name": name, "preset": "PRIVATE" }));
    }
    let rooms = "query($search: String, $after: String) { admin { rooms(first: 1, search: $search, after: $after) {
        nodes { roomId name memberCount isListed } pageInfo { hasNextPage endCursor } } } }";
    let page = |variables: Value| alice.run(rooms, &variables)["admin"]["rooms"].clone();
    let (mut after, mut names) = (Value::Null, Vec::new());
    loop {
        let page = page(json!({ "after": after }));
        names.extend(page["nodes"].as_array().unwrap().iter().map(|room| room["name"].clone()));
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(names[..2], [json!("Attic"), json!("Kitchen")], "the newest comes first");
    assert_eq!(names.len(), 3);
    let found = page(json!({ "search": "KITCH" }));
    assert_eq!(found["nodes"][0]["memberCount"], 1);
    assert_eq!(found["pageInfo"]["hasNextPage"], false);
    assert_eq!(page(json!({ "search": first }))["nodes"][0]["roomId"], json!(first));
    let accounts = "query($search: String) { admin { accounts(search: $search) {
        nodes { user { userId } isAdmin hasPassword deactivatedAt } } } }";
    let all = alice.run(accounts, &json!({}))["admin"]["accounts"]["nodes"].clone();
    let admins: Vec<_> = all.as_array().unwrap().iter().map(|it| it["isAdmin"].clone()).collect();
    assert_eq!(admins, [json!(true), json!(false)]);
    let found =
        alice.run(accounts, &json!({ "search": "b" }))["admin"]["accounts"]["nodes"].clone();
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!(found[0]["user"]["userId"], json!(bob.user_id));
}
