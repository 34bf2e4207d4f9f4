use proptest::prelude::*;
use rookery_domain::RoomVersionId;

use super::VERSIONS;
use crate::testing::{Folded, Orders, Server, World, folded};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

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

/// What does not depend on the order in which events came.
fn lasting(room: Folded) -> impl PartialEq + std::fmt::Debug {
    (room.state, room.taken, room.rejected, room.leaves)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn servers_that_have_all_events_agree_on_the_room(seed: u64, version in 0..3_usize, rogue: bool) {
        block_on(async {
            let world = lived(seed, VERSIONS[version].clone(), 70, rogue).await;
            let first = lasting(folded(&*world.servers[0].log, &world.room_id).await);
            for server in &world.servers[1..] {
                assert_eq!(lasting(folded(&*server.log, &world.room_id).await), first);
                assert_eq!(server.commands.held_back().events, 0);
            }
            let late = Server::in_memory("late.example");
            for sent in Orders::new(seed).shuffled(&world.sent) {
                sent.deliver(&late.commands, &world.keys).await;
            }
            assert_eq!(lasting(folded(&*late.log, &world.room_id).await), first);
        });
    }
}
