//! Missing records: unacknowledged ones, and those that make the log refuse to open.

use futures_util::future::join_all;
use rookery_log::{EventLog, Position, ReadError, Scope};
use rookery_log_sled::{OpenError, SledLog, SledOptions};
use tempfile::TempDir;

use crate::{
    disk::TestDisk,
    support::{
        append_all, command, commit, copy, forget_reach, guard, open, read_all, stream, tamper,
        temporary,
    },
};

/// A closed log of 50 commits, each synced on its own, or all but the first one in one group.
async fn given(grouped: bool) -> TempDir {
    let (dir, disk) = (temporary(), TestDisk::new());
    let log = SledLog::open(dir.path(), disk.options()).unwrap();
    if grouped {
        // The others queue up while the sync of the first one is held back.
        disk.hold();
        let first = log.append(commit(0, 10), guard(0));
        disk.wait_for_sync();
        let rest: Vec<_> =
            (1..50).map(|number| log.append(commit(number, 10), guard(number))).collect();
        disk.release();
        first.await.unwrap();
        assert!(join_all(rest).await.iter().all(Result::is_ok));
    } else {
        for number in 0..50 {
            log.append(commit(number, 10), guard(number)).await.unwrap();
        }
    }
    drop(log);
    dir
}

fn remove(dir: &TempDir, positions: std::ops::RangeInclusive<u64>) {
    tamper(dir.path(), |db| {
        let commits = db.open_tree("commits").unwrap();
        for position in positions {
            assert!(commits.remove(position.to_be_bytes()).unwrap().is_some());
        }
    });
}

fn refused(dir: &TempDir) -> OpenError {
    SledLog::open(dir.path(), SledOptions::default()).err().expect("a refusal")
}

#[tokio::test]
async fn log_that_ends_before_its_anchor_is_refused_until_the_loss_is_accepted() {
    let dir = given(false).await;
    remove(&dir, 41..=50);
    for _ in 0..2 {
        let refusal = refused(&dir);
        assert!(
            matches!(refusal, OpenError::Missing { from: Position(41), to: Position(50), .. }),
            "{refusal}"
        );
        assert!(refusal.to_string().contains("positions 41 to 50 are missing"), "{refusal}");
    }
    forget_reach(dir.path());
    let log = open(dir.path());
    assert_eq!(*log.tail().borrow(), Position(40));
    let again = log.append(commit(40, 10), guard(40)).await.unwrap();
    assert_eq!((again.position, again.repeated), (Position(41), false));
}

#[tokio::test]
async fn empty_log_with_an_anchor_is_refused() {
    let dir = given(false).await;
    std::fs::remove_dir_all(dir.path().join("sled")).unwrap();
    let refusal = refused(&dir);
    let all = matches!(refusal, OpenError::Missing { from: Position(1), to: Position(50), .. });
    assert!(all, "{refusal}");
}

#[tokio::test]
async fn another_record_at_the_anchor_is_refused() {
    let dir = given(false).await;
    let other = temporary();
    // The same commits in another history.
    append_all(&open(other.path()), 0..50, 10).await;
    for name in ["anchor", "head"] {
        std::fs::copy(dir.path().join(name), other.path().join(name)).unwrap();
    }
    let refusal = refused(&other).to_string();
    assert!(refusal.contains("position 50 is not the one that is anchored"), "{refusal}");
}

#[tokio::test]
async fn hole_below_the_anchor_is_damage_that_readers_and_verify_name() {
    let dir = given(false).await;
    remove(&dir, 20..=20);
    let log = open(dir.path());
    let expected =
        ReadError::Damaged { position: Position(20), damage: "the record is missing".into() };
    assert_eq!(log.read(&Scope::All, Position(0), 50).await, Err(expected.clone()));
    assert_eq!(log.get(&[Position(20)]).await, Err(expected.clone()));
    assert_eq!(log.verify(|_, _| ()), Err(expected));
    assert_eq!(log.read(&Scope::All, Position(20), 50).await.unwrap().len(), 30);
}

#[tokio::test]
async fn hole_that_was_acknowledged_is_refused_even_without_an_anchor() {
    let dir = given(false).await;
    remove(&dir, 45..=45);
    forget_reach(dir.path());
    let refusal = refused(&dir).to_string();
    assert!(refusal.contains("position 45 is missing"), "{refusal}");
}

#[tokio::test]
async fn hole_below_what_the_head_names_is_refused() {
    let dir = temporary();
    let log = open(dir.path());
    append_all(&log, 0..50, 10).await;
    // As a kill leaves it: the head names all 50, and the indexes of the group are not synced.
    let killed = copy(dir.path());
    remove(&killed, 45..=46);
    let refusal = refused(&killed).to_string();
    assert!(refusal.contains("the commits at positions 45 to 46 are missing"), "{refusal}");
    let killed = copy(dir.path());
    remove(&killed, 45..=50);
    let refusal = refused(&killed);
    let named = matches!(refusal, OpenError::Missing { from: Position(45), to: Position(50), .. });
    assert!(named, "{refusal}");
}

