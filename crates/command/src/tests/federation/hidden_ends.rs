//! Rooms with a soft-failed event, which no event made here follows.

use std::collections::BTreeMap;

use rookery_domain::{
    EventStatus, JsonObject, OwnedUserId, PowerLevelsChange, Rejection, Room, RoomCommand,
    RoomEvent, RoomVersionId,
};
use serde_json::json;

use super::{VERSIONS, convergence::check_history, resigned, topic, two_servers};
use crate::{
    HandleError, Received,
    testing::{Sent, Server, World, folded, history, room_of},
    tests::text,
};

fn level(user: OwnedUserId, level: i64) -> RoomCommand {
    let users = BTreeMap::from([(user, Some(level))]);
    RoomCommand::SetPowerLevels {
        change: PowerLevelsChange { users, ..PowerLevelsChange::default() },
    }
}

/// Ann of the second server leaves by herself. Her simultaneous event in another branch reaches the
/// first server after that: it soft-fails, and still counts.
async fn after_leaving(
    version: RoomVersionId,
    alter: impl FnOnce(&mut JsonObject),
) -> (World, Sent) {
    let mut world = two_servers(version).await;
    world.join_all().await;
    assert!(world.let_act(1, "ann", &text("a last word")).await);
    let message = world.sent.last().unwrap().clone();
    world.settle().await;
    assert!(world.let_act(1, "ann", &RoomCommand::Leave { reason: None, successor: None }).await);
    world.settle().await;
    let late = resigned(&world, &message, alter);
    let received = late.deliver(&world.servers[0].commands, &world.keys).await.received;
    assert!(matches!(received, Received::SoftFailed { .. }), "{received:?}");
    (world, late)
}

fn sets_topic(event: &mut JsonObject) {
    event["type"] = "m.room.topic".into();
    event["content"] = json!({ "topic": "from the past" });
    event.insert("state_key".into(), "".into());
}

/// The newest event of the first server.
async fn newest(world: &World) -> RoomEvent {
    history(&*world.servers[0].log, &world.room_id).await.pop().unwrap().1.pop().unwrap()
}

async fn first(world: &World) -> Room {
    room_of(&*world.servers[0].log, &world.room_id).await
}

/// A server that receives everything in the order in which it was made, the late event before the
/// leave.
async fn accepts_all(world: &World, late: &Sent) -> Server {
    let other = Server::in_memory("late.example");
    let at = world.sent.iter().position(|sent| sent.json.get().contains("\"leave\"")).unwrap();
    for sent in world.sent[..at].iter().chain([late]).chain(&world.sent[at..]) {
        let received = sent.deliver(&other.commands, &world.keys).await.received;
        assert!(matches!(received, Received::Accepted { .. }), "{received:?}");
    }
    other
}

#[tokio::test]
async fn an_event_that_soft_failed_counts_where_others_have_accepted_it() {
    for version in VERSIONS {
        let (mut world, late) = after_leaving(version, sets_topic).await;
        let event = newest(&world).await;
        assert_eq!(event.envelope.status, EventStatus::SoftFailed);
        assert!(event.holds_its_slot());
        assert_eq!(first(&world).await.topic().as_deref(), Some("from the past"));
        assert!(world.let_act(0, "ben", &text("as ever")).await);
        let other = accepts_all(&world, &late).await;
        let there = folded(&*other.log, &world.room_id).await;
        let here = folded(&*world.servers[0].log, &world.room_id).await;
        assert_eq!((here.state, here.leaves), (there.state, there.leaves));
        check_history(&*world.servers[0].log, &world.room_id).await;
    }
}

#[tokio::test]
async fn state_set_beside_a_hidden_end_says_what_it_comes_to() {
    for version in VERSIONS {
        let (mut world, late) = after_leaving(version, sets_topic).await;
        // By state resolution the later topic stays, and the clock here is slow.
        let server = &world.servers[0];
        let acted = server.act("ann", &world.room_id, &topic("of today"), 1).await;
        assert_eq!(acted.unwrap().events.len(), 1);
        let event = newest(&world).await;
        assert_eq!(
            (event.envelope.state.as_deref(), event.holds_its_slot()),
            (Some(&[][..]), false)
        );
        assert_eq!(first(&world).await.topic().as_deref(), Some("from the past"));
        let other = accepts_all(&world, &late).await;
        let made = world.servers[0].outbox(&world.room_id, &world.version).await.pop().unwrap();
        let received = made.deliver(&other.commands, &world.keys).await.received;
        assert!(matches!(received, Received::Accepted { .. }), "{received:?}");
        let there = folded(&*other.log, &world.room_id).await;
        assert_eq!(folded(&*world.servers[0].log, &world.room_id).await.state, there.state);
        check_history(&*world.servers[0].log, &world.room_id).await;
    }
}

