//! The ways in which a call ends beside its own commands.

use std::sync::Arc;

use rookery_domain::{CallState, EndReason, RoomCommand, RoomId};
use rookery_log::{ErasableLog, Millis};

use super::{
    super::{actor, commands, memory, open},
    active, answer, call, call_of, code, hang_up, on, place, room_of,
};
use crate::{
    Actor, CommandOptions, Retry,
    testing::{FaultyLog, calls_in},
};

/// The reason for which the last call of a room ended.
async fn reason(log: &Arc<dyn ErasableLog>, room: &RoomId) -> Option<EndReason> {
    let rooms = calls_in(&**log).await.unwrap();
    match &rooms[room].ended().last()?.state {
        CallState::Ended(end) => Some(end.reason),
        CallState::Ringing | CallState::Answered { .. } => None,
    }
}

#[tokio::test]
async fn a_call_that_rings_too_long_ends_once_its_time_has_come() {
    let log = memory();
    let commands = commands(&log);
    let room = room_of(&commands, &["alice", "bob"]).await;
    let id = place(&commands, "alice", &room, "bob").await;
    let alice = actor("alice").user;
    let end =
        |now| commands.end_active_call(&room, &id, &alice, EndReason::InviteTimeout, Millis(now));
    assert!(!end(90_999).await.unwrap());
    assert!(end(91_000).await.unwrap());
    assert!(!end(91_001).await.unwrap(), "it ends once");
    assert_eq!(reason(&log, &room).await, Some(EndReason::InviteTimeout));
}

#[tokio::test]
async fn a_call_that_rings_after_its_lifetime_keeps_nobody_busy() {
    let log = memory();
    let commands = commands(&log);
    let room = room_of(&commands, &["alice", "bob", "carol"]).await;
    place(&commands, "alice", &room, "bob").await;
    let carol = Actor { now: Millis(91_000), ..actor("carol") };
    let placed = commands.room(&carol, &room, &call("bob"), Retry::Unnamed).await.unwrap();
    let calls = active(&log).await;
    assert_eq!((calls.len(), &calls[0].id), (1, &call_of(&placed)));
    assert_eq!(reason(&log, &room).await, Some(EndReason::InviteTimeout));
}

#[tokio::test]
async fn a_device_that_is_removed_ends_its_calls_and_no_others() {
    let log = memory();
    let commands = commands(&log);
    let room = room_of(&commands, &["alice", "bob"]).await;
    for (user, device, is_end) in
        [("alice", "DEVICE", true), ("bob", "PHONE", true), ("bob", "LAPTOP", false)]
    {
        let id = place(&commands, "alice", &room, "bob").await;
        let phone = on("bob", "PHONE");
        commands.room(&phone, &room, &answer(&id), Retry::Unnamed).await.unwrap();
        commands.devices_removed(&actor(user), [device.to_owned()]).await.unwrap();
        assert_eq!(active(&log).await.is_empty(), is_end, "{user} {device}");
        if is_end {
            assert_eq!(reason(&log, &room).await, Some(EndReason::LoggedOut));
        }
    }
}

#[tokio::test]
async fn calls_of_removed_devices_that_a_stop_has_left_end_after_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let log = FaultyLog::new(&Arc::new(rookery_log::MemoryLog::new(rookery_log::Epoch(1))));
    let port: Arc<dyn ErasableLog> = log.clone();
    let options = CommandOptions::default;
    let before = open(&port, Some(folder.path()), options());
    let room = room_of(&before, &["alice", "bob"]).await;
    let id = place(&before, "alice", &room, "bob").await;
    log.hold();
    let alice = actor("alice");
    let removed = before.devices_removed(&alice, ["DEVICE".to_owned()]);
    let mut removed = Box::pin(removed);
    assert!(futures_util::poll!(&mut removed).is_pending());
    // The removal is written. The server stops before the call has ended.
    log.settle_next(crate::testing::Fate::Write);
    drop(removed);
    drop(before);
    log.pass();
    assert_eq!(active(&port).await.len(), 1);
    let after = open(&port, Some(folder.path()), options());
    assert_eq!(after.resume_call_ends(Millis(2_000)).await.unwrap(), 1);
    assert_eq!(reason(&port, &room).await, Some(EndReason::LoggedOut));
    // Once is enough, also for another start.
    assert_eq!(after.resume_call_ends(Millis(3_000)).await.unwrap(), 0);
    let told = after.room(&actor("bob"), &room, &answer(&id), Retry::Unnamed).await;
    assert_eq!(code(told), "CALL_ENDED");
}

#[tokio::test]
async fn a_user_who_leaves_frees_the_other_one() {
    let log = memory();
    let commands = commands(&log);
    let room = room_of(&commands, &["alice", "bob", "carol"]).await;
    let id = place(&commands, "bob", &room, "carol").await;
    let leave = RoomCommand::Leave { reason: None, successor: None };
    commands.room(&actor("carol"), &room, &leave, Retry::Unnamed).await.unwrap();
    assert_eq!(reason(&log, &room).await, Some(EndReason::Left));
    place(&commands, "alice", &room, "bob").await;
    let gone = commands.room(&actor("bob"), &room, &hang_up(&id), Retry::Unnamed).await.unwrap();
    assert!(!gone.changed, "it has ended");
}

#[tokio::test]
async fn a_room_that_is_upgraded_ends_its_calls() {
    let log = memory();
    let commands = commands(&log);
    let room = room_of(&commands, &["alice", "bob"]).await;
    place(&commands, "alice", &room, "bob").await;
    let version = rookery_domain::RoomVersionId::V12;
    let upgraded = commands.upgrade_room(&actor("alice"), &room, &version, Retry::Unnamed).await;
    let new = upgraded.unwrap().replacement.unwrap();
    assert_eq!(reason(&log, &room).await, Some(EndReason::RoomReplaced));
    let join = super::join();
    commands.room(&actor("bob"), &new, &join, Retry::Unnamed).await.unwrap();
    place(&commands, "alice", &new, "bob").await;
}

#[tokio::test]
async fn calls_survive_a_snapshot_of_their_room() {
    let folder = tempfile::tempdir().unwrap();
    let log = memory();
    let before = open(&log, Some(folder.path()), CommandOptions::default());
    let room = room_of(&before, &["alice", "bob"]).await;
    let ended = place(&before, "alice", &room, "bob").await;
    before.room(&actor("alice"), &room, &hang_up(&ended), Retry::Unnamed).await.unwrap();
    let id = place(&before, "alice", &room, "bob").await;
    let phone = on("bob", "PHONE");
    before.room(&phone, &room, &answer(&id), Retry::Unnamed).await.unwrap();
    for _ in 0..1_000 {
        super::super::say(&before, "alice", &room, "hello").await;
    }
    before.save().await.unwrap();
    drop(before);
    let after = open(&log, Some(folder.path()), CommandOptions::default());
    let told = after.room(&on("bob", "LAPTOP"), &room, &hang_up(&id), Retry::Unnamed).await;
    assert_eq!(code(told), "CALL_ANSWERED_ELSEWHERE");
    let told = after.room(&actor("bob"), &room, &answer(&ended), Retry::Unnamed).await;
    assert_eq!(code(told), "CALL_ENDED");
    after.room(&phone, &room, &hang_up(&id), Retry::Unnamed).await.unwrap();
    assert_eq!(active(&log).await, []);
}
