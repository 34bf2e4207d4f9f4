use std::{fs, path::Path, sync::Arc};

use rookery_domain::{
    Account, AccountEvent, Fact, Notifications, OwnedRoomId, Room, RoomPreferences,
};
use rookery_log::{
    Commit, CountedLog, ErasableLog, LoggedEvent, Millis, ReadCounts, StreamId, StreamKind,
};

use crate::tests::{actor, join, memory, open, public_room, say};
use crate::{CommandOptions, Commands, ProfileChange, Retry};

/// A room with enough events for a snapshot, and the snapshot.
async fn written(log: &Arc<dyn ErasableLog>, folder: &Path) -> OwnedRoomId {
    let commands = open(log, Some(folder), CommandOptions::default());
    let room = public_room(&commands, "alice").await;
    commands.room(&actor("bob"), &room, &join(), Retry::Unnamed).await.unwrap();
    for number in 0..1_000 {
        say(&commands, "alice", &room, &number.to_string()).await;
    }
    commands.save().await.unwrap();
    room
}

fn snapshot_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|ext| ext == "state")).collect()
}

async fn describe(commands: &Commands, room: &OwnedRoomId) -> (u64, Vec<String>, Vec<String>) {
    let stream_state = commands.rooms.state_of(room.as_str());
    let describe = |room: Option<&Room>| {
        let room = room.unwrap();
        let mut state: Vec<_> = room.state_events().map(|pdu| pdu.event_id.to_string()).collect();
        state.sort();
        let extremities = room.forward_extremities().iter().map(ToString::to_string).collect();
        (room.depth(), state, extremities)
    };
    commands.core.read_state(&commands.rooms, &stream_state, describe).await.unwrap()
}

#[tokio::test]
async fn a_state_from_a_snapshot_is_the_state_from_the_log() {
    let (log, folder) = (memory(), tempfile::tempdir().unwrap());
    let room = written(&log, folder.path()).await;
    assert_eq!(snapshot_files(folder.path()).len(), 1);
    let with = open(&log, Some(folder.path()), CommandOptions::default());
    let without = open(&log, None, CommandOptions::default());
    assert_eq!(describe(&with, &room).await, describe(&without, &room).await);
    let depth = describe(&with, &room).await.0;
    say(&with, "bob", &room, "and on it goes").await;
    for commands in [&with, &without] {
        assert_eq!(describe(commands, &room).await.0, depth + 1);
    }
}

#[tokio::test]
async fn a_damaged_snapshot_is_not_used() {
    let (log, folder) = (memory(), tempfile::tempdir().unwrap());
    let room = written(&log, folder.path()).await;
    for path in snapshot_files(folder.path()) {
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, bytes).unwrap();
    }
    let with = open(&log, Some(folder.path()), CommandOptions::default());
    let without = open(&log, None, CommandOptions::default());
    assert_eq!(describe(&with, &room).await, describe(&without, &room).await);
}

#[tokio::test]
async fn a_snapshot_of_another_log_is_not_used() {
    let (log, folder) = (memory(), tempfile::tempdir().unwrap());
    let room = written(&log, folder.path()).await;
    let other: Arc<dyn ErasableLog> = Arc::new(rookery_log::MemoryLog::new(rookery_log::Epoch(2)));
    let commands = open(&other, Some(folder.path()), CommandOptions::default());
    let sent =
        commands.room(&actor("alice"), &room, &crate::tests::text("x"), Retry::Unnamed).await;
    assert!(matches!(sent, Err(crate::HandleError::NoSuchRoom)), "{sent:?}");
}

/// The log reads of a command in a room that is not in memory.
async fn reads_of_a_command(
    log: &Arc<dyn ErasableLog>,
    folder: &Path,
    room: &OwnedRoomId,
) -> ReadCounts {
    let counted = Arc::new(CountedLog::new(Arc::clone(log)));
    let shared: Arc<dyn ErasableLog> = counted.clone();
    let commands = open(&shared, Some(folder), CommandOptions::default());
    let before = counted.counts();
    say(&commands, "alice", room, "hello").await;
    counted.counts().since(before)
}

#[tokio::test]
async fn a_command_in_a_cold_room_reads_its_state_and_not_its_history() {
    let (log, folder) = (memory(), tempfile::tempdir().unwrap());
    let commands = open(&log, None, CommandOptions::default());
    let room = public_room(&commands, "alice").await;
    for number in 0..3_000 {
        say(&commands, "alice", &room, &number.to_string()).await;
    }
    // Without a snapshot, the first command reads everything and writes one.
    let first = reads_of_a_command(&log, folder.path(), &room).await;
    assert!(first.records >= 3_000, "{first:?}");
    assert_eq!(snapshot_files(folder.path()).len(), 1);
    let second = reads_of_a_command(&log, folder.path(), &room).await;
    assert!(second.reads <= 2 && second.records <= 2, "{second:?}");
    // However long its history becomes, only commits since the last snapshot are read.
    let commands = open(&log, None, CommandOptions::default());
    for number in 0..900 {
        say(&commands, "alice", &room, &number.to_string()).await;
    }
    let third = reads_of_a_command(&log, folder.path(), &room).await;
    assert!(third.records < 1_000, "{third:?}");
}

