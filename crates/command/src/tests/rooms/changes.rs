use rookery_domain::{CreateRoom, Invitee, JoinRule, Rejection, RoomCommand};

use crate::tests::{actor, bodies, commands, join, memory, open, public_room, say, text};
use crate::{CommandOptions, HandleError, Retry};

#[tokio::test]
async fn commands_started_without_waiting_are_applied_in_their_order() {
    let log = memory();
    let commands = commands(&log);
    let room = public_room(&commands, "alice").await;
    let mut started = Vec::new();
    for number in 0..100 {
        let message = text(&number.to_string());
        started
            .push(commands.start(&actor("alice"), &room, &message, Retry::Unnamed).await.unwrap());
    }
    for start in started {
        commands.finish(start).await.unwrap();
    }
    let expected: Vec<_> = (0..100).map(|number| number.to_string()).collect();
    assert_eq!(bodies(&log).await, expected);
}

#[tokio::test]
async fn two_gateways_on_one_log_lose_no_command() {
    let log = memory();
    let (one, two) = (commands(&log), commands(&log));
    let room = public_room(&one, "alice").await;
    two.room(&actor("bob"), &room, &join(), Retry::Unnamed).await.unwrap();
    for number in 0..20 {
        say(&one, "alice", &room, &format!("alice {number}")).await;
        say(&two, "bob", &room, &format!("bob {number}")).await;
    }
    assert_eq!(bodies(&log).await.len(), 40);
}

#[tokio::test]
async fn an_evicted_room_is_loaded_again() {
    let log = memory();
    let commands =
        open(&log, None, CommandOptions { rooms_bytes_max: 1, ..CommandOptions::default() });
    let room = public_room(&commands, "alice").await;
    let other = public_room(&commands, "alice").await;
    for _ in 0..3 {
        say(&commands, "alice", &room, "one").await;
        say(&commands, "alice", &other, "other").await;
    }
    assert_eq!(bodies(&log).await.len(), 6);
}

#[tokio::test]
async fn a_room_with_commands_under_way_is_not_evicted() {
    let log = memory();
    let commands =
        open(&log, None, CommandOptions { rooms_bytes_max: 1, ..CommandOptions::default() });
    let room = public_room(&commands, "alice").await;
    let other = public_room(&commands, "alice").await;
    let alice = actor("alice");
    let mut started = Vec::new();
    for number in 0..10 {
        let message = text(&number.to_string());
        for room in [&room, &other] {
            let start = commands.start(&alice, room, &message, Retry::Unnamed).await;
            started.push(start.unwrap());
        }
    }
    let states = commands.rooms.all().len();
    assert_eq!(states, 2);
    for start in started {
        commands.finish(start).await.unwrap();
    }
}

#[tokio::test]
async fn what_holds_already_changes_nothing() {
    let log = memory();
    let commands = commands(&log);
    let room = public_room(&commands, "alice").await;
    let before = *log.tail().borrow();
    let joined = commands.room(&actor("alice"), &room, &join(), Retry::Unnamed).await.unwrap();
    assert!(joined.events.is_empty());
    assert_eq!((joined.position, *log.tail().borrow()), (before, before));
}

#[tokio::test]
async fn a_private_room_and_no_room_are_refused_alike() {
    let log = memory();
    let commands = commands(&log);
    let created =
        commands.create_room(&actor("alice"), &CreateRoom::default(), Retry::Unnamed).await;
    let private = created.unwrap().room();
    let nowhere = rookery_domain::OwnedRoomId::try_from("!nowhere:test").unwrap();
    for room in [&private, &nowhere] {
        for command in [join(), text("x"), RoomCommand::Leave { reason: None, successor: None }] {
            let refused = commands.room(&actor("eve"), room, &command, Retry::Unnamed).await;
            assert!(matches!(refused, Err(HandleError::NoSuchRoom)), "{refused:?}");
        }
    }
}

#[tokio::test]
async fn a_banned_user_is_told_so() {
    let log = memory();
    let commands = commands(&log);
    let room = public_room(&commands, "alice").await;
    let ban = RoomCommand::Ban { user: actor("bob").user, reason: None };
    commands.room(&actor("alice"), &room, &ban, Retry::Unnamed).await.unwrap();
    let refused = commands.room(&actor("bob"), &room, &join(), Retry::Unnamed).await;
    assert!(matches!(refused, Err(HandleError::Rejected(Rejection::Banned))), "{refused:?}");
}

#[tokio::test]
async fn members_of_an_allowed_room_get_into_a_restricted_one() {
    let log = memory();
    let commands = commands(&log);
    let lobby = public_room(&commands, "alice").await;
    commands.room(&actor("bob"), &lobby, &join(), Retry::Unnamed).await.unwrap();
    let create =
        CreateRoom { join_rule: Some(JoinRule::Restricted(vec![lobby])), ..CreateRoom::default() };
    let created = commands.create_room(&actor("alice"), &create, Retry::Unnamed).await;
    let inner = created.unwrap().room();
    let bob = commands.room(&actor("bob"), &inner, &join(), Retry::Unnamed).await;
    assert_eq!(bob.unwrap().events.len(), 1);
    let eve = commands.room(&actor("eve"), &inner, &join(), Retry::Unnamed).await;
    assert!(matches!(eve, Err(HandleError::NoSuchRoom)), "{eve:?}");
}

#[tokio::test]
async fn an_invite_shows_the_name_of_the_invitee() {
    let log = memory();
    let commands = commands(&log);
    let room = public_room(&commands, "alice").await;
    let change = crate::ProfileChange {
        displayname: Some(Some("Bob the Builder".into())),
        ..crate::ProfileChange::default()
    };
    commands.set_profile(&actor("bob"), &change, Retry::Unnamed).await.unwrap();
    let invitee = Invitee::from(actor("bob").user);
    let invite = RoomCommand::Invite { invitee, reason: None };
    let outcome = commands.room(&actor("alice"), &room, &invite, Retry::Unnamed).await.unwrap();
    assert!(outcome.events[0].content.get().contains("Bob the Builder"));
}
