use std::{collections::BTreeSet, sync::Arc};

use rookery_domain::{
    CreateRoom, Membership, OwnedRoomAliasId, OwnedRoomId, Preset, Rejection, Room, RoomCommand,
    RoomVersionId,
};
use rookery_log::{ErasableLog, Position, Scope, StreamKind};

use crate::tests::{actor, commands, join, memory, pdus, say, text};
use crate::{Commands, HandleError, Retry};

const V12: RoomVersionId = RoomVersionId::V12;

async fn room_with_alias(commands: &Commands) -> (OwnedRoomId, OwnedRoomAliasId) {
    let alias = OwnedRoomAliasId::try_from("#tower:test").unwrap();
    let create = CreateRoom {
        version: Some(RoomVersionId::V11),
        preset: Preset::Public,
        alias: Some(alias.clone()),
        ..CreateRoom::default()
    };
    let made = commands.create_room(&actor("alice"), &create, Retry::Unnamed).await.unwrap();
    (made.room(), alias)
}

async fn rooms(log: &Arc<dyn ErasableLog>) -> BTreeSet<String> {
    let records = log.read(&Scope::All, Position::ORIGIN, 4_096).await.unwrap();
    let room = |stream: &rookery_log::StreamId| match stream.split() {
        Some((StreamKind::Room, room)) => Some(room.to_owned()),
        _ => None,
    };
    records.iter().filter_map(|record| room(&record.commit.stream)).collect()
}

async fn look<T>(commands: &Commands, room: &OwnedRoomId, look: impl Fn(&Room) -> T) -> T {
    let stream_state = commands.rooms.state_of(room.as_str());
    commands
        .core
        .read_state(&commands.rooms, &stream_state, |room| look(room.unwrap()))
        .await
        .unwrap()
}

#[tokio::test]
async fn the_new_room_has_the_aliases_and_the_old_one_is_closed() {
    let log = memory();
    let commands = commands(&log);
    let (old, alias) = room_with_alias(&commands).await;
    commands.room(&actor("bob"), &old, &join(), Retry::Unnamed).await.unwrap();
    let upgraded =
        commands.upgrade_room(&actor("alice"), &old, &V12, Retry::Unnamed).await.unwrap();
    let new = upgraded.replacement.clone().unwrap();
    assert_eq!(upgraded.room(), old);
    assert_eq!(upgraded.events.last().unwrap().kind.to_string(), "m.room.tombstone");
    assert_eq!(commands.resolve_alias(&alias).await.unwrap(), Some(new.clone()));
    assert_eq!(look(&commands, &new, Room::canonical_alias).await, Some(alias));
    assert_eq!(look(&commands, &old, Room::canonical_alias).await, None);
    assert_eq!(look(&commands, &old, Room::replaced_by).await, Some(new.clone()));
    let refused = commands.room(&actor("bob"), &old, &text("hello?"), Retry::Unnamed).await;
    assert!(matches!(refused, Err(HandleError::Rejected(Rejection::RoomReplaced(_)))));
    commands.room(&actor("bob"), &new, &join(), Retry::Unnamed).await.unwrap();
    say(&commands, "bob", &new, "hello!").await;
}

#[tokio::test]
async fn asking_again_changes_nothing_and_names_the_same_room() {
    let log = memory();
    let commands = commands(&log);
    let (old, _) = room_with_alias(&commands).await;
    let alice = actor("alice");
    let first = commands.upgrade_room(&alice, &old, &V12, Retry::Action(1)).await.unwrap();
    let again = commands.upgrade_room(&alice, &old, &V12, Retry::Action(1)).await.unwrap();
    assert_eq!(again.replacement, first.replacement);
    assert_eq!(again.events, first.events, "the first result again");
    let tail = *log.tail().borrow();
    let other = commands.upgrade_room(&alice, &old, &V12, Retry::Unnamed).await.unwrap();
    assert_eq!((other.replacement, other.events.len()), (first.replacement.clone(), 0));
    assert_eq!(*log.tail().borrow(), tail, "nothing is written");
    let v11 = commands.upgrade_room(&alice, &old, &RoomVersionId::V11, Retry::Unnamed).await;
    let expected = Rejection::RoomReplaced(first.replacement.unwrap());
    assert!(matches!(v11, Err(HandleError::Rejected(rejection)) if rejection == expected));
    assert_eq!(rooms(&log).await.len(), 2);
}

