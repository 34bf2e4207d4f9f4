//! History that is fetched after a join.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use rookery_domain::{EventStatus, HistoryVisibility, OwnedEventId, RoomEvent, RoomVersionId};
use rookery_log::Millis;
use serde_json::value::RawValue;

use super::{
    VERSIONS, block_on,
    middle::{deliver, joined, json_of, listed},
};
use crate::{
    PastPage, StatedPast, TakenPast,
    testing::{Orders, Server, World, folded, graph_of, history, room_of},
};

/// Events before these, as a server with all events answers: the deepest first, at most `limit`.
fn page(world: &World, from: &[OwnedEventId], limit: usize) -> Vec<Box<RawValue>> {
    let (mut open, mut seen) = (from.to_vec(), BTreeSet::new());
    let mut found = Vec::new();
    while let Some(id) = open.pop() {
        if seen.insert(id.clone()) {
            let json = json_of(world, &id);
            open.extend(listed(&json, "prev_events"));
            let event: serde_json::Value = serde_json::from_str(json.get()).unwrap();
            found.push((std::cmp::Reverse(event["depth"].as_u64().unwrap()), id, json));
        }
    }
    found.sort_unstable_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    found.into_iter().map(|(_, _, json)| json).take(limit).collect()
}

/// The states that a page needs, as the first server of the world states them.
async fn states(world: &World, page: &PastPage) -> Vec<StatedPast> {
    let mut states = Vec::new();
    for (id, auth) in page.needs_states() {
        let prev = listed(&json_of(world, id), "prev_events");
        let resident = &world.servers[0].commands;
        let state = resident.state_before(&world.room_id, &prev).await.unwrap().unwrap();
        let all = state.state.iter().chain(&state.auth_chain).chain(auth);
        let events = all.map(|id| json_of(world, id)).collect();
        states.push(StatedPast { before: id.clone(), holders: state.state, events });
    }
    states
}

async fn take(world: &World, server: &Server, pdus: &[Box<RawValue>]) -> TakenPast {
    let (origin, room) = (&world.servers[0].name, &world.room_id);
    let page = server.commands.connect_past(&world.keys, origin, room, pdus).await.unwrap();
    let page = page.unwrap();
    let states = states(world, &page).await;
    server.commands.receive_past(&world.keys, room, &page, &states, Millis(2)).await.unwrap()
}

/// The events with a place.
async fn placed(server: &Server, world: &World) -> BTreeMap<OwnedEventId, RoomEvent> {
    let events = history(&*server.log, &world.room_id).await;
    let events = events.into_iter().flat_map(|(_, events)| events);
    let placed = events.filter(|event| event.envelope.status != EventStatus::Outlier);
    let mut found = BTreeMap::new();
    for event in placed {
        let before = found.insert(event.pdu.event_id.clone(), event);
        assert_eq!(before, None, "each event has one place");
    }
    found
}

type State = Vec<(String, String, OwnedEventId)>;

fn owned(state: Vec<(&str, &str, OwnedEventId)>) -> State {
    state.into_iter().map(|(kind, key, id)| (kind.to_owned(), key.to_owned(), id)).collect()
}

/// The history visibility of a state.
fn setting(
    events: &BTreeMap<OwnedEventId, RoomEvent>,
    state: &[OwnedEventId],
) -> HistoryVisibility {
    let held = state.iter().map(|id| &*events[id].pdu);
    let held = held.into_iter().find(|pdu| pdu.kind.to_string() == "m.room.history_visibility");
    rookery_domain::settings::HISTORY_VISIBILITY.of(held).unwrap_or_default()
}

