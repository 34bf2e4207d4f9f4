//! The work that other servers can make by branches that nobody follows.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::sync::Arc;

use proptest::prelude::*;
use rookery_domain::{
    Context, CreateRoom, Envelope, EventStatus, MilliSecondsSinceUnixEpoch, Origin,
    OwnedServerName, Pdu, PowerLevelsChange, Preset, Profile, Room, RoomCommand, RoomEvent,
    ServerName, UserId,
};
use rookery_graph::{Graph, LEAVES_MAX, Verdict, Work};

const ANN: &str = "@ann:a.example";
const BEN: &str = "@ben:b.example";

/// A room, and the graph of its events.
struct Shared {
    room: Room,
    graph: Graph,
}

fn user(id: &str) -> &UserId {
    <&UserId>::try_from(id).unwrap()
}

fn origin() -> Origin {
    Origin::Server(OwnedServerName::try_from("b.example").unwrap())
}

fn decided(room: &Room, sender: &str, now: u32, command: &RoomCommand) -> Arc<Pdu> {
    let context = Context {
        sender: user(sender),
        device: None,
        now: MilliSecondsSinceUnixEpoch(now.into()),
        server_name: <&ServerName>::try_from("a.example").unwrap(),
        events: &[],
    };
    let events = room.decide(command, &Profile::default(), &context).unwrap();
    events.into_iter().next().unwrap()
}

impl Shared {
    /// A public room of Ann with Ben, who may change its topic.
    fn new() -> Self {
        let power_levels = PowerLevelsChange {
            users: [(user(BEN).to_owned(), Some(50))].into(),
            ..PowerLevelsChange::default()
        };
        let create = CreateRoom { preset: Preset::Public, power_levels, ..CreateRoom::default() };
        let context = Context {
            sender: user(ANN),
            device: None,
            now: MilliSecondsSinceUnixEpoch(1_u32.into()),
            server_name: <&ServerName>::try_from("a.example").unwrap(),
            events: &[],
        };
        let (room, events) = Room::create(&create, &Profile::default(), "nonce", &context).unwrap();
        let mut shared = Self { room, graph: Graph::default() };
        for pdu in &events {
            assert!(shared.receive(pdu).is_some());
        }
        let join = RoomCommand::Join { reason: None, member_of: None };
        shared.act(BEN, 2, &join);
        shared
    }

    /// Takes an event of another server; `None` if it was not taken.
    fn receive(&mut self, pdu: &Arc<Pdu>) -> Option<RoomEvent> {
        match self.graph.receive(pdu, origin(), false) {
            Verdict::Decided(decided) => Some(decided.event),
            Verdict::Crowded => None,
            other => panic!("{other:?}"),
        }
    }

    /// Makes an event at the end of the room, as its own server does.
    fn act(&mut self, sender: &str, now: u32, command: &RoomCommand) -> RoomEvent {
        let pdu = decided(&self.room, sender, now, command);
        let event = self.graph.make(&pdu, Envelope::local(None, None)).unwrap();
        self.room.evolve(&event);
        event
    }

    /// The work of a new topic at the end of the room.
    fn topic_work(&mut self, now: u32) -> Work {
        let before = self.graph.work();
        let event = self.act(ANN, now, &topic(now));
        assert_eq!(event.envelope.status, EventStatus::Accepted);
        since(self.graph.work(), before)
    }

    fn holds(&self, event: &RoomEvent) -> bool {
        self.graph.state().iter().any(|(_, _, id)| *id == event.pdu.event_id)
    }
}

fn since(after: Work, before: Work) -> Work {
    let (checks, looked_at) = (after.checks - before.checks, after.looked_at - before.looked_at);
    Work { checks, looked_at }
}

fn topic(number: u32) -> RoomCommand {
    RoomCommand::SetTopic { topic: format!("topic {number}") }
}

