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
const ROUNDS: usize = 4;

/// The subscription of the store, with the fragments that it spreads.
fn subscription() -> String {
    let definitions: Vec<&str> = DOCUMENTS.split("\n\n").collect();
    let mut chosen = BTreeSet::new();
    let mut open = vec!["subscription StoreFollow".to_owned()];
    while let Some(beginning) = open.pop() {
        let found = definitions.iter().position(|it| it.contains(&format!("{beginning}(")) || it.contains(&format!("{beginning} ")));
        let place = found.unwrap_or_else(|| panic!("documents.graphql has no `{beginning}`"));
        if chosen.insert(place) {
            let names = definitions[place].split("...").skip(1).filter(|rest| !rest.starts_with(' '));
            let name = |rest: &str| rest.split(|it: char| !it.is_alphanumeric()).next().map(str::to_owned);
            open.extend(names.filter_map(name).map(|name| format!("fragment {name}")));
        }
    }
    chosen.into_iter().map(|place| definitions[place]).collect::<Vec<_>>().join("\n\n")
}

/// The events of the next chunk that has some.
async fn next(frames: &mut BoxStream<'static, Frame>) -> usize {
    loop {
        let frame = frames.next().await.unwrap();
        let text = match frame.payload {
            Payload::Shared(text) => text.to_string(),
            Payload::Own(response) => serde_json::to_string(&response).unwrap(),
        };
        let chunk: Value = serde_json::from_str(&text).unwrap();
        let events = chunk["data"]["eventStream"]["events"].as_array().unwrap_or_else(|| panic!("{text}"));
        if !events.is_empty() {
            return events.iter().filter(|it| it["__typename"] == "MessageEvent").count();
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
    let mut rooms = Vec::new();
    for number in 0..ROOMS {
        let room = crate::create(&home, &people[number % PAGES], "SHARED").await;
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
    let before = home.counts();
    for round in 0..ROUNDS {
        for (number, room) in rooms.iter().enumerate() {
            // The actions have numbers, which only the device that sent them sees.
            let body = format!("{round} in {number}");
            let input = json!({ "roomId": room, "body": body, "actionId": 1 + round });
            home.act(&people[number % PAGES], "sendMessage", input).await;
            let told = futures_util::future::join_all(pages.iter_mut().map(next)).await;
            assert_eq!(told, [1; PAGES], "round {round}, room {number}");
        }
    }
    let (counts, events) = (home.counts(), u64::try_from(ROUNDS * ROOMS).unwrap());
    let executed = counts.executed - before.executed;
    let own = counts.own - before.own;
    assert!(executed + own <= events * 105 / 100, "{events} events, {executed} executions, {own} for one: {counts:?}");
    drop(pages);
    home.close().await;
}
