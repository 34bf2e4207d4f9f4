//! Properties of every room that servers share, whatever the order of its events.

use proptest::prelude::*;
use rookery_domain::{EventStatus, OwnedEventId, Room, RoomEvent, RoomId, RoomVersionId};
use rookery_graph::{Graph, Verdict};
use rookery_log::EventLog;

use super::{VERSIONS, block_on};
use crate::testing::{Folded, Orders, Server, World, folded, graph_of, history};

type State = Vec<(String, String, OwnedEventId)>;

async fn lived(seed: u64, version: RoomVersionId, steps: usize, with_rogue: bool) -> World {
    let mut world = World::new(seed, version, 3).await;
    world.join_all().await;
    if with_rogue {
        world.invite_rogue().await;
    }
    world.run(steps).await;
    world.settle().await;
    world
}

/// The part that does not depend on the order in which events came.
fn lasting(room: Folded) -> impl PartialEq + std::fmt::Debug {
    (room.state, room.taken, room.rejected, room.leaves)
}

fn owned<'a>(state: impl IntoIterator<Item = (&'a str, &'a str, OwnedEventId)>) -> State {
    let own = |(kind, key, id): (&str, &str, _)| (kind.to_owned(), key.to_owned(), id);
    state.into_iter().map(own).collect()
}

fn state_of(room: &Room) -> State {
    let slot = |pdu: &std::sync::Arc<rookery_domain::Pdu>| {
        let (kind, key) = pdu.state_slot().unwrap();
        (kind, key.to_owned(), pdu.event_id.clone())
    };
    let mut state: State = room.state_events().map(slot).collect();
    state.sort_unstable();
    state
}

/// Decides all events again, in the order of the log, and compares with the log after each commit.
pub(super) async fn check_history(log: &dyn EventLog, room_id: &RoomId) {
    let (mut graph, mut room) = (Graph::default(), Room::new(room_id.to_owned()));
    let mut all = Vec::new();
    for (position, events) in history(log, room_id).await {
        for mut event in events {
            let origin = event.envelope.origin.clone();
            let Verdict::Decided(decided) = graph.receive(&event.pdu, origin, false) else {
                panic!("{} cannot be decided anew", event.pdu.event_id);
            };
            event.restated = decided.event.restated.clone();
            assert_eq!(decided.event, event, "{:?}", decided.reason);
            check_parents(&graph, &event);
            room.evolve(&event);
            assert_eq!(owned(graph.state()), state_of(&room));
            all.push(event);
        }
        graph.commit(position.0);
    }
    let mut read = graph_of(log, room_id).await;
    assert_eq!(owned(read.state()), owned(graph.state()));
    assert!(read.extremities().eq(graph.extremities()));
    assert!(read.extremities().eq(room.forward_extremities().iter().cloned()));
    for event in all.iter().rev() {
        let id = &event.pdu.event_id;
        assert_eq!(owned(read.state_after(id)), owned(graph.state_after(id)));
    }
}

/// No event made here follows an event that was not accepted, and no such event is an extremity of
/// the room.
fn check_parents(graph: &Graph, event: &RoomEvent) {
    let accepted = |id: &rookery_domain::EventId| graph.status(id) == Some(EventStatus::Accepted);
    assert!(graph.extremities().all(|id| accepted(&id)));
    if matches!(event.envelope.origin, rookery_domain::Origin::Local { .. }) {
        assert!(event.pdu.prev_events.iter().all(|id| accepted(id)));
        assert!(event.pdu.auth_events.iter().all(|id| graph.status(id).is_some()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, max_shrink_iters: 20, ..ProptestConfig::default() })]

    #[test]
    fn servers_that_have_all_events_agree_on_the_room(seed: u64, version in 0..3_usize, rogue: bool) {
        block_on(async {
            let world = lived(seed, VERSIONS[version].clone(), 60, rogue).await;
            let first = lasting(folded(&*world.servers[0].log, &world.room_id).await);
            for server in &world.servers[1..] {
                assert_eq!(lasting(folded(&*server.log, &world.room_id).await), first);
                assert_eq!(server.commands.held_back().events, 0);
            }
        });
    }

    #[test]
    fn any_order_of_arrival_gives_the_same_room(seed: u64, version in 0..3_usize) {
        block_on(async {
            let world = lived(seed, VERSIONS[version].clone(), 60, true).await;
            let first = lasting(folded(&*world.servers[0].log, &world.room_id).await);
            let mut orders = Orders::new(seed);
            for order in [orders.shuffled(&world.sent), orders.delayed(&world.sent, 9)] {
                let mut late = Server::in_memory("late.example");
                for (number, sent) in order.iter().enumerate() {
                    if number == order.len() / 2 && late.commands.held_back().events == 0 {
                        late.restart();
                    }
                    sent.deliver(&late.commands, &world.keys).await;
                }
                assert_eq!(lasting(folded(&*late.log, &world.room_id).await), first);
                check_history(&*late.log, &world.room_id).await;
            }
        });
    }

    #[test]
    fn what_the_log_says_is_what_the_graph_resolves(seed: u64, version in 0..3_usize, rogue: bool) {
        block_on(async {
            let world = lived(seed, VERSIONS[version].clone(), 60, rogue).await;
            for server in &world.servers {
                check_history(&*server.log, &world.room_id).await;
            }
        });
    }
}
