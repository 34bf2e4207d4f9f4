//! Rate limits of users.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use rookery_domain::{CreateRoom, Invitee, OwnedRoomId, RoomCommand};
use rookery_log::{ErasableLog, Millis};
use rookery_rates::Pace;

use crate::tests::{actor, bodies, join, memory, open, public_room, text};
use crate::{
    ActionKind, ActionRates, Actor, CommandOptions, Commands, HandleError, ProfileChange, Retry,
};

/// Two of each kind at once, and one more each second.
fn limited(log: &Arc<dyn ErasableLog>) -> Commands {
    let pace = Some(Pace { burst: 2, interval: Duration::from_secs(1) });
    let rates =
        ActionKind::ALL.iter().fold(ActionRates::default(), |rates, kind| rates.with(*kind, pace));
    let action_wait = Duration::from_millis(500);
    open(log, None, CommandOptions { action_wait, rates, ..CommandOptions::default() })
}

async fn say(
    commands: &Commands,
    who: &Actor,
    room: &OwnedRoomId,
    number: u64,
) -> Result<(), HandleError> {
    let said = text(&number.to_string());
    commands.room(who, room, &said, Retry::Action(number)).await.map(drop)
}

fn wait_of(result: Result<(), HandleError>) -> Duration {
    match result {
        Err(HandleError::RateLimited { wait, .. }) => wait,
        other => panic!("{other:?}"),
    }
}

fn later(who: &Actor, seconds: u64) -> Actor {
    Actor { now: Millis(who.now.0 + 1_000 * seconds), ..who.clone() }
}

#[tokio::test]
async fn each_kind_of_action_has_a_pace_for_each_user() {
    let log = memory();
    let commands = limited(&log);
    let alice = actor("alice");
    let rooms = [public_room(&commands, "alice").await, public_room(&commands, "alice").await];
    let create = CreateRoom::default();
    let third = commands.create_room(&alice, &create, Retry::Unnamed).await.map(drop);
    assert_eq!(wait_of(third), Duration::from_secs(1));
    let name =
        |name: &str| ProfileChange { displayname: Some(Some(name.into())), avatar_url: None };
    for change in ["a", "b"] {
        commands.set_profile(&alice, &name(change), Retry::Unnamed).await.unwrap();
    }
    wait_of(commands.set_profile(&alice, &name("c"), Retry::Unnamed).await.map(drop));
    for room in [&rooms[0], &rooms[1], &rooms[0]] {
        commands
            .room(&actor("bob"), room, &text("not a member"), Retry::Unnamed)
            .await
            .unwrap_err();
    }
    let refused = commands.room(&actor("bob"), &rooms[1], &text("x"), Retry::Unnamed).await;
    wait_of(refused.map(drop));
    // The server's own tasks and imports have no device.
    let importer = Actor { device: None, ..alice.clone() };
    for _ in 0..9 {
        commands.room(&importer, &rooms[0], &text("imported"), Retry::Unnamed).await.unwrap();
    }
    commands.create_room(&later(&alice, 1), &create, Retry::Unnamed).await.unwrap();
}

#[tokio::test]
async fn what_is_refused_takes_nothing_of_any_kind_and_leaves_nothing() {
    let log = memory();
    let commands = limited(&log);
    let alice = actor("alice");
    let invitee = |name: &str| Invitee::from(actor(name).user);
    let invite = ["bob", "carol", "dan"].map(invitee).to_vec();
    let tail = *log.tail().borrow();
    let create = CreateRoom { invite, ..CreateRoom::default() };
    for number in [1, 1, 2] {
        wait_of(commands.create_room(&alice, &create, Retry::Action(number)).await.map(drop));
    }
    assert_eq!(*log.tail().borrow(), tail);
    let create = CreateRoom { invite: vec![invitee("bob"), invitee("carol")], ..create };
    commands.create_room(&alice, &create, Retry::Action(1)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn numbered_actions_that_are_put_off_keep_their_order() {
    let log = memory();
    let commands = limited(&log);
    let room = public_room(&commands, "alice").await;
    let alice = actor("alice");
    let together = [3, 1, 4, 2].map(|number| say(&commands, &alice, &room, number));
    let mut limited: Vec<_> = join_all(together).await.into_iter().collect();
    let (one, two) = (limited.remove(1), limited.pop().unwrap());
    one.unwrap();
    two.unwrap();
    for refused in limited {
        assert!(wait_of(refused) <= Duration::from_secs(1));
    }
    // One action is allowed, but not one after the action that was put off.
    let alice = later(&alice, 1);
    tokio::time::advance(Duration::from_secs(1)).await;
    wait_of(say(&commands, &alice, &room, 4).await);
    wait_of(say(&commands, &alice, &room, 5).await);
    say(&commands, &alice, &room, 3).await.unwrap();
    wait_of(say(&commands, &alice, &room, 4).await);
    say(&commands, &later(&alice, 1), &room, 4).await.unwrap();
    assert_eq!(bodies(&log).await, ["1", "2", "3", "4"]);
    // A repeated action costs nothing.
    for number in 1..=4 {
        say(&commands, &alice, &room, number).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn an_action_that_was_put_off_and_never_comes_again_holds_nobody_up_for_long() {
    let log = memory();
    let commands = limited(&log);
    let room = public_room(&commands, "alice").await;
    let alice = actor("alice");
    for number in [1, 2] {
        say(&commands, &alice, &room, number).await.unwrap();
    }
    wait_of(say(&commands, &alice, &room, 3).await);
    let alice = later(&alice, 60);
    tokio::time::advance(Duration::from_mins(1)).await;
    say(&commands, &alice, &room, 4).await.unwrap();
    let late = say(&commands, &alice, &room, 3).await;
    assert!(matches!(late, Err(HandleError::ActionTooLate { .. })));
}

#[tokio::test]
async fn a_join_and_an_alias_count_as_what_they_are() {
    let log = memory();
    let commands = limited(&log);
    let rooms = [public_room(&commands, "alice").await, public_room(&commands, "alice").await];
    let bob = actor("bob");
    for room in &rooms {
        commands.room(&bob, room, &join(), Retry::Unnamed).await.unwrap();
    }
    let leave = RoomCommand::Leave { reason: None, successor: None };
    wait_of(commands.room(&bob, &rooms[0], &leave, Retry::Unnamed).await.map(drop));
    commands.room(&bob, &rooms[0], &text("still here"), Retry::Unnamed).await.unwrap();
    let aliases = ["#a:test", "#b:test", "#c:test"].map(|alias| alias.try_into().unwrap()).to_vec();
    let command = RoomCommand::SetAliases { canonical: None, alternative: aliases };
    wait_of(commands.room(&actor("alice"), &rooms[0], &command, Retry::Unnamed).await.map(drop));
}