/// Appends `count` receipts of alice, and returns the state that they make.
async fn read_much(log: &Arc<dyn ErasableLog>, count: u64) -> Account {
    let stream = StreamId::new(StreamKind::User, actor("alice").user.as_str());
    let revision = log.head(&stream).await.unwrap().revision.0;
    let mut account = Account::default();
    for sequence in 0..revision + count {
        let event = AccountEvent::ReceiptMoved {
            room_id: format!("!room{}:test", sequence % 20).try_into().unwrap(),
            event_id: format!("$event{sequence}").try_into().unwrap(),
            sequence: sequence + 1,
            private: sequence % 3 == 0,
        };
        account.evolve(&event);
        if sequence < revision {
            continue;
        }
        let stored =
            Fact::Account(event).store(sequence.to_be_bytes().repeat(2).try_into().unwrap());
        let (id, envelope, content) = (stored.id, stored.envelope, stored.content);
        let events = vec![LoggedEvent { id, envelope, content }];
        let commit = Commit { stream: stream.clone(), command: None, received: Millis(1), events };
        let guard = log.head(&stream).await.unwrap().guard();
        log.append(commit, guard).await.unwrap();
    }
    account
}

/// The account of alice, with what it costs to load it with new caches.
async fn account_of_alice(log: &Arc<dyn ErasableLog>, folder: &Path) -> (Account, ReadCounts) {
    let counted = Arc::new(CountedLog::new(Arc::clone(log)));
    let shared: Arc<dyn ErasableLog> = counted.clone();
    let commands = open(&shared, Some(folder), CommandOptions::default());
    let stream_state = commands.accounts.state_of(actor("alice").user.as_str());
    let before = counted.counts();
    let whole = |account: Option<&Account>| account.unwrap().clone();
    let account = commands.core.read_state(&commands.accounts, &stream_state, whole).await.unwrap();
    (account, counted.counts().since(before))
}

#[tokio::test]
async fn an_account_with_many_receipts_is_loaded_from_its_snapshot() {
    let (log, folder) = (memory(), tempfile::tempdir().unwrap());
    let written = read_much(&log, 3_000).await;
    let (first, cost) = account_of_alice(&log, folder.path()).await;
    assert!(cost.records >= 3_000, "{cost:?}");
    assert_eq!((&first, snapshot_files(folder.path()).len()), (&written, 1));
    let (second, cost) = account_of_alice(&log, folder.path()).await;
    assert!(cost.reads <= 2 && cost.records <= 2, "{cost:?}");
    assert_eq!(second, written);
    // Only commits since the last snapshot are read.
    let written = read_much(&log, 500).await;
    let (third, cost) = account_of_alice(&log, folder.path()).await;
    assert!(cost.records < 600, "{cost:?}");
    assert_eq!(third, written);
}

#[tokio::test]
async fn a_cached_account_is_saved_when_a_snapshot_is_due() {
    let (log, folder) = (memory(), tempfile::tempdir().unwrap());
    let commands = open(&log, Some(folder.path()), CommandOptions::default());
    for number in 0..1_100 {
        let displayname = Some(Some(format!("Alice {number}")));
        let change = ProfileChange { displayname, ..ProfileChange::default() };
        commands.set_profile(&actor("alice"), &change, Retry::Unnamed).await.unwrap();
    }
    assert_eq!(snapshot_files(folder.path()).len(), 0);
    commands.save().await.unwrap();
    assert_eq!(snapshot_files(folder.path()).len(), 1);
    let (account, cost) = account_of_alice(&log, folder.path()).await;
    assert_eq!(account.profile().displayname.as_deref(), Some("Alice 1099"));
    assert!(cost.records <= 2, "{cost:?}");
}

/// The stored form of an account. If this test fails, the format of snapshots needs a new number.
#[test]
fn the_stored_form_of_an_account_stays_as_it_is() {
    use crate::stream::frozen::Frozen;
    let room_id: OwnedRoomId = "!r:t".try_into().unwrap();
    let account = Account::replay(&[
        AccountEvent::ProfileChanged { displayname: Some("Al".into()), avatar_url: None },
        AccountEvent::ReceiptMoved {
            room_id,
            event_id: "$e".try_into().unwrap(),
            sequence: 300,
            private: true,
        },
        AccountEvent::FilterCreated {
            filter_id: "f".into(),
            filter: rookery_domain::Filter::default(),
        },
        AccountEvent::UserIgnored { user_id: "@c:t".try_into().unwrap() },
        AccountEvent::RoomPreferencesChanged {
            room_id: "!p:t".try_into().unwrap(),
            preferences: RoomPreferences {
                notifications: Notifications::None,
                is_favourite: true,
                is_direct: false,
            },
        },
    ]);
    let stored = account.store().unwrap();
    assert_eq!(
        stored,
        b"\x01\x02Al\x00\x01\x04!r:t\x00\xac\x02\x01\x01f\x01\x04!p:t\x02\x01\x00\x00\x01\x04@c:t\x00\x00\x00"
    );
    assert_eq!(Account::read(&stored), Some(account));
}
