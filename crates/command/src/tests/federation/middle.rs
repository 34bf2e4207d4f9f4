//! Rooms that a server joins in the middle of their history.

use proptest::prelude::*;
use rookery_domain::{
    Context, EventStatus, MilliSecondsSinceUnixEpoch, Origin, OwnedEventId, Profile, RoomCommand,
    RoomVersionId, sign,
};
use rookery_log::Millis;
use serde_json::value::RawValue;

use super::{VERSIONS, block_on};
use crate::{
    Receipt, Received, StatedState,
    testing::{Folded, Orders, Sent, Server, World, folded, graph_of, history, room_of},
};

/// The answer to `send_join`, as a server that has all events gives it.
struct Answer {
    state: Vec<Box<RawValue>>,
    auth_chain: Vec<Box<RawValue>>,
    join: Box<RawValue>,
}

/// The signed form of an event that the world sent.
pub(super) fn json_of(world: &World, id: &OwnedEventId) -> Box<RawValue> {
    world.sent.iter().find(|sent| sent.event_id == *id).unwrap().json.clone()
}

async fn state_before(
    world: &World,
    prev: &[OwnedEventId],
) -> (Vec<Box<RawValue>>, Vec<Box<RawValue>>) {
    let resident = &world.servers[0].commands;
    let ids = resident.state_before(&world.room_id, prev).await.unwrap().unwrap();
    let json = |ids: &[OwnedEventId]| ids.iter().map(|id| json_of(world, id)).collect();
    (json(&ids.state), json(&ids.auth_chain))
}

/// Makes the join of a user of `server`, and the answer of the first server of the world.
async fn answer(world: &World, server: &Server, name: &str, now: u32) -> Answer {
    asked(world, server, name, now).await.expect("the room is public")
}

/// Like [`answer`]; `None` if the rules of the room forbid the join.
async fn asked(world: &World, server: &Server, name: &str, now: u32) -> Option<Answer> {
    let room = room_of(&*world.servers[0].log, &world.room_id).await;
    let user = server.user(name);
    let context = Context {
        sender: &user,
        device: None,
        now: MilliSecondsSinceUnixEpoch(now.into()),
        server_name: &server.name,
        events: &[],
    };
    let join = RoomCommand::Join { reason: None, member_of: None };
    let made = room.decide(&join, &Profile::default(), &context).ok()?.remove(0);
    let json = sign(&made, &server.key, &server.name, &world.version).unwrap();
    let (state, auth_chain) = state_before(world, &made.prev_events).await;
    Some(Answer { state, auth_chain, join: RawValue::from_string(json).unwrap() })
}

async fn accept(world: &World, server: &Server, answer: &Answer) -> Receipt {
    let stated = StatedState {
        origin: &world.servers[0].name,
        room_id: &world.room_id,
        version: &world.version,
        state: &answer.state,
        auth_chain: &answer.auth_chain,
        holders: &[],
    };
    let from = Origin::Local { device: None, action: None, fingerprint: None, deliver: None };
    let taken =
        server.commands.accept_join(&world.keys, &stated, &answer.join, from, Millis(1)).await;
    taken.unwrap()
}

/// A world with some history, and another server that joins after it. The join reaches all servers.
pub(super) async fn joined(seed: u64, version: RoomVersionId, steps: usize) -> (World, Server) {
    for seed in (0..50).map(|number| seed.wrapping_add(number)) {
        if let Some(joined) = try_joined(seed, version.clone(), steps).await {
            return joined;
        }
    }
    panic!("no room is public after {steps} steps");
}

async fn try_joined(seed: u64, version: RoomVersionId, steps: usize) -> Option<(World, Server)> {
    let mut world = World::new(seed, version, 3).await;
    let server = Server::in_memory("middle.example");
    server.publish(&mut world.keys);
    world.join_all().await;
    world.run(steps).await;
    world.settle().await;
    let answer = asked(&world, &server, "zoe", 9_000).await?;
    let receipt = accept(&world, &server, &answer).await;
    assert!(matches!(receipt.received, Received::Accepted { .. }), "{receipt:?}");
    let (id, json) = (receipt.event_id.unwrap(), answer.join.get().to_owned());
    let sent = server.sent(&world.room_id, id, json);
    world.send(sent, usize::MAX);
    world.settle().await;
    Some((world, server))
}