/// Attacks that all follow an event from before Ann's `change`. Each has a sender and a command.
fn attacks_after(
    change: &RoomCommand,
    attacks: u32,
    attack: impl Fn(u32) -> (String, RoomCommand),
    expected: Option<EventStatus>,
) -> (Shared, Work) {
    let mut shared = Shared::new();
    let old = shared.room.clone();
    shared.act(ANN, 3, change);
    let before = shared.graph.work();
    for number in 0..attacks {
        let (sender, command) = attack(number);
        let pdu = decided(&old, &sender, 10 + number, &command);
        let Some(event) = shared.receive(&pdu) else { continue };
        if let Some(expected) = expected {
            assert_eq!(event.envelope.status, expected);
        }
        shared.room.evolve(&event);
    }
    let work = since(shared.graph.work(), before);
    (shared, work)
}

/// Ben's topics after he was banned, all of which follow the same old event.
fn topics_of_a_banned_user(attacks: u32) -> (Shared, Work) {
    let ban = RoomCommand::Ban { user: user(BEN).to_owned(), reason: None };
    let attack = |number| (BEN.to_owned(), topic(number));
    attacks_after(&ban, attacks, attack, Some(EventStatus::SoftFailed))
}

/// Joins of users of one strange server, all of which follow the same old event.
fn joins_of_strangers(attacks: u32) -> (Shared, Work) {
    let attack = |number| (format!("@u{number}:evil.example"), join());
    attacks_after(&topic(3), attacks, attack, Some(EventStatus::Accepted))
}

/// Joins of users of different servers, all of which follow the same old event.
fn joins_of_servers(attacks: u32) -> (Shared, Work) {
    let attack = |number| (format!("@u:{number}.evil.example"), join());
    attacks_after(&topic(3), attacks, attack, None)
}

fn join() -> RoomCommand {
    RoomCommand::Join { reason: None, member_of: None }
}

/// One application of the rules parses JSON: it takes as long as looking at fifty events.
fn cost(work: Work) -> u64 {
    50 * work.checks + work.looked_at
}

type Attack = fn(u32) -> (Shared, Work);

const ATTACKS: [(&str, Attack); 3] = [
    ("topics of a banned user", topics_of_a_banned_user),
    ("joins of users of one server", joins_of_strangers),
    ("joins of users of many servers", joins_of_servers),
];

#[test]
fn work_grows_no_faster_than_the_branches() {
    for (name, attack) in ATTACKS {
        let ((_, few), (_, many)) = (attack(100), attack(1_000));
        assert!(cost(many) < 15 * cost(few), "{name}: {few:?} and {many:?}");
    }
}

#[test]
fn a_later_topic_costs_what_it_costs_in_a_quiet_room() {
    let quiet = cost(Shared::new().topic_work(99_999));
    for (name, attack) in ATTACKS {
        let (mut shared, _) = attack(1_000);
        // Each local event follows some of the branches, until none is left.
        for number in 0..12 {
            shared.topic_work(100_000 + number);
        }
        let later = shared.topic_work(200_000);
        assert!(cost(later) <= 2 * quiet, "{name}: {later:?}, and {quiet} in a quiet room");
    }
}

#[test]
fn local_events_take_up_all_branches_by_and_by() {
    let (mut shared, _) = joins_of_servers(50);
    let joined = |shared: &Shared| shared.room.joined_count();
    for number in 0..3 {
        let event = shared.act(ANN, 100_000 + number, &topic(number));
        assert!(event.pdu.prev_events.len() <= 20, "other servers take twenty");
        assert!(shared.holds(&event));
    }
    assert_eq!(joined(&shared), 52);
    assert_eq!(shared.room.forward_extremities().len(), 1);
    assert_eq!(shared.graph.leaves().count(), 1);
}

