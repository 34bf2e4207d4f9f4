//! Redactions of other servers, one by one: before and after their targets, with power and without.

use std::sync::Arc;

use rookery_domain::{EventStatus, RoomVersionId};
use rookery_log::ErasableLog;
use serde_json::json;

use super::{VERSIONS, resigned, topic, two_servers};
use crate::{
    Commands, Received,
    testing::{Sent, World, graph_of, history},
    tests::{commands, memory, rooms::redactions::is_in, text},
};

/// A message of the second server and its redaction by the same user, which no server has received.
async fn told_and_taken_back(version: RoomVersionId) -> (World, Sent, Sent) {
    let mut world = two_servers(version.clone()).await;
    assert!(world.let_act(1, "ann", &text("a slip of the tongue")).await);
    let message = world.sent.pop().unwrap();
    let redaction = resigned(&world, &message, |event| {
        event["type"] = "m.room.redaction".into();
        event["content"] = json!({ "redacts": message.event_id.as_str() });
        event["prev_events"] = json!([world.sent.last().unwrap().event_id.as_str()]);
        if version == RoomVersionId::V10 {
            event.insert("redacts".to_owned(), message.event_id.as_str().into());
        }
    });
    (world, message, redaction)
}

/// Appends the events so far to a write side that has a read side.
async fn here(world: &World) -> (Arc<dyn ErasableLog>, Commands) {
    let log = memory();
    let here = commands(&log);
    for sent in &world.sent {
        let received = sent.deliver(&here, &world.keys).await.received;
        assert!(matches!(received, Received::Accepted { .. }), "{received:?}");
    }
    (log, here)
}

#[tokio::test]
async fn a_redaction_of_another_server_erases_what_its_users_said() {
    for version in VERSIONS {
        let (world, message, redaction) = told_and_taken_back(version).await;
        let (log, here) = here(&world).await;
        message.deliver(&here, &world.keys).await;
        assert!(is_in(&log, "a slip of the tongue").await);
        let received = redaction.deliver(&here, &world.keys).await.received;
        assert!(matches!(received, Received::Accepted { .. }), "{received:?}");
        assert!(!is_in(&log, "a slip of the tongue").await);
        let (_, events) = history(&*log, &world.room_id).await.pop().unwrap();
        assert_eq!(events[0].envelope.erases[0].event_id, message.event_id);
    }
}

#[tokio::test]
async fn a_redaction_that_comes_first_leaves_nothing_to_erase() {
    for version in VERSIONS {
        let (world, message, redaction) = told_and_taken_back(version).await;
        let (log, here) = here(&world).await;
        redaction.deliver(&here, &world.keys).await;
        // This also holds after a restart of the server in between.
        let here = commands(&log);
        let received = message.deliver(&here, &world.keys).await.received;
        assert!(matches!(received, Received::Accepted { .. }), "{received:?}");
        assert!(!is_in(&log, "a slip of the tongue").await);
        let graph = graph_of(&*log, &world.room_id).await;
        assert_eq!(graph.status(&message.event_id), Some(EventStatus::Accepted));
    }
}

#[tokio::test]
async fn a_redaction_without_the_power_for_it_erases_nothing() {
    let mut world = two_servers(RoomVersionId::V12).await;
    world.join_all().await;
    assert!(world.let_act(0, "ben", &text("not yours to take")).await);
    let message = world.sent.last().unwrap().clone();
    world.settle().await;
    assert!(world.let_act(1, "ben", &text("a template")).await);
    let template = world.sent.last().unwrap().clone();
    let redaction = resigned(&world, &template, |event| {
        event["type"] = "m.room.redaction".into();
        event["content"] = json!({ "redacts": message.event_id.as_str() });
    });
    let (log, here) = here(&world).await;
    let received = redaction.deliver(&here, &world.keys).await.received;
    assert!(matches!(received, Received::Accepted { .. }), "{received:?}");
    assert!(is_in(&log, "not yours to take").await);
}

#[tokio::test]
async fn state_that_another_server_redacts_keeps_its_slot_and_says_nothing() {
    let mut world = two_servers(RoomVersionId::V12).await;
    let (log, here) = here(&world).await;
    assert!(world.let_act(1, "ann", &topic("a topic to forget")).await);
    let said = world.sent.last().unwrap().clone();
    said.deliver(&here, &world.keys).await;
    let redaction = resigned(&world, &said, |event| {
        event["type"] = "m.room.redaction".into();
        event.remove("state_key");
        event["content"] = json!({ "redacts": said.event_id.as_str() });
        event["prev_events"] = json!([said.event_id.as_str()]);
    });
    let received = redaction.deliver(&here, &world.keys).await.received;
    assert!(matches!(received, Received::Accepted { .. }), "{received:?}");
    assert!(!is_in(&log, "a topic to forget").await);
    let room = crate::testing::room_of(&*log, &world.room_id).await;
    assert_eq!(room.topic(), None);
    assert_eq!(room.state("m.room.topic", "").unwrap().event_id, said.event_id);
}
