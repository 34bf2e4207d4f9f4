//! Compares resolution of the differences with resolution of the whole states.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{collections::BTreeSet, sync::Arc};

use proptest::prelude::*;
use ruma_common::{EventId, MilliSecondsSinceUnixEpoch, RoomVersionId, ServerName, UserId};
use ruma_events::StateEventType;
use ruma_state_res::{StateMap, resolve, utils::event_id_set::EventIdSet};

use crate::{
    Graph, Verdict,
    nodes::NodeId,
    states::{SlotId, State},
};
use rookery_domain::{
    Context, CreateRoom, Envelope, JoinRule, OwnedEventId, Pdu, PowerLevelsChange, Preset, Profile,
    Room, RoomCommand, RoomEvent,
};

const USERS: [&str; 4] = ["@ann:a.example", "@ben:b.example", "@cat:c.example", "@dan:d.example"];

fn context(user: usize, now: u32) -> Context<'static> {
    Context {
        sender: <&UserId>::try_from(USERS[user]).unwrap(),
        device: None,
        now: MilliSecondsSinceUnixEpoch(now.into()),
        server_name: <&ServerName>::try_from("a.example").unwrap(),
        events: &[],
    }
}

fn command(choice: u8, user: usize, number: u32) -> RoomCommand {
    let user = <&UserId>::try_from(USERS[user]).unwrap().to_owned();
    match choice {
        0 => RoomCommand::SetName { name: number.to_string() },
        1 => RoomCommand::SetTopic { topic: number.to_string() },
        2 | 3 => RoomCommand::Join { reason: None, member_of: None },
        4 => RoomCommand::Leave { reason: None, successor: None },
        5 => RoomCommand::Kick { user, reason: None },
        6 => RoomCommand::Ban { user, reason: None },
        7 => {
            let rule = if number.is_multiple_of(2) { JoinRule::Invite } else { JoinRule::Public };
            RoomCommand::SetJoinRule { rule }
        }
        8 => RoomCommand::Invite { invitee: user.into(), reason: None },
        _ => {
            let users = [(user, Some(i64::from(number % 3) * 50))].into();
            let change = PowerLevelsChange { users, ..PowerLevelsChange::default() };
            RoomCommand::SetPowerLevels { change }
        }
    }
}

/// A graph and the ends of its branches.
struct Tree {
    graph: Graph,
    branches: Vec<(Room, OwnedEventId)>,
}

/// Grows branches by commands: the branch, whether it splits, the sender, the command and its
/// target.
fn grown(version: &RoomVersionId, steps: &[(usize, bool, usize, usize, u8)]) -> Tree {
    let everybody = USERS[1..].iter().map(|user| <&UserId>::try_from(*user).unwrap().to_owned());
    let create = CreateRoom {
        version: Some(version.clone()),
        preset: Preset::Public,
        power_levels: PowerLevelsChange {
            users: everybody.zip([Some(100), Some(50), None]).collect(),
            ..PowerLevelsChange::default()
        },
        ..CreateRoom::default()
    };
    let (room, events) =
        Room::create(&create, &Profile::default(), "nonce", &context(0, 1)).unwrap();
    let mut graph = Graph::default();
    let origin = || Envelope::local(None, None).origin;
    let mut take = |pdu: &Arc<Pdu>| match graph.receive(pdu, origin(), false) {
        // Two branches may make the same event.
        Verdict::Decided(_) | Verdict::Known(_) => {}
        other => panic!("{other:?}"),
    };
    events.iter().for_each(&mut take);
    let mut branches = vec![(room, events.last().unwrap().event_id.clone())];
    for (number, (branch, splits, user, other, choice)) in (0_u32..).zip(steps) {
        let at = branch % branches.len();
        if *splits && branches.len() < 4 {
            branches.push(branches[at].clone());
        }
        let (room, end) = &mut branches[at];
        let now = context(*user, 10 + number % 7);
        let made = room.decide(&command(*choice, *other, number), &Profile::default(), &now);
        for pdu in made.into_iter().flatten() {
            take(&pdu);
            room.evolve(&RoomEvent::new(Envelope::local(None, None), pdu.clone()));
            *end = pdu.event_id.clone();
        }
    }
    Tree { graph, branches }
}