/// Delivers an event, as a server does that asks for the state before events from before its join.
pub(super) async fn deliver(world: &World, server: &Server, sent: &Sent, old: &[OwnedEventId]) {
    let receipt = sent.deliver(&server.commands, &world.keys).await;
    let Received::Held { missing } = &receipt.received else { return };
    let event: serde_json::Value = serde_json::from_str(sent.json.get()).unwrap();
    let prev: Vec<OwnedEventId> = serde_json::from_value(event["prev_events"].clone()).unwrap();
    if !prev.iter().all(|id| old.contains(id)) {
        assert!(
            missing.iter().any(|id| !old.contains(id))
                || missing.iter().any(|id| prev.contains(id))
        );
        if !prev.iter().any(|id| old.contains(id)) {
            return;
        }
    }
    let (state, mut auth_chain) = state_before(world, &prev).await;
    // As the answer to `event_auth` has them.
    let mut open: Vec<OwnedEventId> = auth_of(&sent.json);
    while let Some(id) = open.pop() {
        let json = json_of(world, &id);
        open.extend(auth_of(&json));
        auth_chain.push(json);
    }
    let stated = StatedState {
        origin: &world.servers[0].name,
        room_id: &world.room_id,
        version: &world.version,
        state: &state,
        auth_chain: &auth_chain,
        holders: &[],
    };
    let taken = server.commands.receive_with_state(&world.keys, &stated, &sent.json, Millis(1));
    taken.await.unwrap();
}

fn auth_of(event: &RawValue) -> Vec<OwnedEventId> {
    listed(event, "auth_events")
}

pub(super) fn listed(event: &RawValue, key: &str) -> Vec<OwnedEventId> {
    let event: serde_json::Value = serde_json::from_str(event.get()).unwrap();
    serde_json::from_value(event[key].clone()).unwrap()
}

fn state(room: Folded) -> impl PartialEq + std::fmt::Debug {
    room.state
}

#[test]
fn a_room_can_be_joined_in_the_middle() {
    for version in VERSIONS {
        block_on(async {
            let (mut world, mut server) = joined(1, version.clone(), 0).await;
            let room = room_of(&*server.log, &world.room_id).await;
            assert_eq!(room.membership(&server.user("zoe")), rookery_domain::Membership::Join);
            let there = folded(&*world.servers[0].log, &world.room_id).await;
            assert_eq!(folded(&*server.log, &world.room_id).await.state, there.state);
            // All but the join are outliers, and the join is the end that events follow.
            let shown = history(&*server.log, &world.room_id).await;
            let shown = shown.iter().flat_map(|(_, events)| events);
            let shown: Vec<_> =
                shown.filter(|it| it.envelope.status != EventStatus::Outlier).collect();
            assert_eq!(shown.len(), 1);
            assert_eq!(room.forward_extremities(), std::slice::from_ref(&shown[0].pdu.event_id));
            // Events go in both directions, also after a restart.
            server.restart();
            let (event_type, content) =
                ("test.hello".to_owned(), rookery_domain::JsonObject::new());
            let hello = RoomCommand::SendEvent { event_type, content };
            server.act("zoe", &world.room_id, &hello, 9_100).await.unwrap();
            for sent in server.outbox(&world.room_id, &world.version).await.into_iter().skip(1) {
                let received = sent.deliver(&world.servers[1].commands, &world.keys).await;
                assert!(matches!(received.received, Received::Accepted { .. }), "{received:?}");
                world.send(sent, usize::MAX);
            }
            let from = world.sent.len();
            assert!(world.let_act(0, "ann", &hello).await);
            for sent in &world.sent[from..] {
                let received = sent.deliver(&server.commands, &world.keys).await;
                assert!(matches!(received.received, Received::Accepted { .. }), "{received:?}");
            }
        });
    }
}

#[test]
fn events_that_come_before_their_room_is_known_wait_for_it() {
    block_on(async {
        let mut world = World::new(8, RoomVersionId::V12, 2).await;
        world.join_all().await;
        let late = Server::in_memory("late.example");
        for sent in &world.sent[1..] {
            let receipt = sent.deliver(&late.commands, &world.keys).await;
            assert_eq!(receipt.received, Received::Held { missing: Vec::new() });
        }
        let receipt = world.sent[0].deliver(&late.commands, &world.keys).await;
        assert!(matches!(receipt.received, Received::Accepted { .. }), "{receipt:?}");
        let there = folded(&*world.servers[0].log, &world.room_id).await;
        assert_eq!(folded(&*late.log, &world.room_id).await.state, there.state);
    });
}