#[tokio::test]
async fn what_a_stop_of_the_server_broke_off_is_finished_by_asking_again() {
    for moved in [false, true] {
        let log = memory();
        let one = commands(&log);
        let (old, alias) = room_with_alias(&one).await;
        let begun = one.make_replacement(&actor("alice"), &old, &V12, Vec::new()).await.unwrap();
        if moved {
            one.move_aliases(&actor("alice"), &old, &begun).await.unwrap();
        }
        drop(one);
        let two = commands(&log);
        assert_eq!(look(&two, &old, Room::replaced_by).await, None, "it is open still");
        let upgraded = two.upgrade_room(&actor("alice"), &old, &V12, Retry::Action(1)).await;
        assert_eq!(upgraded.unwrap().replacement.as_ref(), Some(&begun));
        assert_eq!(two.resolve_alias(&alias).await.unwrap(), Some(begun.clone()));
        assert_eq!(look(&two, &old, Room::replaced_by).await, Some(begun));
        assert_eq!(rooms(&log).await.len(), 2);
    }
}

#[tokio::test]
async fn many_who_ask_at_once_make_one_room() {
    let log = memory();
    let commands = Arc::new(commands(&log));
    let (old, _) = room_with_alias(&commands).await;
    let asking: Vec<_> = (1..9)
        .map(|number| {
            let (commands, old) = (Arc::clone(&commands), old.clone());
            tokio::spawn(async move {
                let retry = Retry::Action(number);
                commands.upgrade_room(&actor("alice"), &old, &V12, retry).await
            })
        })
        .collect();
    let mut replacements = BTreeSet::new();
    for asked in asking {
        replacements.insert(asked.await.unwrap().unwrap().replacement.unwrap());
    }
    assert_eq!(replacements.len(), 1);
    assert_eq!(rooms(&log).await.len(), 2);
    let tombstones = log.read(&Scope::All, Position::ORIGIN, 4_096).await.unwrap();
    let is_tombstone = |pdu: &rookery_domain::Pdu| pdu.kind.to_string() == "m.room.tombstone";
    let rooms = tombstones.iter().filter(|it| it.commit.stream.as_str().starts_with("room/"));
    assert_eq!(rooms.flat_map(|record| pdus(record)).filter(is_tombstone).count(), 1);
}

#[tokio::test]
async fn a_refused_upgrade_leaves_no_trace() {
    let log = memory();
    let commands = commands(&log);
    let (old, _) = room_with_alias(&commands).await;
    commands.room(&actor("bob"), &old, &join(), Retry::Unnamed).await.unwrap();
    let tail = *log.tail().borrow();
    let bob = commands.upgrade_room(&actor("bob"), &old, &V12, Retry::Unnamed).await;
    assert!(matches!(bob, Err(HandleError::Rejected(Rejection::InsufficientPower { .. }))));
    let nowhere = OwnedRoomId::try_from("!nowhere:test").unwrap();
    let refused = commands.upgrade_room(&actor("bob"), &nowhere, &V12, Retry::Unnamed).await;
    assert!(matches!(refused, Err(HandleError::NoSuchRoom)));
    let v1 = RoomVersionId::V1;
    let unknown = commands.upgrade_room(&actor("alice"), &old, &v1, Retry::Unnamed).await;
    assert!(matches!(unknown, Err(HandleError::Rejected(Rejection::UnknownRoomVersion(_)))));
    assert_eq!(*log.tail().borrow(), tail);
}

#[tokio::test]
async fn bans_beyond_one_commit_are_taken_over_too() {
    let log = memory();
    let commands = commands(&log);
    let (old, _) = room_with_alias(&commands).await;
    let most = rookery_domain::limits::BANS_TAKEN_OVER_MAX;
    for number in 0..most + 3 {
        let user = format!("@spam{number}:test").try_into().unwrap();
        let ban = RoomCommand::Ban { user, reason: None };
        commands.room(&actor("alice"), &old, &ban, Retry::Unnamed).await.unwrap();
    }
    let upgraded = commands.upgrade_room(&actor("alice"), &old, &V12, Retry::Unnamed).await;
    let banned = |room: &Room| {
        room.members().filter(|(_, membership, _)| *membership == Membership::Ban).count()
    };
    assert_eq!(look(&commands, &upgraded.unwrap().replacement.unwrap(), banned).await, most + 3);
}
