//! Several write sides on one log.

use rookery_domain::RoomVersionId;

use super::{convergence::check_history, topic};
use crate::{
    Received,
    testing::{Server, World, folded},
    tests::text,
};

#[tokio::test]
async fn two_gateways_on_one_log_take_events_of_other_servers() {
    let mut world = World::new(3, RoomVersionId::V12, 2).await;
    world.join_all().await;
    world.run(40).await;
    world.settle().await;
    let one = Server::in_memory("late.example");
    let two = Server::open("late.example", &one.log);
    for (number, sent) in world.sent.iter().enumerate() {
        let to = if number % 3 == 0 { &*one.commands } else { &two };
        let received = sent.deliver(to, &world.keys).await.received;
        let taken = matches!(received, Received::Accepted { .. } | Received::SoftFailed { .. });
        assert!(taken, "{received:?}");
    }
    let there = folded(&*world.servers[0].log, &world.room_id).await;
    assert_eq!(folded(&*one.log, &world.room_id).await.state, there.state);
    check_history(&*one.log, &world.room_id).await;
}

#[tokio::test]
async fn commands_and_events_of_other_servers_race_and_none_is_lost() {
    let mut world = super::two_servers(RoomVersionId::V11).await;
    for number in 0..20 {
        let command = if number % 5 == 0 { topic("from two") } else { text("from two") };
        world.let_act(1, "ann", &command).await;
    }
    let theirs: Vec<_> =
        world.sent.iter().filter(|sent| sent.origin == world.servers[1].name).cloned().collect();
    let other = Server::open("one.example", &world.servers[0].log);
    let server = &world.servers[0];
    let act = async {
        for number in 0..20_u64 {
            let acted = server.act("ann", &world.room_id, &text("from one"), 5_000 + number).await;
            assert_eq!(acted.unwrap().events.len(), 1);
            tokio::task::yield_now().await;
        }
    };
    let take = async {
        for sent in &theirs {
            sent.deliver(&other, &world.keys).await;
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(act, take);
    let here = folded(&*server.log, &world.room_id).await;
    assert!(theirs.iter().all(|sent| here.taken.contains(&sent.event_id)));
    world.settle().await;
    let made = world.servers[0].outbox(&world.room_id, &world.version).await;
    for sent in made {
        sent.deliver(&world.servers[1].commands, &world.keys).await;
    }
    let there = folded(&*world.servers[1].log, &world.room_id).await;
    let here = folded(&*world.servers[0].log, &world.room_id).await;
    assert_eq!((here.state, here.leaves), (there.state, there.leaves));
    check_history(&*world.servers[0].log, &world.room_id).await;
}