/// The auth chain of these events.
fn chain(graph: &Graph, of: impl IntoIterator<Item = NodeId>) -> BTreeSet<NodeId> {
    let (mut chain, mut open) = (BTreeSet::new(), of.into_iter().collect::<Vec<_>>());
    while let Some(id) = open.pop() {
        open.extend(graph.nodes.auth(id).iter().filter(|auth| chain.insert(**auth)));
    }
    chain
}

/// The events on a path to one of `ends` and from one of `ends`.
fn on_paths(graph: &Graph, ends: &BTreeSet<NodeId>) -> BTreeSet<NodeId> {
    let mut all = chain(graph, ends.iter().copied());
    all.extend(ends);
    all.retain(|id| {
        let below = chain(graph, [*id]);
        ends.contains(id) || ends.iter().any(|end| below.contains(end))
    });
    all
}

/// Resolution as the specification defines it: whole states, whole auth chains.
fn resolve_whole(graph: &Graph, states: &[State]) -> StateMap<OwnedEventId> {
    let map = |state: &State| {
        let entry = |(slot, id): (&SlotId, &NodeId)| {
            let (kind, key) = graph.slots.name(*slot);
            let id = graph.nodes.event_id(*id);
            ((StateEventType::from(kind), key.to_owned()), id)
        };
        state.iter().map(entry).collect::<StateMap<_>>()
    };
    let id_set = |ids: &BTreeSet<NodeId>| -> EventIdSet<OwnedEventId> {
        ids.iter().map(|id| graph.nodes.event_id(*id)).collect()
    };
    let chains = states.iter().map(|state| id_set(&chain(graph, state.values().copied())));
    let subgraph = |conflicted: &StateMap<Vec<OwnedEventId>>| {
        let ends = conflicted.values().flatten().map(|id| graph.nodes.find(id).unwrap()).collect();
        Some(id_set(&on_paths(graph, &ends)))
    };
    let rules = &graph.version.as_ref().unwrap().rules();
    let maps: Vec<_> = states.iter().map(map).collect();
    let fetch = |id: &EventId| graph.judged(id);
    let state_rules = rules.state_res.v2_rules().unwrap();
    resolve(&rules.authorization, state_rules, &maps, chains.collect(), fetch, subgraph).unwrap()
}

/// The slots in which states differ, and their holders.
fn conflict(states: &[State]) -> (BTreeSet<SlotId>, BTreeSet<NodeId>) {
    let all: BTreeSet<_> = states.iter().flat_map(|state| state.keys().copied()).collect();
    let holders = |slot: SlotId| states.iter().map(move |state| state.get(&slot).copied());
    let differ =
        |slot: &SlotId| holders(*slot).any(|holder| holder != states[0].get(slot).copied());
    let slots: BTreeSet<_> = all.into_iter().filter(differ).collect();
    let ends = slots.iter().flat_map(|slot| holders(*slot)).flatten().collect();
    (slots, ends)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn resolving_what_differs_is_resolving_everything(
        version in 0..3_usize,
        steps in prop::collection::vec((0..4_usize, prop::bool::weighted(0.2), 0..4_usize, 0..4_usize, 0..10_u8), 5..50),
    ) {
        let versions = [RoomVersionId::V10, RoomVersionId::V11, RoomVersionId::V12];
        let Tree { mut graph, branches } = grown(&versions[version], &steps);
        let states: Vec<_> =
            branches.iter().map(|(_, end)| graph.after(graph.nodes.find(end).unwrap())).collect();
        let (slots, ends) = conflict(&states);
        let chains: Vec<_> =
            states.iter().map(|state| chain(&graph, state.values().copied())).collect();
        let mut difference: BTreeSet<_> = chains.iter().flatten().copied().collect();
        difference.retain(|id| !chains.iter().all(|chain| chain.contains(id)));
        prop_assert_eq!(graph.auth_difference(&states, &slots), difference);
        prop_assert_eq!(graph.subgraph(&ends), on_paths(&graph, &ends));
        let resolved = graph.resolve(&states);
        let whole = resolve_whole(&graph, &states);
        let mut expected: Vec<_> = whole
            .iter()
            .map(|((kind, key), id)| (kind.to_string(), key.clone(), id.clone()))
            .collect();
        expected.sort_unstable();
        let resolved: Vec<_> = graph
            .named(&resolved)
            .into_iter()
            .map(|(kind, key, id)| (kind.to_owned(), key.to_owned(), id))
            .collect();
        prop_assert_eq!(resolved, expected);
    }
}
