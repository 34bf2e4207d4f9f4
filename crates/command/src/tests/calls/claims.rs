//! A user has one call at a time.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::FutureExt;
use rookery_domain::{CallId, OwnedRoomId, Rejection, UserId};
use rookery_log::{Epoch, ErasableLog, MemoryLog, Millis, Position, Unavailable};
use rookery_rates::Pace;

use super::{
    super::{FromLog, actor, commands, memory, open},
    active, answer, call, call_of, code, hang_up, on, place, reject, room_of,
};
use crate::{
    ActionKind, ActionRates, Actor, CallLookup, Command, CommandOptions, Commands, HandleError,
    Ports, Retry,
    testing::{Fate, FaultyLog},
};

/// How often two commands are sent at once.
const ROUNDS: usize = 200;

async fn ignore(commands: &Commands, user: &str, other: &str) {
    let (user, other) = (actor(user), actor(other).user);
    let ignore = Command::SetUserIgnored { user: &other, is_ignored: true };
    commands.execute(&user, ignore, Retry::Unnamed).await.unwrap();
}

#[tokio::test]
async fn of_two_devices_that_answer_at_once_one_has_the_call() {
    let log = memory();
    let commands = commands(&log);
    let room = room_of(&commands, &["alice", "bob"]).await;
    for _ in 0..ROUNDS {
        let id = place(&commands, "alice", &room, "bob").await;
        let (phone, laptop, answer) = (on("bob", "PHONE"), on("bob", "LAPTOP"), answer(&id));
        let (one, other) = tokio::join!(
            commands.room(&phone, &room, &answer, Retry::Unnamed),
            commands.room(&laptop, &room, &answer, Retry::Unnamed),
        );
        let (won, lost) = if one.is_ok() { (one, other) } else { (other, one) };
        assert_eq!((won.unwrap().changed, &*code(lost)), (true, "CALL_ANSWERED_ELSEWHERE"));
        commands.room(&actor("alice"), &room, &hang_up(&id), Retry::Unnamed).await.unwrap();
    }
    assert_eq!(active(&log).await, []);
}

/// Two users call each other at once, in these rooms.
async fn glare(log: &Arc<dyn ErasableLog>, commands: &Commands, rooms: [&OwnedRoomId; 2]) {
    let (alice, bob) = (actor("alice"), actor("bob"));
    let (to_bob, to_alice) = (call("bob"), call("alice"));
    let (one, other) = tokio::join!(
        commands.room(&alice, rooms[0], &to_bob, Retry::Unnamed),
        commands.room(&bob, rooms[1], &to_alice, Retry::Unnamed),
    );
    let (won, lost) = if one.is_ok() { (one, other) } else { (other, one) };
    let won = won.unwrap();
    let (id, room) = (call_of(&won), won.room());
    assert_eq!(active(log).await.len(), 1);
    let Err(HandleError::Rejected(refusal)) = lost else { panic!("{lost:?}") };
    assert_eq!(Rejection::call_named_in(&refusal.to_string()), Some((room.clone(), id.clone())));
    assert_eq!(refusal, Rejection::CallInProgress { room_id: room.clone(), call_id: id.clone() });
    let caller = if won.events[0].sender == alice.user { alice } else { bob };
    commands.room(&caller, &room, &hang_up(&id), Retry::Unnamed).await.unwrap();
}

#[tokio::test]
async fn two_users_who_call_each_other_at_once_have_one_call() {
    let log = memory();
    let commands = commands(&log);
    let rooms =
        [room_of(&commands, &["alice", "bob"]).await, room_of(&commands, &["bob", "alice"]).await];
    for round in 0..ROUNDS / 4 {
        glare(&log, &commands, [&rooms[0], &rooms[round % 2]]).await;
    }
}

#[tokio::test]
async fn a_user_who_is_in_a_call_is_busy_in_every_room() {
    let log = memory();
    let commands = commands(&log);
    let rooms = [
        room_of(&commands, &["alice", "bob", "carol"]).await,
        room_of(&commands, &["alice", "bob", "carol"]).await,
    ];
    let id = place(&commands, "alice", &rooms[0], "bob").await;
    for room in &rooms {
        for callee in ["alice", "bob"] {
            let told = commands.room(&actor("carol"), room, &call(callee), Retry::Unnamed).await;
            assert_eq!(code(told), "BUSY_IN_CALL");
        }
        let told = commands.room(&actor("bob"), room, &call("carol"), Retry::Unnamed).await;
        assert_eq!(code(told), "CALL_IN_PROGRESS");
    }
    commands.room(&actor("bob"), &rooms[0], &reject(&id), Retry::Unnamed).await.unwrap();
    place(&commands, "carol", &rooms[1], "alice").await;
}

