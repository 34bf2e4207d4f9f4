//! Appends that hang and fail: no answer comes from facts that were never written.

use std::sync::Arc;

use futures_util::FutureExt;
use rookery_domain::{JoinRule, RoomCommand};
use rookery_log::{Epoch, ErasableLog, MemoryLog};

use crate::tests::{actor, bodies, commands, join, public_room, say, text};
use crate::{
    Commands, HandleError, ProfileChange, Retry,
    testing::{Fate, FaultyLog},
};

fn faulty() -> (Arc<FaultyLog>, Arc<dyn ErasableLog>) {
    let log = FaultyLog::new(&Arc::new(MemoryLog::new(Epoch(1))));
    (Arc::clone(&log), log)
}

fn topic(text: &str) -> RoomCommand {
    RoomCommand::SetTopic { topic: text.into() }
}

fn named(name: &str) -> ProfileChange {
    ProfileChange { displayname: Some(Some(name.into())), avatar_url: None }
}

/// Starts a command and drops it.
async fn leave(commands: &Commands, by: &str, room: &rookery_domain::RoomId, what: &RoomCommand) {
    drop(commands.start(&actor(by), room, what, Retry::Unnamed).await.unwrap());
}

#[tokio::test]
async fn what_holds_only_in_a_failed_append_is_told_to_nobody() {
    let (log, port) = faulty();
    let commands = commands(&port);
    let room = public_room(&commands, "alice").await;
    let alice = actor("alice");
    for fate in [Fate::Refuse, Fate::LoseAnswer] {
        let wanted = topic(&format!("{fate:?}"));
        let ask = || Box::pin(commands.room(&alice, &room, &wanted, Retry::Unnamed));
        log.hold();
        let (mut first, mut second) = (ask(), ask());
        assert!((&mut first).now_or_never().is_none() && (&mut second).now_or_never().is_none());
        assert_eq!(log.waiting(), 1, "the second makes no event of its own");
        log.settle_all(fate);
        for told in [second.await, first.await] {
            assert!(matches!(told, Err(HandleError::Unavailable(_))), "{told:?}");
        }
        log.pass();
        let events = ask().await.unwrap().events.len();
        assert_eq!(events, usize::from(fate == Fate::Refuse), "what is in the log holds");
    }
}

#[tokio::test]
async fn a_refusal_waits_for_what_it_is_based_on() {
    let (log, port) = faulty();
    let commands = commands(&port);
    let room = public_room(&commands, "alice").await;
    let bob = actor("bob");
    let ban = RoomCommand::Ban { user: bob.user.clone(), reason: None };
    let hello = text("hello");
    for written in [false, true] {
        commands.room(&bob, &room, &join(), Retry::Unnamed).await.unwrap();
        log.hold();
        leave(&commands, "alice", &room, &ban).await;
        let mut said = Box::pin(commands.room(&bob, &room, &hello, Retry::Unnamed));
        assert!((&mut said).now_or_never().is_none(), "refused by a ban that is not written");
        log.settle_all(if written { Fate::Write } else { Fate::Refuse });
        log.pass();
        let said = said.await;
        if written {
            assert!(matches!(said, Err(HandleError::Rejected(_))), "{said:?}");
        } else {
            // The waiting one learns that the log failed, and may try again.
            assert!(matches!(said, Err(HandleError::Unavailable(_))), "{said:?}");
            say(&commands, "bob", &room, "hello").await;
        }
    }
    assert_eq!(bodies(&port).await, ["hello"]);
}

#[tokio::test]
async fn what_is_decided_on_a_failed_append_fails_with_it() {
    let (log, port) = faulty();
    let commands = commands(&port);
    let room = public_room(&commands, "alice").await;
    let bob = actor("bob");
    log.hold();
    leave(&commands, "bob", &room, &join()).await;
    let said = commands.start(&bob, &room, &text("built on it"), Retry::Unnamed).await.unwrap();
    let more = commands.start(&bob, &room, &text("and on that"), Retry::Unnamed).await.unwrap();
    log.settle_next(Fate::Refuse);
    log.pass();
    for started in [said, more] {
        let told = commands.finish(started).await;
        assert!(matches!(told, Err(HandleError::Contended { .. })), "{told:?}");
    }
    let again = commands.room(&bob, &room, &text("hello"), Retry::Unnamed).await;
    assert!(matches!(again, Err(HandleError::Rejected(_))), "{again:?}");
    assert_eq!(bodies(&port).await, [""; 0]);
}

