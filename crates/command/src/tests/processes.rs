//! The work that follows from commits is done, whatever fails and whenever the server stops.

use std::{path::Path, sync::Arc, time::Duration};

use rookery_domain::{
    Account, AccountCommand, CreateRoom, Envelope, Erased, Fact, OwnedRoomAliasId, OwnedRoomId,
    Preset, Profile, Rejection, Room, RoomCommand, RoomEvent, UserId,
};
use rookery_log::{Epoch, ErasableLog, MemoryLog, Millis, Position};

use super::{actor, bodies, join, open, public_room, say};
use crate::{
    CommandOptions, Commands, HandleError, Outcome, ProfileChange, Retry,
    testing::{Fate, FaultyLog},
};

/// A time at which every claim is old enough.
const LATER: Millis = Millis(1_000_000);

fn faulty() -> (Arc<FaultyLog>, Arc<dyn ErasableLog>) {
    let log = FaultyLog::new(&Arc::new(MemoryLog::new(Epoch(1))));
    (Arc::clone(&log), log)
}

fn started(log: &Arc<dyn ErasableLog>, folder: &Path) -> Commands {
    open(log, Some(folder), CommandOptions::default())
}

fn named(name: &str) -> ProfileChange {
    ProfileChange { displayname: Some(Some(name.into())), avatar_url: None }
}

/// The display name of a member in the room.
async fn called(commands: &Commands, room: &OwnedRoomId, user: &UserId) -> Option<String> {
    let stream_state = commands.rooms.state_of(room.as_str());
    let name = |room: Option<&Room>| {
        let member = room?.state("m.room.member", user.as_str())?;
        Profile::of(member).displayname
    };
    commands.core.read_state(&commands.rooms, &stream_state, name).await.unwrap()
}

/// A change of profile without its spread to rooms, as a crash leaves it.
async fn change_alone(commands: &Commands, by: &str, name: &str) {
    let stream_state = commands.accounts.state_of(actor(by).user.as_str());
    let profile = Profile { displayname: Some(name.into()), avatar_url: None };
    let decide = |account: Option<&Account>| {
        let command = AccountCommand::SetProfile { profile: profile.clone() };
        let events = account.cloned().unwrap_or_default().decide(&command)?;
        Ok(events.into_iter().map(Fact::Account).collect())
    };
    let request = actor(by).request(Retry::Unnamed);
    commands.core.handle(&commands.accounts, &stream_state, &request, decide).await.unwrap();
}

