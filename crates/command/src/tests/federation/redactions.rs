//! Redactions by other servers.

use std::sync::Arc;

use rookery_domain::{OwnedEventId, OwnedServerName, RoomCommand};
use rookery_log::{ErasableLog, Position, Scope};

use super::{super::FromLog, VERSIONS};
use crate::{
    CommandOptions, Commands, Ports,
    testing::{Server, World},
    tests::{join, memory, text},
};

/// A server that knows the events of its own log.
fn server(name: &str) -> Server {
    let log = memory();
    let read_side = Arc::new(FromLog(Arc::clone(&log)));
    let ports = Ports {
        memberships: read_side.clone(),
        events: read_side.clone(),
        last_actions: read_side.clone(),
        calls: read_side,
    };
    let own = OwnedServerName::try_from(name).unwrap();
    let commands = Commands::open(Arc::clone(&log), own, ports, None, CommandOptions::default());
    Server::over(name, Arc::new(commands.unwrap()), log)
}

async fn has(log: &Arc<dyn ErasableLog>, text: &str) -> bool {
    let records = log.read(&Scope::All, Position::ORIGIN, 4_096).await.unwrap();
    let mut events = records.iter().flat_map(|record| &record.commit.events);
    events.any(|event| String::from_utf8_lossy(&event.content).contains(text))
}

async fn says(world: &mut World, server: usize, user: &str, body: &str) -> OwnedEventId {
    assert!(world.let_act(server, user, &text(body)).await);
    world.sent.last().unwrap().event_id.clone()
}

fn redact(event_id: &OwnedEventId) -> RoomCommand {
    RoomCommand::Redact { event_id: event_id.clone(), reason: None }
}

#[tokio::test]
async fn content_that_another_server_redacts_leaves_the_log_here_too() {
    for version in VERSIONS {
        let servers = ["one.example", "two.example"].map(server).into();
        let mut world = World::of(7, version, servers).await;
        assert!(world.let_act(1, "ann", &join()).await);
        world.settle().await;
        // Messages that are sent and redacted before the other server hears of them, and after.
        let early = says(&mut world, 1, "ann", "an early secret").await;
        assert!(world.let_act(1, "ann", &redact(&early)).await);
        let late = says(&mut world, 1, "ann", "a late secret").await;
        world.settle().await;
        assert!(has(&world.servers[0].log, "a late secret").await);
        assert!(world.let_act(1, "ann", &redact(&late)).await);
        world.settle().await;
        for server in &world.servers {
            for secret in ["an early secret", "a late secret"] {
                assert!(!has(&server.log, secret).await, "{} has {secret}", server.name);
            }
        }
        // And the other way round: the first user of the room has the power to redact everything.
        let theirs = says(&mut world, 1, "ann", "a third secret").await;
        world.settle().await;
        assert!(world.let_act(0, "ann", &redact(&theirs)).await);
        world.settle().await;
        assert!(!has(&world.servers[1].log, "a third secret").await);
    }
}