#[tokio::test]
async fn no_profile_alias_or_join_rule_is_read_that_was_not_written() {
    let (log, port) = faulty();
    let commands = commands(&port);
    let room = public_room(&commands, "alice").await;
    let alice = actor("alice");
    let alias: rookery_domain::OwnedRoomAliasId = "#nest:test".try_into().unwrap();
    let (name, mine) = (named("Alice"), RoomCommand::SetJoinRule { rule: JoinRule::Invite });
    log.hold();
    drop(commands.start_profile(&alice, &name, Retry::Unnamed).await.unwrap());
    let mut claim = Box::pin(commands.claim_alias(&alice, &alias, &room));
    assert!((&mut claim).now_or_never().is_none());
    leave(&commands, "alice", &room, &mine).await;
    let stream_state = commands.rooms.state_of(room.as_str());
    let mut rule = Box::pin(commands.core.read_state(&commands.rooms, &stream_state, |room| {
        room.map(rookery_domain::Room::join_rule)
    }));
    let mut profile = Box::pin(commands.profile(&alice.user));
    let mut pointed = Box::pin(commands.resolve_alias(&alias));
    assert!((&mut profile).now_or_never().is_none());
    assert!((&mut pointed).now_or_never().is_none());
    assert!((&mut rule).now_or_never().is_none());
    log.settle_all(Fate::Refuse);
    assert_eq!(profile.await.unwrap().displayname, None);
    assert_eq!(pointed.await.unwrap(), None);
    assert_eq!(rule.await.unwrap(), Some(JoinRule::Public));
    log.pass();
    commands.set_profile(&alice, &name, Retry::Unnamed).await.unwrap();
    assert_eq!(commands.profile(&alice.user).await.unwrap().displayname, Some("Alice".into()));
}

#[tokio::test]
async fn an_action_whose_client_went_away_before_it_failed_can_be_sent_again() {
    let (log, port) = faulty();
    let commands = commands(&port);
    let room = public_room(&commands, "alice").await;
    let (alice, once) = (actor("alice"), text("once"));
    let send = || Box::pin(commands.room(&alice, &room, &once, Retry::Action(1)));
    log.hold();
    assert!(send().now_or_never().is_none(), "and its client goes away");
    log.settle_all(Fate::Refuse);
    log.pass();
    assert!(!send().await.unwrap().repeated);
    assert_eq!(bodies(&port).await, ["once"]);
}

#[tokio::test]
async fn a_retry_is_not_too_late_before_the_log_has_said_so() {
    let (log, port) = faulty();
    let commands = commands(&port);
    let (room, other) =
        (public_room(&commands, "alice").await, public_room(&commands, "alice").await);
    let (alice, one, two) = (actor("alice"), text("one"), text("two"));
    log.hold();
    let mut first = Box::pin(commands.room(&alice, &room, &one, Retry::Action(1)));
    assert!((&mut first).now_or_never().is_none());
    log.settle_next(Fate::Delay);
    assert!(matches!(first.await, Err(HandleError::Unavailable(_))));
    // The log has not decided about the first, and the client continues.
    let mut second = Box::pin(commands.room(&alice, &other, &two, Retry::Action(2)));
    assert!((&mut second).now_or_never().is_none());
    let mut again = Box::pin(commands.room(&alice, &room, &one, Retry::Action(1)));
    assert!((&mut again).now_or_never().is_none(), "nobody knows yet whether it was carried out");
    log.pass();
    assert!(again.await.unwrap().repeated);
    second.await.unwrap();
    assert_eq!(bodies(&port).await, ["one", "two"]);
}

#[tokio::test]
async fn another_write_side_refuses_and_serves_what_the_log_says() {
    let log: Arc<dyn ErasableLog> = Arc::new(MemoryLog::new(Epoch(1)));
    let (one, two) = (commands(&log), commands(&log));
    let room = public_room(&one, "alice").await;
    let (alice, bob) = (actor("alice"), actor("bob"));
    two.room(&bob, &room, &join(), Retry::Unnamed).await.unwrap();
    two.set_profile(&alice, &named("A"), Retry::Unnamed).await.unwrap();
    one.set_profile(&alice, &named("B"), Retry::Unnamed).await.unwrap();
    assert_eq!(two.profile(&alice.user).await.unwrap().displayname, Some("B".into()));
    // Write side one bans Bob, and write side two lets him speak. Without an append no guard is
    // checked.
    let held = two.room(&bob, &room, &join(), Retry::Unnamed).await.unwrap();
    assert!(held.events.is_empty());
    let ban = RoomCommand::Ban { user: bob.user.clone(), reason: None };
    one.room(&alice, &room, &ban, Retry::Unnamed).await.unwrap();
    let joined = two.room(&bob, &room, &join(), Retry::Unnamed).await;
    assert!(matches!(joined, Err(HandleError::Rejected(_))), "{joined:?}");
}

#[tokio::test]
async fn an_action_that_another_write_side_carried_out_is_never_called_something_else() {
    let log: Arc<dyn ErasableLog> = Arc::new(MemoryLog::new(Epoch(1)));
    let (one, two) = (commands(&log), commands(&log));
    let room = public_room(&one, "alice").await;
    let alice = actor("alice");
    let set = |by, text, number| {
        let (alice, room, wanted) = (&alice, &room, topic(text));
        async move { Commands::room(by, alice, room, &wanted, Retry::Action(number)).await }
    };
    set(&two, "A", 1).await.unwrap();
    let first = set(&one, "B", 2).await.unwrap();
    // The second write side does not know the device's last action.
    let mut again = set(&two, "B", 2).await;
    if matches!(again, Err(HandleError::Contended { .. })) {
        again = set(&two, "B", 2).await;
    }
    assert_eq!(again.unwrap().events, first.events);
    let other = set(&two, "C", 2).await;
    assert!(matches!(other, Err(HandleError::ActionIdReused)), "{other:?}");
}