#[tokio::test]
async fn saving_and_a_crash_do_not_lose_a_name_that_spreads() {
    let (_, log) = faulty();
    let folder = tempfile::tempdir().unwrap();
    let alice = actor("alice").user;
    let mut rooms = Vec::new();
    {
        let commands = started(&log, folder.path());
        for _ in 0..5 {
            rooms.push(public_room(&commands, "alice").await);
        }
        commands.resume_profiles(LATER).await.unwrap();
        change_alone(&commands, "alice", "Alicia").await;
        say(&commands, "alice", &rooms[0], "and on it goes").await;
        commands.save().await.unwrap();
    }
    for _ in 0..2 {
        // An operator's command that opens the data, saves, and does none of the work.
        let offline = started(&log, folder.path());
        offline.save().await.unwrap();
    }
    let commands = started(&log, folder.path());
    assert_eq!(commands.resume_profiles(LATER).await.unwrap(), 1);
    for room in &rooms {
        assert_eq!(called(&commands, room, &alice).await.as_deref(), Some("Alicia"));
    }
    commands.save().await.unwrap();
    assert_eq!(started(&log, folder.path()).resume_profiles(LATER).await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_spread_that_fails_is_tried_again_while_the_server_runs() {
    let (faults, log) = faulty();
    let commands = Arc::new(super::commands(&log));
    let (alice, room) = (actor("alice"), public_room(&commands, "alice").await);
    let running = Arc::clone(&commands);
    let processes = tokio::spawn(async move { running.run_processes(&|| LATER).await });
    faults.hold();
    let changing = Arc::clone(&commands);
    let change = tokio::spawn(async move {
        changing.set_profile(&actor("alice"), &named("Alicia"), Retry::Unnamed).await
    });
    while faults.waiting() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    faults.settle_next(Fate::Write);
    // The disk is full when the room should be told.
    faults.refuse();
    assert!(change.await.unwrap().is_ok(), "the change itself is durable");
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(commands.processes().iter().any(|process| process.trouble.is_some()));
    assert_eq!(called(&commands, &room, &alice.user).await, None);
    faults.pass();
    tokio::time::sleep(Duration::from_mins(2)).await;
    assert_eq!(called(&commands, &room, &alice.user).await.as_deref(), Some("Alicia"));
    assert!(commands.processes().iter().all(|process| process.trouble.is_none()));
    processes.abort();
}

#[tokio::test]
async fn a_name_that_changes_while_its_user_joins_reaches_the_room_after_a_crash() {
    let (_, log) = faulty();
    let commands = super::commands(&log);
    let (room, bob) = (public_room(&commands, "alice").await, actor("bob"));
    change_alone(&commands, "bob", "Bob").await;
    // The join was decided before the change, and the server stopped after it.
    let started = {
        let stream_state = commands.rooms.state_of(room.as_str());
        let context = commands.context(&bob, &[]);
        let request = bob.request(Retry::Unnamed);
        let decide = |room: Option<&Room>| {
            let old = Profile::default();
            Commands::decide_room(room, &context, &join(), &old, &request.envelope)
        };
        commands.core.handle(&commands.rooms, &stream_state, &request, decide).await
    };
    started.unwrap();
    assert_eq!(called(&commands, &room, &bob.user).await, None);
    super::commands(&log).resume_profiles(LATER).await.unwrap();
    assert_eq!(called(&commands, &room, &bob.user).await.as_deref(), Some("Bob"));
}

/// Appends a redaction without erasing, as a stop between the two leaves it.
async fn redacted_alone(log: &Arc<dyn ErasableLog>, said: &Outcome) -> Position {
    let elsewhere: Arc<dyn ErasableLog> = Arc::new(MemoryLog::new(Epoch(2)));
    for record in log.read(&rookery_log::Scope::All, Position::ORIGIN, 100).await.unwrap() {
        let guard = elsewhere.head(&record.commit.stream).await.unwrap().guard();
        elsewhere.append(record.commit.clone(), guard).await.unwrap();
    }
    let redact = RoomCommand::Redact { event_id: said.events[0].event_id.clone(), reason: None };
    let other = super::commands(&elsewhere);
    let done = other.room(&actor("alice"), &said.room(), &redact, Retry::Unnamed).await.unwrap();
    let erases = vec![Erased::new(&said.events[0], said.position.0, 0)];
    let envelope = Envelope { erases, ..Envelope::local(None, None) };
    let fact = Fact::Room(RoomEvent::new(envelope, Arc::clone(&done.events[0])));
    let request = actor("alice").request(Retry::Unnamed);
    let stream = rookery_log::StreamId::new(rookery_log::StreamKind::Room, said.room().as_str());
    let guard = log.head(&stream).await.unwrap().guard();
    let commit = request.commit(&stream, &[fact]).unwrap();
    log.append(commit, guard).await.unwrap().position
}

#[tokio::test]
async fn a_damaged_record_is_counted_and_all_else_is_erased() {
    let (faults, log) = faulty();
    let before = super::commands(&log);
    let room = public_room(&before, "alice").await;
    let first = say(&before, "alice", &room, "first secret").await;
    let second = say(&before, "alice", &room, "second secret").await;
    redacted_alone(&log, &first).await;
    let last = redacted_alone(&log, &second).await;
    faults.damage(first.position);
    // The reader itself has to skip a damaged record without redactions.
    let commands = super::commands(&log);
    assert_eq!(commands.resume_erasures().await.unwrap(), 1);
    let status = commands.processes().remove(0);
    assert_eq!((status.position, status.skipped), (last, 2), "the record, and its redaction");
    let left = log.get(&[second.position]).await.unwrap();
    assert!(!String::from_utf8_lossy(&left[0].commit.events[0].content).contains("secret"));
}

fn alias(name: &str) -> OwnedRoomAliasId {
    format!("#{name}:test").try_into().unwrap()
}

fn private_with(name: &str) -> CreateRoom {
    CreateRoom { alias: Some(alias(name)), preset: Preset::Private, ..CreateRoom::default() }
}

fn set(name: &str) -> RoomCommand {
    RoomCommand::SetAliases { canonical: Some(alias(name)), alternative: Vec::new() }
}

async fn resolve(commands: &Commands, name: &str) -> Option<OwnedRoomId> {
    commands.resolve_alias(&alias(name)).await.unwrap()
}

/// Gives the next appends these fates, one after the other.
async fn fates(log: &FaultyLog, fates: &[Fate]) {
    for fate in fates {
        while !log.settle_next(*fate) {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn a_room_whose_creation_was_not_answered_keeps_its_alias() {
    let (faults, log) = faulty();
    let commands = super::commands(&log);
    let (alice, create) = (actor("alice"), private_with("nest"));
    faults.hold();
    let creating = commands.create_room(&alice, &create, Retry::Unnamed);
    let written = [Fate::Write, Fate::LoseAnswer];
    let (told, ()) = tokio::join!(creating, fates(&faults, &written));
    assert!(matches!(told, Err(HandleError::Unavailable(_))), "{told:?}");
    faults.pass();
    let room = resolve(&commands, "nest").await.unwrap();
    assert!(commands.room_exists(&room).await.unwrap());
    assert_eq!(commands.resume_releases(LATER).await.unwrap(), 0);
    assert_eq!(resolve(&commands, "nest").await, Some(room));
}

#[tokio::test]
async fn the_alias_of_a_room_that_never_came_is_released_once_it_is_old() {
    let (faults, log) = faulty();
    let commands = super::commands(&log);
    let (alice, create) = (actor("alice"), private_with("nest"));
    faults.hold();
    let creating = commands.create_room(&alice, &create, Retry::Unnamed);
    let (told, ()) = tokio::join!(creating, fates(&faults, &[Fate::Write, Fate::Refuse]));
    assert!(matches!(told, Err(HandleError::Unavailable(_))), "{told:?}");
    faults.pass();
    assert_eq!(commands.resume_releases(LATER).await.unwrap(), 1);
    let bob = commands.create_room(&actor("bob"), &create, Retry::Unnamed).await;
    assert_eq!(resolve(&commands, "nest").await, Some(bob.unwrap().room()));
}

#[tokio::test]
async fn what_was_claimed_for_nothing_is_released_once_it_is_old() {
    let (faults, log) = faulty();
    let commands = super::commands(&log);
    let (alice, room) = (actor("alice"), public_room(&commands, "alice").await);
    commands.room(&alice, &room, &set("old"), Retry::Unnamed).await.unwrap();
    // The claim is written, and then the disk is full.
    faults.hold();
    let wanted = set("new");
    let setting = commands.room(&alice, &room, &wanted, Retry::Unnamed);
    let (told, ()) = tokio::join!(setting, fates(&faults, &[Fate::Write, Fate::Refuse]));
    assert!(matches!(told, Err(HandleError::Unavailable(_))), "{told:?}");
    faults.pass();
    assert_eq!(resolve(&commands, "new").await.as_ref(), Some(&room), "nobody knows yet");
    assert!(commands.resume_releases(actor("alice").now).await.is_err(), "another may be at it");
    assert_eq!(resolve(&commands, "new").await.as_ref(), Some(&room));
    assert_eq!(commands.resume_releases(LATER).await.unwrap(), 1);
    assert_eq!(resolve(&commands, "new").await, None);
    assert_eq!(resolve(&commands, "old").await, Some(room));
}

#[tokio::test]
async fn what_a_room_does_not_go_by_any_more_is_released_after_a_crash() {
    let (_, log) = faulty();
    let commands = super::commands(&log);
    let (alice, room) = (actor("alice"), public_room(&commands, "alice").await);
    commands.room(&alice, &room, &set("old"), Retry::Unnamed).await.unwrap();
    commands.claim_alias(&alice, &alias("new"), &room).await.unwrap();
    let request = alice.request(Retry::Unnamed);
    commands.plain(&alice, &room, &set("new"), &request).await.unwrap();
    assert_eq!(resolve(&commands, "old").await.as_ref(), Some(&room));
    let after = super::commands(&log);
    assert_eq!(after.resume_releases(LATER).await.unwrap(), 1);
    assert_eq!(resolve(&after, "old").await, None);
    assert_eq!(resolve(&after, "new").await, Some(room));
}

#[tokio::test]
async fn the_alias_of_a_room_that_nobody_can_come_back_to_is_free() {
    let (_, log) = faulty();
    let commands = super::commands(&log);
    let (alice, bob) = (actor("alice"), actor("bob"));
    let created = commands.create_room(&alice, &private_with("nest"), Retry::Unnamed).await;
    let room = created.unwrap().room();
    let invite = RoomCommand::Invite { invitee: bob.user.clone().into(), reason: None };
    commands.room(&alice, &room, &invite, Retry::Unnamed).await.unwrap();
    let leave = RoomCommand::Leave { reason: None, successor: None };
    commands.room(&alice, &room, &leave, Retry::Unnamed).await.unwrap();
    let taken = commands.create_room(&alice, &private_with("nest"), Retry::Unnamed).await;
    assert!(matches!(taken, Err(HandleError::Rejected(Rejection::AliasTaken { .. }))), "{taken:?}");
    assert_eq!(commands.resume_releases(LATER).await.unwrap(), 0, "bob may still come");
    commands.room(&bob, &room, &leave, Retry::Unnamed).await.unwrap();
    let other = commands.create_room(&bob, &private_with("nest"), Retry::Unnamed).await.unwrap();
    assert_eq!(resolve(&commands, "nest").await.as_ref(), Some(&other.room()), "at once");
    // No other user takes this alias, and it is released nevertheless.
    commands.room(&bob, &other.room(), &leave, Retry::Unnamed).await.unwrap();
    assert_eq!(commands.resume_releases(LATER).await.unwrap(), 1);
    assert_eq!(resolve(&commands, "nest").await, None);
}

#[tokio::test]
async fn the_alias_of_a_public_room_stays_when_everybody_has_left() {
    let (_, log) = faulty();
    let commands = super::commands(&log);
    let alice = actor("alice");
    let create = CreateRoom { preset: Preset::Public, ..private_with("square") };
    let room = commands.create_room(&alice, &create, Retry::Unnamed).await.unwrap().room();
    let leave = RoomCommand::Leave { reason: None, successor: None };
    commands.room(&alice, &room, &leave, Retry::Unnamed).await.unwrap();
    commands.resume_releases(LATER).await.unwrap();
    let taken = commands.create_room(&actor("bob"), &create, Retry::Unnamed).await;
    assert!(matches!(taken, Err(HandleError::Rejected(Rejection::AliasTaken { .. }))), "{taken:?}");
    commands.room(&alice, &room, &join(), Retry::Unnamed).await.unwrap();
    assert_eq!(resolve(&commands, "square").await, Some(room));
    assert_eq!(bodies(&log).await, [""; 0]);
}