#[test]
fn events_that_come_during_a_join_wait_for_it() {
    block_on(async {
        let mut world = World::new(9, RoomVersionId::V11, 2).await;
        let server = Server::in_memory("middle.example");
        server.publish(&mut world.keys);
        world.join_all().await;
        let answer = answer(&world, &server, "zoe", 9_000).await;
        let json = answer.join.get().to_owned();
        let incoming = rookery_domain::Incoming::read(&answer.join, &world.version).unwrap();
        let join = server.sent(&world.room_id, incoming.event_id().to_owned(), json);
        world.send(join, usize::MAX);
        world.settle().await;
        let from = world.sent.len();
        assert!(world.let_act(0, "ann", &super::topic("tea")).await);
        for sent in &world.sent[from..] {
            let receipt = sent.deliver(&server.commands, &world.keys).await;
            assert_eq!(receipt.received, Received::Held { missing: Vec::new() });
        }
        let receipt = accept(&world, &server, &answer).await;
        assert!(matches!(receipt.received, Received::Accepted { .. }), "{receipt:?}");
        let there = folded(&*world.servers[0].log, &world.room_id).await;
        assert_eq!(folded(&*server.log, &world.room_id).await.state, there.state);
    });
}

#[test]
fn a_forged_or_stray_event_of_a_stated_state_is_left_out() {
    block_on(async {
        let mut world = World::new(3, RoomVersionId::V11, 2).await;
        let server = Server::in_memory("middle.example");
        server.publish(&mut world.keys);
        world.join_all().await;
        let topic = RoomCommand::SetTopic { topic: "tea".to_owned() };
        assert!(world.let_act(0, "ann", &topic).await);
        let mut answer = answer(&world, &server, "zoe", 9_000).await;
        let is_topic = |json: &RawValue| json.get().contains("m.room.topic");
        let at = answer.state.iter().position(|json| is_topic(json)).unwrap();
        // The signature does not cover this event any more.
        let forged = answer.state[at].get().replace("\"depth\":", "\"depth\":1");
        answer.state[at] = RawValue::from_string(forged).unwrap();
        // An event of another room.
        let other = World::new(4, RoomVersionId::V11, 1).await;
        answer.state.push(other.sent[1].json.clone());
        let receipt = accept(&world, &server, &answer).await;
        assert!(matches!(receipt.received, Received::Accepted { .. }), "{receipt:?}");
        let here = folded(&*server.log, &world.room_id).await.state;
        let there = folded(&*world.servers[0].log, &world.room_id).await.state;
        let topic = ("m.room.topic".to_owned(), String::new());
        assert!(there.contains_key(&topic) && !here.contains_key(&topic));
        assert_eq!(here.len(), there.len(), "the topic is missing, and Zoe is there");
    });
}

#[test]
fn a_state_without_the_create_event_is_refused() {
    block_on(async {
        let mut world = World::new(5, RoomVersionId::V12, 2).await;
        let server = Server::in_memory("middle.example");
        server.publish(&mut world.keys);
        world.join_all().await;
        let mut answer = answer(&world, &server, "zoe", 9_000).await;
        let creates = |json: &RawValue| json.get().contains("m.room.create");
        answer.state.retain(|json| !creates(json));
        answer.auth_chain.retain(|json| !creates(json));
        let receipt = accept(&world, &server, &answer).await;
        assert!(!matches!(receipt.received, Received::Accepted { .. }), "{receipt:?}");
        let hello = RoomCommand::SetTopic { topic: "tea".to_owned() };
        assert!(server.act("zoe", &world.room_id, &hello, 9_100).await.is_err());
    });
}

#[test]
fn a_banned_user_cannot_join_with_a_state_that_says_so() {
    block_on(async {
        let mut world = World::new(6, RoomVersionId::V10, 2).await;
        let server = Server::in_memory("middle.example");
        server.publish(&mut world.keys);
        world.join_all().await;
        let answer = answer(&world, &server, "zoe", 9_000).await;
        let ban = RoomCommand::Ban { user: server.user("zoe"), reason: None };
        assert!(world.let_act(0, "ann", &ban).await);
        let room = room_of(&*world.servers[0].log, &world.room_id).await;
        let (state, auth_chain) = state_before(&world, room.forward_extremities()).await;
        let late = Answer { state, auth_chain, join: answer.join };
        let receipt = accept(&world, &server, &late).await;
        assert!(matches!(receipt.received, Received::Refused { .. }), "{receipt:?}");
        // Nobody can act in the room that the server knows only in part.
        let topic = RoomCommand::SetTopic { topic: "tea".to_owned() };
        assert!(server.act("zoe", &world.room_id, &topic, 9_100).await.is_err());
        let join = RoomCommand::Join { reason: None, member_of: None };
        assert!(server.act("yan", &world.room_id, &join, 9_100).await.is_err());
    });
}

