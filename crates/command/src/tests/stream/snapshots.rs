use std::{fs, path::Path, sync::Arc};

use rookery_domain::{OwnedRoomId, Room};
use rookery_log::{CountedLog, EventLog, ReadCounts};

use crate::tests::{actor, join, memory, open, public_room, say};
use crate::{CommandOptions, Commands, Retry};

/// A room with enough events for a snapshot, and the snapshot.
async fn written(log: &Arc<dyn EventLog>, folder: &Path) -> OwnedRoomId {
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
    let cell = commands.rooms.cell(room.as_str());
    let describe = |room: Option<&Room>| {
        let room = room.unwrap();
        let mut state: Vec<_> = room.state_events().map(|pdu| pdu.event_id.to_string()).collect();
        state.sort();
        let extremities = room.forward_extremities().iter().map(ToString::to_string).collect();
        (room.depth(), state, extremities)
    };
    commands.core.look(&commands.rooms, &cell, describe).await.unwrap()
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
    let other: Arc<dyn EventLog> = Arc::new(rookery_log::MemoryLog::new(rookery_log::Epoch(2)));
    let commands = open(&other, Some(folder.path()), CommandOptions::default());
    let sent =
        commands.room(&actor("alice"), &room, &crate::tests::text("x"), Retry::Unnamed).await;
    assert!(matches!(sent, Err(crate::HandleError::NoSuchRoom)), "{sent:?}");
}

/// The log reads of a command in a room that is not in memory.
async fn reads_of_a_command(
    log: &Arc<dyn EventLog>,
    folder: &Path,
    room: &OwnedRoomId,
) -> ReadCounts {
    let counted = Arc::new(CountedLog::new(Arc::clone(log)));
    let shared: Arc<dyn EventLog> = counted.clone();
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
