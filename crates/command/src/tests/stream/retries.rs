use std::sync::Arc;

use rookery_domain::{
    CreateRoom, HistoryVisibility, JoinRule, MessageKind, PowerLevelsChange, RoomCommand,
};

use crate::tests::{actor, bodies, commands, join, memory, public_room, text};
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

#[tokio::test]
async fn a_number_that_was_used_for_something_else_is_refused() {
    let log = memory();
    let commands = commands(&log);
    let room = public_room(&commands, "alice").await;
    let retry = Retry::Action(1);
    let send = |command: RoomCommand| {
        let (commands, room) = (&commands, &room);
        async move { commands.room(&actor("alice"), room, &command, retry).await.map(|_| ()) }
    };
    send(text("once")).await.unwrap();
    let notice = RoomCommand::SendMessage {
        kind: MessageKind::Notice,
        body: "once".into(),
        formatted_body: None,
        relation: None,
        mentions: None,
    };
    let name = RoomCommand::SetName { name: "once".into() };
    for other in [text("twice"), notice, name, join()] {
        let refused = send(other.clone()).await;
        assert!(matches!(refused, Err(HandleError::ActionIdReused)), "{other:?}");
    }
    assert_eq!(bodies(&log).await, ["once"]);
}

#[tokio::test]
async fn every_kind_of_command_is_known_again() {
    let log = memory();
    let commands = commands(&log);
    let room = public_room(&commands, "alice").await;
    let (alice, bob) = (actor("alice"), actor("bob").user);
    let (user, reason) = (bob.clone(), Some("because".to_owned()));
    let change = PowerLevelsChange { invite: Some(5), ..PowerLevelsChange::default() };
    let kinds = [
        text("a message"),
        RoomCommand::SetName { name: "A name".into() },
        RoomCommand::SetName { name: String::new() },
        RoomCommand::SetTopic { topic: "A topic".into() },
        RoomCommand::SetHistoryVisibility { visibility: HistoryVisibility::Joined },
        RoomCommand::SetListed { listed: true },
        RoomCommand::SetJoinRule { rule: JoinRule::Invite },
        RoomCommand::SetPowerLevels { change },
        RoomCommand::Invite { invitee: bob.into(), reason: None },
        RoomCommand::Kick { user: user.clone(), reason: reason.clone() },
        RoomCommand::Ban { user: user.clone(), reason: None },
        RoomCommand::Unban { user, reason },
    ];
    for (action, command) in (1..).zip(kinds) {
        let send = || commands.room(&alice, &room, &command, Retry::Action(action));
        let (first, again) = (send().await.unwrap(), send().await.unwrap());
        assert!(again.repeated && !first.events.is_empty(), "{command:?}");
        assert_eq!(first.events, again.events, "{command:?}");
    }
}