#[test]
fn a_server_can_join_again_after_everybody_left() {
    block_on(async {
        let (mut world, mut server) = joined(7, RoomVersionId::V11, 0).await;
        let leave = RoomCommand::Leave { reason: None, successor: None };
        server.act("zoe", &world.room_id, &leave, 9_200).await.unwrap();
        for sent in server.outbox(&world.room_id, &world.version).await.into_iter().skip(1) {
            world.send(sent, usize::MAX);
        }
        world.settle().await;
        // The server hears nothing of this.
        let kick = RoomCommand::Kick { user: world.servers[1].user("ben"), reason: None };
        for command in [super::topic("tea"), kick, super::topic("milk")] {
            assert!(world.let_act(0, "ann", &command).await);
        }
        world.settle().await;
        let answer = answer(&world, &server, "zoe", 9_900).await;
        let receipt = accept(&world, &server, &answer).await;
        assert!(matches!(receipt.received, Received::Accepted { .. }), "{receipt:?}");
        let (id, json) = (receipt.event_id.unwrap(), answer.join.get().to_owned());
        world.send(server.sent(&world.room_id, id.clone(), json), usize::MAX);
        world.settle().await;
        let there = folded(&*world.servers[0].log, &world.room_id).await;
        let here = folded(&*server.log, &world.room_id).await;
        assert_eq!(here.state, there.state);
        assert_eq!(here.leaves.into_iter().collect::<Vec<_>>(), [id]);
        let read = graph_of(&*server.log, &world.room_id).await;
        assert_eq!(read.leaves().count(), 1);
    });
}

#[test]
#[ignore = "prints measurements"]
fn measure_joins_of_large_rooms() {
    block_on(async {
        for members in [500, 2_000] {
            let mut world = World::new(10, RoomVersionId::V11, 1).await;
            let server = Server::in_memory("middle.example");
            server.publish(&mut world.keys);
            for number in 0..members {
                let user = format!("u{number}");
                assert!(world.let_act(0, &user, &super::super::join()).await);
            }
            let answer = answer(&world, &server, "zoe", 9_000).await;
            let start = std::time::Instant::now();
            let receipt = accept(&world, &server, &answer).await;
            assert!(matches!(receipt.received, Received::Accepted { .. }), "{receipt:?}");
            let taken = start.elapsed();
            let log = history(&*server.log, &world.room_id).await;
            let start = std::time::Instant::now();
            let graph = graph_of(&*server.log, &world.room_id).await;
            let (folded, bytes) = (start.elapsed(), graph.weight_bytes());
            let commits = log.len();
            println!(
                "{members} members: {taken:?}, {commits} commits; folded in {folded:?}, {bytes} B"
            );
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 20, ..ProptestConfig::default() })]

    #[test]
    fn a_server_that_joined_in_the_middle_gets_the_same_room(seed: u64, version in 0..3_usize) {
        block_on(async {
            let (mut world, mut server) = joined(seed, VERSIONS[version].clone(), 30).await;
            let whole = graph_of(&*world.servers[0].log, &world.room_id).await;
            // A hidden end from before the join counts on the other servers alone.
            if whole.leaves().count() > 1 {
                return;
            }
            let from = world.sent.len();
            let old: Vec<_> =
                world.sent[..from - 1].iter().map(|sent| sent.event_id.clone()).collect();
            if seed.is_multiple_of(2) {
                world.invite_rogue().await;
            }
            world.run(40).await;
            world.settle().await;
            let later = world.sent[from..].to_vec();
            let mut orders = Orders::new(seed);
            for (number, sent) in orders.delayed(&later, 9).iter().enumerate() {
                if number == later.len() / 2 && server.commands.held_back().events == 0 {
                    server.restart();
                }
                deliver(&world, &server, sent, &old).await;
            }
            // Others have rejected events that only name what they rejected.
            if world.rogue.is_none() {
                assert_eq!(server.commands.held_back().events, 0);
            }
            let there = state(folded(&*world.servers[0].log, &world.room_id).await);
            assert_eq!(state(folded(&*server.log, &world.room_id).await), there);
        });
    }
}
