//! The store of the TypeScript client: many pages follow the same rooms, and the server executes each
//! event about once for all of them.

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, stream::BoxStream};
use rookery_graphql_edge::{Frame, Payload};
use serde_json::{Value, json};

use crate::home::Home;

const DOCUMENTS: &str = include_str!("../../../../clients/typescript/src/store/documents.graphql");

const PAGES: usize = 50;
const ROOMS: usize = 50;
const ROUNDS: usize = 2;

/// The subscription of the store, with the fragments that it spreads.
fn subscription() -> String {
    let definitions: Vec<&str> = DOCUMENTS.split("\n\n").collect();
    let mut chosen = BTreeSet::new();
    let mut open = vec!["subscription StoreFollow".to_owned()];
    while let Some(beginning) = open.pop() {
        let found = definitions.iter().position(|it| {
            it.contains(&format!("{beginning}(")) || it.contains(&format!("{beginning} "))
        });
        let place = found.unwrap_or_else(|| panic!("documents.graphql has no `{beginning}`"));
        if chosen.insert(place) {
            let names =
                definitions[place].split("...").skip(1).filter(|rest| !rest.starts_with(' '));
            let name =
                |rest: &str| rest.split(|it: char| !it.is_alphanumeric()).next().map(str::to_owned);
            open.extend(names.filter_map(name).map(|name| format!("fragment {name}")));
        }
    }
    chosen.into_iter().map(|place| definitions[place]).collect::<Vec<_>>().join("\n\n")
}

/// The messages of the next chunk that has events, and whether it was executed for many.
async fn next(frames: &mut BoxStream<'static, Frame>) -> (usize, bool) {
    loop {
        let frame = frames.next().await.unwrap();
        let (text, is_shared) = match frame.payload {
            Payload::Shared(text) => (text.to_string(), true),
            Payload::Own(response) => (serde_json::to_string(&response).unwrap(), false),
        };
        let chunk: Value = serde_json::from_str(&text).unwrap();
        let events = chunk["data"]["eventStream"]["events"].as_array();
        let events = events.unwrap_or_else(|| panic!("{text}"));
        if !events.is_empty() {
            let messages = events.iter().filter(|it| it["__typename"] == "MessageEvent");
            return (messages.count(), is_shared);
        }
    }
}

#[tokio::test]
async fn fifty_pages_of_the_store_in_fifty_rooms_cost_one_execution_for_each_event() {
    let home = Home::open().await;
    let mut people = Vec::new();
    for number in 0..PAGES {
        people.push(home.register(&format!("user{number}")).await);
    }
    // A device gets its own actions with their numbers, which nobody else sees. So no page sends.
    let sender = home.register("sender").await;
    let mut rooms = Vec::new();
    for _ in 0..ROOMS {
        let room = crate::create(&home, &sender, "SHARED").await;
        for person in &people {
            home.act(person, "joinRoom", json!({ "room": { "roomId": room } })).await;
        }
        rooms.push(room);
    }
    let query = "query { initialSync(first: 1) { position } }";
    let after = home.ask(&people[0], query, json!({})).await["initialSync"]["position"].clone();
    let document = subscription();
    let follow = |person| home.frames(true, person, &document, &json!({ "after": after }));
    let mut pages: Vec<_> = people.iter().map(follow).collect();
    // While a page catches up, counts come together with events.
    home.say(&sender, &rooms[0], "all are live after this").await;
    futures_util::future::join_all(pages.iter_mut().map(next)).await;
    let before = home.counts();
    for round in 0..ROUNDS {
        for (number, room) in rooms.iter().enumerate() {
            let body = format!("{round} in {number}");
            let input =
                json!({ "roomId": room, "body": body, "actionId": 1 + round * ROOMS + number });
            home.act(&sender, "sendMessage", input).await;
            let told = futures_util::future::join_all(pages.iter_mut().map(next)).await;
            assert_eq!(told, [(1, true); PAGES], "round {round}, room {number}");
        }
    }
    let events = u64::try_from(ROUNDS * ROOMS).unwrap();
    let executed = home.counts().executed - before.executed;
    assert!(executed <= events * 105 / 100, "{executed} executions for {events} events");
    drop(pages);
    home.close().await;
}
