use std::sync::Arc;

use rookery_domain::CreateRoom;

use super::{actor, bodies, commands, join, memory, public_room, text};
use crate::{HandleError, Retry};

#[tokio::test]
async fn a_retried_action_gives_the_first_result_and_writes_nothing() {
    let log = memory();
    let commands = commands(&log);
    let room = public_room(&commands, "alice").await;
    let retry = Retry::Action(1);
    let first = commands.room(&actor("alice"), &room, &text("once"), retry).await.unwrap();
    let again = commands.room(&actor("alice"), &room, &text("once"), retry).await.unwrap();
    assert!(!first.repeated && again.repeated);
    assert_eq!((first.position, first.events), (again.position, again.events));
    assert_eq!(bodies(&log).await, ["once"]);
}

#[tokio::test]
async fn the_first_result_survives_a_restart() {
    let log = memory();
    let before = commands(&log);
    let room = public_room(&before, "alice").await;
    let retry = Retry::Action(1);
    let first = before.room(&actor("alice"), &room, &text("once"), retry).await.unwrap();
    let after = commands(&log);
    let again = after.room(&actor("alice"), &room, &text("once"), retry).await.unwrap();
    assert_eq!((first.position, first.first_sequence), (again.position, again.first_sequence));
    assert_eq!(bodies(&log).await, ["once"]);
}

#[tokio::test]
async fn the_same_action_fifty_times_at_once_is_one_event() {
    let log = memory();
    let commands = Arc::new(commands(&log));
    let room = public_room(&commands, "alice").await;
    let tries: Vec<_> = (0..50)
        .map(|_| {
            let (commands, room) = (Arc::clone(&commands), room.clone());
            tokio::spawn(async move {
                let (alice, message) = (actor("alice"), text("once"));
                commands.room(&alice, &room, &message, Retry::Action(1)).await.unwrap().position
            })
        })
        .collect();
    let mut positions = Vec::new();
    for attempt in tries {
        positions.push(attempt.await.unwrap());
    }
    positions.dedup();
    assert_eq!(positions.len(), 1);
    assert_eq!(bodies(&log).await, ["once"]);
}

#[tokio::test]
async fn another_users_action_of_the_same_number_is_independent() {
    let log = memory();
    let commands = commands(&log);
    let room = public_room(&commands, "alice").await;
    commands.room(&actor("bob"), &room, &join(), Retry::Action(1)).await.unwrap();
    commands.room(&actor("alice"), &room, &text("a"), Retry::Action(2)).await.unwrap();
    commands.room(&actor("bob"), &room, &text("b"), Retry::Action(2)).await.unwrap();
    assert_eq!(bodies(&log).await, ["a", "b"]);
}

#[tokio::test]
async fn an_action_number_used_in_another_room_is_refused() {
    let log = memory();
    let commands = commands(&log);
    let room = public_room(&commands, "alice").await;
    let other = public_room(&commands, "alice").await;
    let retry = Retry::Action(1);
    commands.room(&actor("alice"), &room, &text("here"), retry).await.unwrap();
    let reused = commands.room(&actor("alice"), &other, &text("there"), retry).await;
    assert!(matches!(reused, Err(HandleError::ActionIdReused)), "{reused:?}");
}

#[tokio::test]
async fn a_retried_creation_gives_the_first_room() {
    let log = memory();
    let commands = commands(&log);
    let create = CreateRoom { name: Some("Once".into()), ..CreateRoom::default() };
    let retry = Retry::Action(1);
    let first = commands.create_room(&actor("alice"), &create, retry).await.unwrap();
    let again = commands.create_room(&actor("alice"), &create, retry).await.unwrap();
    assert_eq!(first.room_id, again.room_id);
    assert!(again.repeated);
}
