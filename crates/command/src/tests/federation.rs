//! Events of other servers, on logs in memory.

mod convergence;
mod early_redactions;
mod gateways;
mod hidden_ends;
mod middle;
mod past;
mod redactions;
mod refusals;

use rookery_domain::{JsonObject, RoomCommand, RoomVersionId};

use crate::testing::{Rogue, Sent, World};

const VERSIONS: [RoomVersionId; 3] = [RoomVersionId::V10, RoomVersionId::V11, RoomVersionId::V12];

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn topic(topic: &str) -> RoomCommand {
    RoomCommand::SetTopic { topic: topic.to_owned() }
}

/// Two servers and a room that both have joined.
async fn two_servers(version: RoomVersionId) -> World {
    let mut world = World::new(7, version, 2).await;
    assert!(world.let_act(1, "ann", &super::join()).await);
    world.settle().await;
    world
}

fn object(sent: &Sent) -> JsonObject {
    serde_json::from_str(sent.json.get()).unwrap()
}

/// The event with other fields, hashed and signed again by the second server.
fn resigned(world: &World, sent: &Sent, alter: impl FnOnce(&mut JsonObject)) -> Sent {
    let mut event = object(sent);
    alter(&mut event);
    Rogue::over(&world.servers[1]).sign(&event, sent, &world.version).unwrap()
}