#[test]
fn a_server_cannot_hide_the_history_of_others_behind_its_own_branches() {
    let mut shared = Shared::new();
    let mut old = shared.room.clone();
    let ban = shared.act(ANN, 3, &RoomCommand::Ban { user: user(BEN).to_owned(), reason: None });
    // Ben's server forks deep branches from the time before the ban.
    for branch in 0..8 {
        let mut room = old.clone();
        for number in 0..20 {
            let pdu = decided(&room, BEN, 100 * branch + number, &topic(number));
            let event = shared.receive(&pdu).unwrap();
            assert_eq!(event.envelope.status, EventStatus::SoftFailed);
            room.evolve(&RoomEvent::new(Envelope::local(None, None), pdu));
        }
        assert!(shared.holds(&ban), "after {branch} branches");
    }
    assert_eq!(shared.graph.leaves().count(), 5, "four of Ben's server and Ann's");
    // Another of its users joins at the end of the room, which hides all of it behind that event.
    let join = RoomCommand::Join { reason: None, member_of: None };
    let pdu = decided(&shared.room, "@eve:b.example", 9_000, &join);
    assert!(shared.receive(&pdu).is_some());
    assert!(shared.holds(&ban));
    for number in 0..8 {
        let pdu = decided(&old, BEN, 10_000 + number, &topic(number));
        old.evolve(&RoomEvent::new(Envelope::local(None, None), pdu.clone()));
        shared.receive(&pdu).unwrap();
        assert!(shared.holds(&ban));
    }
}

#[test]
fn a_room_takes_a_bounded_number_of_branches_and_what_ends_one() {
    let (mut shared, _) = joins_of_servers(u32::try_from(LEAVES_MAX).unwrap() + 20);
    assert_eq!(shared.graph.leaves().count(), LEAVES_MAX);
    // An event at the end of the room is always taken.
    let event = shared.act(ANN, 50_000, &topic(1));
    assert!(shared.holds(&event));
    // A branch that an awaited event ends is taken too.
    let (mut shared, _) = joins_of_servers(u32::try_from(LEAVES_MAX).unwrap() + 20);
    let old = Shared::new().room;
    let join = RoomCommand::Join { reason: None, member_of: None };
    let pdu = decided(&old, "@cat:c.example", 60_000, &join);
    assert!(matches!(shared.graph.receive(&pdu, origin(), false), Verdict::Crowded));
    assert!(matches!(shared.graph.receive(&pdu, origin(), true), Verdict::Decided(_)));
}

#[test]
fn soft_failed_branches_leave_places_for_others() {
    let mut shared = Shared::new();
    let old = shared.room.clone();
    let rule = RoomCommand::SetJoinRule { rule: rookery_domain::JoinRule::Invite };
    shared.act(ANN, 3, &rule);
    let join = RoomCommand::Join { reason: None, member_of: None };
    let taken = (0..100)
        .filter(|number| {
            let pdu = decided(&old, &format!("@u:{number}.evil.example"), 10 + number, &join);
            shared.receive(&pdu).is_some()
        })
        .count();
    assert_eq!(taken, LEAVES_MAX / 2 - 1);
    let pdu = decided(&old, BEN, 5_000, &topic(5));
    assert!(shared.receive(&pdu).is_some(), "a member's branch has a place");
}

#[test]
fn the_greatest_depth_harms_nobody() {
    let mut shared = Shared::new();
    let message = decided(&shared.room, BEN, 3, &topic(1));
    let mut json: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&message.json).unwrap();
    json.insert("depth".to_owned(), ((1_u64 << 53) - 1).into());
    let json = serde_json::to_vec(&json).unwrap().into();
    let deep = Arc::new(Pdu::parse(message.event_id.clone(), json).unwrap());
    let event = shared.receive(&deep).unwrap();
    shared.room.evolve(&event);
    let next = shared.act(ANN, 4, &topic(2));
    assert_eq!(next.pdu.prev_events, std::slice::from_ref(&deep.event_id));
    assert!(next.pdu.depth < 1 << 53, "an integer of canonical JSON");
    assert!(shared.holds(&next));
}