#[tokio::test]
async fn a_stranger_learns_nothing_about_the_calls_of_a_user() {
    let log = memory();
    let commands = commands(&log);
    let room = room_of(&commands, &["alice", "bob"]).await;
    place(&commands, "alice", &room, "bob").await;
    let other = room_of(&commands, &["eve", "carol"]).await;
    let told = commands.room(&actor("eve"), &other, &call("bob"), Retry::Unnamed).await;
    assert_eq!(code(told), "TARGET_NOT_IN_ROOM");
    let told = commands.room(&actor("eve"), &room, &call("bob"), Retry::Unnamed).await;
    assert_eq!(code(told), "NOT_A_MEMBER");
}

#[tokio::test]
async fn an_append_that_fails_gives_the_claims_back() {
    let log = FaultyLog::new(&Arc::new(MemoryLog::new(Epoch(1))));
    let port: Arc<dyn ErasableLog> = log.clone();
    let commands = commands(&port);
    let room = room_of(&commands, &["alice", "bob"]).await;
    let other = room_of(&commands, &["alice", "bob"]).await;
    log.hold();
    let (alice, bob) = (actor("alice"), actor("bob"));
    let (to_bob, to_alice) = (call("bob"), call("alice"));
    let mut first = Box::pin(commands.room(&alice, &room, &to_bob, Retry::Unnamed));
    assert!((&mut first).now_or_never().is_none() && log.waiting() == 1);
    let mut second = Box::pin(commands.room(&bob, &other, &to_alice, Retry::Unnamed));
    assert!((&mut second).now_or_never().is_none());
    assert_eq!(log.waiting(), 1, "the second waits for the claims of the first");
    log.settle_all(Fate::Refuse);
    assert!(matches!(first.await, Err(HandleError::Unavailable(_))));
    log.pass();
    assert!(second.await.unwrap().changed);
    assert_eq!(active(&port).await.len(), 1);
}

/// A read model that never learns that calls end.
struct Stale(Vec<(OwnedRoomId, CallId)>);

#[async_trait]
impl CallLookup for Stale {
    async fn active_calls(
        &self,
        _: &UserId,
        _: Position,
    ) -> Result<Vec<(OwnedRoomId, CallId)>, Unavailable> {
        Ok(self.0.clone())
    }
}

#[tokio::test]
async fn a_call_that_ended_keeps_nobody_busy_whatever_the_read_model_says() {
    let log = memory();
    let before = commands(&log);
    let room = room_of(&before, &["alice", "bob"]).await;
    let id = place(&before, "alice", &room, "bob").await;
    let reads = Arc::new(FromLog(Arc::clone(&log)));
    let (memberships, events) = (reads.clone(), reads.clone());
    let calls = Arc::new(Stale(vec![(room.clone(), id.clone())]));
    let ports = Ports { memberships, events, last_actions: reads, calls };
    let (name, options) = ("test".try_into().unwrap(), CommandOptions::default());
    let after = Commands::open(Arc::clone(&log), name, ports, None, options).unwrap();
    let told = after.room(&actor("bob"), &room, &call("alice"), Retry::Unnamed).await;
    assert_eq!(code(told), "CALL_IN_PROGRESS", "the start made no user free");
    after.room(&actor("alice"), &room, &hang_up(&id), Retry::Unnamed).await.unwrap();
    place(&after, "bob", &room, "alice").await;
}

#[tokio::test]
async fn a_callee_who_ignores_the_caller_is_claimed_by_no_call_of_theirs() {
    let log = memory();
    let commands = commands(&log);
    let room = room_of(&commands, &["alice", "bob", "eve"]).await;
    ignore(&commands, "bob", "eve").await;
    let unheard = place(&commands, "eve", &room, "bob").await;
    // Bob may be called, and may call.
    let id = place(&commands, "alice", &room, "bob").await;
    commands.room(&actor("bob"), &room, &answer(&id), Retry::Unnamed).await.unwrap();
    // Eve learns nothing of that.
    commands.room(&actor("eve"), &room, &hang_up(&unheard), Retry::Unnamed).await.unwrap();
    let unheard = place(&commands, "eve", &room, "bob").await;
    // A call that Bob answers is his one call.
    let told = commands.room(&actor("bob"), &room, &answer(&unheard), Retry::Unnamed).await;
    assert_eq!(code(told), "CALL_IN_PROGRESS");
    commands.room(&actor("bob"), &room, &hang_up(&id), Retry::Unnamed).await.unwrap();
    commands.room(&actor("bob"), &room, &answer(&unheard), Retry::Unnamed).await.unwrap();
    let told = commands.room(&actor("alice"), &room, &call("bob"), Retry::Unnamed).await;
    assert_eq!(code(told), "BUSY_IN_CALL");
    commands.room(&actor("bob"), &room, &hang_up(&unheard), Retry::Unnamed).await.unwrap();
    let told = commands.room(&actor("bob"), &room, &call("eve"), Retry::Unnamed).await;
    assert_eq!(code(told), "CALLEE_IGNORED");
}