#[tokio::test]
async fn hole_in_a_group_that_nobody_was_told_of_never_was() {
    let dir = given(true).await;
    remove(&dir, 45..=45);
    forget_reach(dir.path());
    let log = open(dir.path());
    assert_eq!(*log.tail().borrow(), Position(44));
    assert_eq!(log.find(command(45)).await, Ok(None));
    let next = append_all(&log, 44..60, 10).await;
    assert!(next.iter().all(|appended| !appended.repeated));
    assert_eq!(log.verify(|_, _| ()).unwrap().commits, 60);
}

#[tokio::test]
async fn commit_without_all_its_parts_never_was() {
    let dir = temporary();
    let log = open(dir.path());
    append_all(&log, 0..9, 40_000).await;
    drop(log);
    tamper(dir.path(), |db| {
        let chunks = db.open_tree("chunks").unwrap();
        let (key, _) = chunks.last().unwrap().unwrap();
        assert_eq!(key[..8], 9_u64.to_be_bytes());
        chunks.remove(key).unwrap();
    });
    let refusal = refused(&dir);
    let last = matches!(refusal, OpenError::Missing { from: Position(9), to: Position(9), .. });
    assert!(last, "{refusal}");
    forget_reach(dir.path());
    let log = open(dir.path());
    assert_eq!(*log.tail().borrow(), Position(8));
    assert_eq!(log.find(command(8)).await, Ok(None));
    append_all(&log, 8..9, 20_000).await;
    let records = read_all(&log).await;
    assert!(records[7].commit == commit(7, 40_000) && records[8].commit == commit(8, 20_000));
    drop(log);
    tamper(dir.path(), |db| {
        let left = db.open_tree("chunks").unwrap().scan_prefix(9_u64.to_be_bytes()).count();
        assert_eq!(left, 3, "parts of what never was are left");
    });
}

#[tokio::test]
async fn indexes_that_are_gone_are_derived_again() {
    let dir = given(false).await;
    std::fs::remove_dir_all(dir.path().join("index")).unwrap();
    let log = open(dir.path());
    assert_eq!(log.verify(|_, _| ()).unwrap().commits, 50);
    assert_eq!(log.find(command(7)).await, Ok(Some(Position(8))));
    let page = log.read(&Scope::Stream(stream(1)), Position(0), 50).await.unwrap();
    assert_eq!(page.len(), 17);
}

#[tokio::test]
async fn indexes_of_another_log_are_not_believed() {
    let (dir, other) = (given(false).await, temporary());
    let log = open(other.path());
    append_all(&log, 0..50, 10).await;
    drop(log);
    let from = other.path().join("index");
    let to = dir.path().join("index");
    std::fs::remove_dir_all(&to).unwrap();
    std::fs::rename(from, to).unwrap();
    let log = open(dir.path());
    assert_eq!(log.verify(|_, _| ()).unwrap().commits, 50);
}

#[tokio::test]
async fn loss_that_is_accepted_is_lost_in_the_indexes_too() {
    let dir = given(true).await;
    remove(&dir, 45..=45);
    forget_reach(dir.path());
    let log = open(dir.path());
    for number in 44..50 {
        assert_eq!(log.find(command(number)).await, Ok(None));
    }
    assert_eq!(log.verify(|_, _| ()).unwrap().commits, 44);
}

#[tokio::test]
async fn damaged_block_of_an_index_mends_itself_from_the_log() {
    let dir = temporary();
    append_all(&open(dir.path()), 0..600, 10).await;
    let mut runs = std::fs::read_dir(dir.path().join("index")).unwrap();
    let run = runs.next().unwrap().unwrap().path();
    let whole = std::fs::read(&run).unwrap();
    // The first blocks hold the entries of commands, the last ones those of streams.
    for at in [0, 4_100, 20_000] {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        std::fs::write(&run, bytes).unwrap();
        let log = open(dir.path());
        for number in 0..600 {
            assert_eq!(log.find(command(number)).await, Ok(Some(Position(number + 1))));
        }
        let again = log.append(commit(100, 10), guard(100)).await.unwrap();
        assert_eq!((again.position, again.repeated), (Position(101), true));
        for number in 0..3 {
            let page = log.read(&Scope::Stream(stream(number)), Position(0), 600).await.unwrap();
            assert_eq!(page.len(), 200);
        }
        assert_eq!(log.verify(|_, _| ()).unwrap().commits, 600);
        assert!(std::fs::read(&run).unwrap() == whole, "the file is as it was written first");
    }
}