/// Fetches all history in pages, in any order of their events, with restarts and live events in
/// between, and compares with a server that has all events.
async fn check(seed: u64, version: RoomVersionId, limit: usize) {
    let (mut world, mut server) = joined(seed, version, 40).await;
    let mut orders = Orders::new(seed);
    let old: Vec<_> = world.sent.iter().map(|sent| sent.event_id.clone()).collect();
    world.run(10).await;
    world.settle().await;
    let later = world.sent[old.len()..].to_vec();
    let mut live = later.iter();
    for round in 0.. {
        assert!(round < 500, "it never ends");
        let before = folded(&*server.log, &world.room_id).await;
        let missing = server.commands.missing_before(&world.room_id, &[], 20).await.unwrap();
        if missing.is_empty() {
            break;
        }
        let pdus = page(&world, &missing, limit);
        let first = std::iter::once(world.sent[0].json.clone());
        let sent: Vec<_> = pdus
            .into_iter()
            .map(|json| {
                server.sent(&world.room_id, world.sent[0].event_id.clone(), json.get().to_owned())
            })
            .collect();
        let shuffled = if sent.len() > 1 { orders.shuffled(&sent) } else { sent };
        let pdus: Vec<_> = shuffled.into_iter().map(|sent| sent.json).chain(first).collect();
        assert!(take(&world, &server, &pdus).await.placed > 0, "each page brings something");
        // The same again brings nothing.
        assert_eq!(take(&world, &server, &pdus).await.placed, 0);
        let after = folded(&*server.log, &world.room_id).await;
        assert_eq!((before.state, before.leaves), (after.state, after.leaves));
        if round % 3 == 0 {
            server.restart();
        }
        if let Some(sent) = live.next() {
            deliver(&world, &server, sent, &old).await;
        }
    }
    for sent in live {
        deliver(&world, &server, sent, &old).await;
    }
    let here = placed(&server, &world).await;
    let there = placed(&world.servers[0], &world).await;
    let (mut graph, mut whole) = (
        graph_of(&*server.log, &world.room_id).await,
        graph_of(&*world.servers[0].log, &world.room_id).await,
    );
    let is_setting = |event: &&RoomEvent| event.pdu.kind.to_string() == "m.room.history_visibility";
    let changes_setting = there.values().filter(is_setting).count() > 1;
    let mut open: Vec<OwnedEventId> = Vec::new();
    let is_begin = |event: &&RoomEvent| event.envelope.before.as_ref().is_some_and(|it| it.begins);
    open.extend(here.values().find(is_begin).unwrap().pdu.prev_events.iter().cloned());
    let mut visited = BTreeSet::new();
    while let Some(id) = open.pop() {
        if !visited.insert(id.clone()) {
            continue;
        }
        let (event, known) = (&here[&id], &there[&id]);
        open.extend(event.pdu.prev_events.iter().cloned());
        let is_rejected = |event: &RoomEvent| event.envelope.status == EventStatus::Rejected;
        assert_eq!(is_rejected(event), is_rejected(known));
        assert_eq!(owned(graph.state_after(&id)), owned(whole.state_after(&id)));
        let past = event.envelope.past.as_ref().unwrap();
        let before = world.servers[0].commands.state_before(&world.room_id, &event.pdu.prev_events);
        let before = before.await.unwrap().unwrap_or_default().state;
        let after: Vec<_> =
            owned(whole.state_after(&id)).into_iter().map(|(_, _, id)| id).collect();
        let expected = setting(&there, &before).max(setting(&there, &after));
        // A change on another branch may make it stricter.
        assert!(past.visibility <= expected, "{}", event.pdu.kind);
        assert!(past.visibility == expected || changes_setting, "{}", event.pdu.kind);
        // Nobody of the server was there.
        assert!(past.members.as_ref().is_none_or(Vec::is_empty));
    }
    assert!(visited.contains(&world.sent[0].event_id), "down to the create event");
    let room = room_of(&*server.log, &world.room_id).await;
    assert!(graph.extremities().eq(room.forward_extremities().iter().cloned()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 5, ..ProptestConfig::default() })]

    #[test]
    fn history_in_any_pages_gives_the_states_of_a_server_with_all_events(
        seed: u64,
        version in 0..3_usize,
        limit in 3..30_usize,
    ) {
        block_on(check(seed, VERSIONS[version].clone(), limit));
    }
}

#[test]
fn history_waits_for_the_states_that_it_needs() {
    block_on(async {
        let (world, server) = joined(5, RoomVersionId::V11, 20).await;
        let missing = server.commands.missing_before(&world.room_id, &[], 20).await.unwrap();
        let pdus = page(&world, &missing, 12);
        let (origin, room) = (&world.servers[0].name, &world.room_id);
        let page = server.commands.connect_past(&world.keys, origin, room, &pdus).await.unwrap();
        let page = page.unwrap();
        assert!(page.needs_states().next().is_some(), "the seed makes a page that needs one");
        let before = placed(&server, &world).await.len();
        let taken = server.commands.receive_past(&world.keys, room, &page, &[], Millis(2));
        let taken = taken.await.unwrap().placed;
        assert!(taken < pdus.len());
        // The events that needed none are here, and the others come with their states.
        assert_eq!(placed(&server, &world).await.len(), before + taken);
        let states = states(&world, &page).await;
        let again = server.commands.receive_past(&world.keys, room, &page, &states, Millis(2));
        assert_eq!(taken + again.await.unwrap().placed, pdus.len());
    });
}

#[test]
fn events_that_lead_to_nothing_here_are_left_out() {
    block_on(async {
        let (world, server) = joined(5, RoomVersionId::V12, 20).await;
        let missing = server.commands.missing_before(&world.room_id, &[], 20).await.unwrap();
        // The newest events of the page are missing, so the others are loose.
        let mut pdus: Vec<_> = page(&world, &missing, 50);
        let newest: Vec<_> = missing.iter().map(|id| json_of(&world, id)).collect();
        pdus.retain(|json| !newest.iter().any(|newest| newest.get() == json.get()));
        assert!(pdus.len() > 10);
        let taken = take(&world, &server, &pdus).await;
        assert_eq!(taken, TakenPast { placed: 0, ..taken });
        let other = World::new(4, RoomVersionId::V12, 1).await;
        let pdus: Vec<_> = other.sent.iter().map(|sent| sent.json.clone()).collect();
        assert_eq!(take(&world, &server, &pdus).await.placed, 0);
    });
}