#[tokio::test]
async fn a_retry_names_the_same_call_and_places_no_second_one() {
    let log = memory();
    let commands = commands(&log);
    let room = room_of(&commands, &["alice", "bob"]).await;
    let named = Retry::Named(rookery_log::CommandId([7; 16]));
    for retry in [Retry::Action(1), named] {
        let first = commands.room(&actor("alice"), &room, &call("bob"), retry).await.unwrap();
        let id = call_of(&first);
        let again = commands.room(&actor("alice"), &room, &call("bob"), retry).await.unwrap();
        assert_eq!((call_of(&again), again.repeated), (id.clone(), true));
        commands.room(&actor("bob"), &room, &reject(&id), Retry::Unnamed).await.unwrap();
        let again = commands.room(&actor("alice"), &room, &call("bob"), retry).await.unwrap();
        assert_eq!(call_of(&again), id, "also after the end");
    }
    assert_eq!(active(&log).await, []);
    // A refusal is repeated with the call that it names.
    let id = place(&commands, "alice", &room, "bob").await;
    let refused = |retry| {
        let (bob, commands, room) = (actor("bob"), &commands, &room);
        async move { commands.room(&bob, room, &call("alice"), retry).await.unwrap_err() }
    };
    let first = refused(Retry::Action(1)).await;
    commands.room(&actor("bob"), &room, &reject(&id), Retry::Unnamed).await.unwrap();
    let again = refused(Retry::Action(1)).await;
    assert_eq!((again.to_string(), again.kept_code()), (first.to_string(), first.kept_code()));
    assert_eq!(Rejection::call_named_in(&again.to_string()), Some((room.clone(), id)));
}

#[tokio::test]
async fn a_flood_of_calls_is_bounded_for_the_caller_and_for_the_callee() {
    let log = memory();
    let pace = |burst| Some(Pace { burst, interval: std::time::Duration::from_secs(10) });
    let rates = ActionRates::default()
        .with(ActionKind::Calls, pace(3))
        .with(ActionKind::IncomingCalls, pace(4));
    let commands = open(&log, None, CommandOptions { rates, ..CommandOptions::default() });
    let room = room_of(&commands, &["alice", "eve", "mal", "bob"]).await;
    let flood = |caller: &'static str| {
        let (commands, room) = (&commands, &room);
        async move {
            for calls in 0.. {
                match commands.room(&actor(caller), room, &call("bob"), Retry::Unnamed).await {
                    Ok(placed) => {
                        let (caller, end) = (actor(caller), hang_up(&call_of(&placed)));
                        commands.room(&caller, room, &end, Retry::Unnamed).await.unwrap();
                    }
                    Err(error) => return (calls, error),
                }
            }
            unreachable!("a flood ends")
        }
    };
    let (calls, error) = flood("eve").await;
    assert!(
        calls == 3 && matches!(error, HandleError::RateLimited { kind: ActionKind::Calls, .. })
    );
    let (calls, error) = flood("mal").await;
    assert_eq!((calls, error.kept_code()), (1, Some("CALLED_TOO_OFTEN")));
    // The callee calls as before, and others do later.
    let id = place(&commands, "bob", &room, "alice").await;
    commands.room(&actor("bob"), &room, &hang_up(&id), Retry::Unnamed).await.unwrap();
    let later = Actor { now: Millis(20_000), ..actor("alice") };
    commands.room(&later, &room, &call("bob"), Retry::Unnamed).await.unwrap();
}

#[tokio::test]
async fn two_write_sides_place_one_call_in_a_room() {
    let log = memory();
    let sides = [commands(&log), commands(&log)];
    let room = room_of(&sides[0], &["alice", "bob"]).await;
    for _ in 0..20 {
        let (alice, bob) = (actor("alice"), actor("bob"));
        let (to_bob, to_alice) = (call("bob"), call("alice"));
        let (one, other) = tokio::join!(
            sides[0].room(&alice, &room, &to_bob, Retry::Unnamed),
            sides[1].room(&bob, &room, &to_alice, Retry::Unnamed),
        );
        let won = [&one, &other].into_iter().filter(|result| result.is_ok()).count();
        assert_eq!((won, active(&log).await.len()), (1, 1), "{one:?} {other:?}");
        let call = active(&log).await.remove(0);
        let caller = actor(call.caller.localpart());
        sides[1].room(&caller, &room, &hang_up(&call.id), Retry::Unnamed).await.unwrap();
    }
}