#[tokio::test]
async fn nothing_is_made_that_others_would_reject() {
    let (mut world, late) = after_leaving(RoomVersionId::V11, |event| {
        event["type"] = "m.room.power_levels".into();
        event["content"] = json!({
            "users": { "@ann:one.example": 100, "@ann:two.example": 100, "@ben:one.example": 50 },
        });
        event.insert("state_key".into(), "".into());
    })
    .await;
    // The state gives Ben power, but the state before his event would not.
    let ben = world.servers[0].user("ben");
    assert!(first(&world).await.may_send(&ben, "m.room.topic", true));
    let refused = world.servers[0].act("ben", &world.room_id, &topic("mine"), 7_000).await;
    let Err(HandleError::Rejected(Rejection::Forbidden { rule })) = refused else {
        panic!("{refused:?}")
    };
    assert!(rule.contains("m.room.topic"), "{rule}");
    // After an event of other servers has followed both leaves, so does his.
    let mut other = accepts_all(&world, &late).await;
    other.act("zoe", &world.room_id, &super::super::join(), 7_000).await.unwrap();
    other.publish(&mut world.keys);
    let joining = other.outbox(&world.room_id, &world.version).await.pop().unwrap();
    let taken = joining.deliver(&world.servers[0].commands, &world.keys).await.received;
    assert!(matches!(taken, Received::Accepted { .. }), "{taken:?}");
    let now = world.servers[0].act("ben", &world.room_id, &topic("mine"), 8_000).await;
    assert_eq!(now.unwrap().events.len(), 1);
    assert_eq!(first(&world).await.topic().as_deref(), Some("mine"));
}

#[tokio::test]
async fn messages_beside_a_hidden_end_run_ahead_once_it_is_known_to_change_nothing() {
    let (mut world, _) = after_leaving(RoomVersionId::V12, |event| {
        event["content"] = json!({ "body": "from the past", "msgtype": "m.text" });
    })
    .await;
    let needs_graph = |world: &World, event: RoomEvent| {
        let commands = world.servers[0].commands.clone();
        let stream_state = commands.rooms.state_of(world.room_id.as_str());
        async move {
            let look = |room: Option<&Room>| room.unwrap().needs_graph(&event.pdu);
            commands.core.read_state(&commands.rooms, &stream_state, look).await.unwrap()
        }
    };
    let message = newest(&world).await;
    assert!(needs_graph(&world, message).await);
    assert!(world.let_act(0, "ann", &text("one")).await);
    let message = newest(&world).await;
    assert!(!needs_graph(&world, message.clone()).await);
    for number in 0..3 {
        assert!(world.let_act(0, "ann", &text(&number.to_string())).await);
    }
    assert!(!needs_graph(&world, message.clone()).await);
    assert!(world.let_act(0, "ann", &topic("of today")).await);
    assert!(needs_graph(&world, newest(&world).await).await);
    check_history(&*world.servers[0].log, &world.room_id).await;
}

#[tokio::test]
async fn a_room_loaded_anew_knows_its_hidden_ends() {
    let (mut world, _) = after_leaving(RoomVersionId::V12, sets_topic).await;
    let before = first(&world).await;
    world.servers[0].restart();
    assert!(world.let_act(0, "ann", &level(world.servers[0].user("ben"), 50)).await);
    assert!(world.let_act(0, "ben", &topic("of today")).await);
    let after = first(&world).await;
    assert_eq!(before.leaves().len(), after.leaves().len());
    assert_eq!(after.topic().as_deref(), Some("of today"));
    check_history(&*world.servers[0].log, &world.room_id).await;
}