/// Events of three servers at random places of the graph, one of which forks all the time. Each
/// comes after those that it names.
fn forked(steps: &[(usize, usize, bool)]) -> Vec<Arc<Pdu>> {
    let mut shared = Shared::new();
    let users = [ANN, BEN, BEN, BEN, "@eve:e.example"];
    let mut rooms = vec![shared.room.clone()];
    let mut made = Vec::new();
    for (number, (at, sender, bans)) in (0_u32..).zip(steps) {
        let mut room = rooms[at % rooms.len()].clone();
        let command = match (users[sender % users.len()], *bans) {
            (ANN, true) => RoomCommand::Ban { user: user(BEN).to_owned(), reason: None },
            ("@eve:e.example", _) => RoomCommand::Join { reason: None, member_of: None },
            _ => topic(number),
        };
        let context = Context {
            sender: user(users[sender % users.len()]),
            device: None,
            now: MilliSecondsSinceUnixEpoch((10 + number % 5).into()),
            server_name: <&ServerName>::try_from("a.example").unwrap(),
            events: &[],
        };
        let Ok(events) = room.decide(&command, &Profile::default(), &context) else { continue };
        for pdu in events {
            room.evolve(&RoomEvent::new(Envelope::local(None, None), pdu.clone()));
            if shared.graph.receive(&pdu, origin(), false).is_decided() {
                made.push(pdu);
            }
        }
        rooms.push(room);
    }
    made
}

trait IsDecided {
    fn is_decided(&self) -> bool;
}

impl IsDecided for Verdict {
    fn is_decided(&self) -> bool {
        matches!(self, Self::Decided(_))
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// The state and the leaves that count follow from the set of events, also if a server has many
    /// more leaves than count.
    #[test]
    fn leaves_that_are_left_out_follow_from_the_set_of_events(
        steps in prop::collection::vec((0..200_usize, 0..5_usize, prop::bool::weighted(0.3)), 20..60),
        order in any::<prop::sample::Index>(),
        keys in prop::collection::vec(any::<u32>(), 60),
    ) {
        let events = forked(&steps);
        let taken = |order: Vec<Arc<Pdu>>| {
            let mut shared = Shared::new();
            let mut waiting = order;
            while !waiting.is_empty() {
                let before = waiting.len();
                waiting.retain(|pdu| match shared.graph.receive(pdu, origin(), false) {
                    Verdict::Missing(_) => true,
                    Verdict::Decided(_) => false,
                    other => panic!("{other:?}"),
                });
                assert!(waiting.len() < before);
            }
            let mut leaves: Vec<_> = shared.graph.leaves().collect();
            leaves.sort_unstable();
            let own = |(kind, key, id): (&str, &str, _)| (kind.to_owned(), key.to_owned(), id);
            (shared.graph.state().into_iter().map(own).collect::<Vec<_>>(), leaves)
        };
        let mut shuffled: Vec<_> = events.iter().cloned().zip(&keys).collect();
        shuffled.sort_by_key(|(_, key)| **key);
        let mut turned = events.clone();
        if !turned.is_empty() {
            let by = order.index(turned.len());
            turned.rotate_left(by);
        }
        let expected = taken(events);
        prop_assert_eq!(&taken(shuffled.into_iter().map(|(pdu, _)| pdu).collect()), &expected);
        prop_assert_eq!(&taken(turned), &expected);
    }
}

#[test]
#[ignore = "prints measurements"]
fn measure() {
    for (name, attack) in ATTACKS {
        for count in [0, 100, 400, 1_000, 4_000] {
            let start = cpu_time::ThreadTime::now();
            let (mut shared, work) = attack(count);
            let taken = start.elapsed();
            for number in 0..12 {
                shared.topic_work(100_000 + number);
            }
            let start = cpu_time::ThreadTime::now();
            let topics: Vec<_> = (0..8).map(|n| cost(shared.topic_work(200_000 + n))).collect();
            let later = start.elapsed() / 8;
            let bytes = shared.graph.weight_bytes();
            println!("{name}: {count}: {taken:?}, {work:?}; then {later:?}, {topics:?}; {bytes} B");
        }
    }
}
