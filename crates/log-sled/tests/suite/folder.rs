//! The data folder: who may open it, and what lies about in it.

use std::{fs, sync::Arc};

use rookery_log::{Epoch, EventLog, Position, Record};
use rookery_log_sled::{ImportError, OpenError, SledLog, SledOptions};

use crate::support::{append_all, commit, open, read_all, temporary};

fn of(epoch: u64) -> SledOptions {
    SledOptions { epoch: Some(Epoch(epoch)), ..SledOptions::default() }
}

#[tokio::test]
async fn folder_in_use_is_refused() {
    let dir = temporary();
    let log = open(dir.path());
    let refusal = SledLog::open(dir.path(), SledOptions::default()).err();
    assert!(matches!(refusal, Some(OpenError::InUse { .. })));
    drop(log);
    open(dir.path());
}

#[tokio::test]
async fn epoch_is_drawn_once_and_another_is_refused() {
    let (one, other) = (temporary(), temporary());
    let epoch = open(one.path()).epoch();
    assert_eq!(open(one.path()).epoch(), epoch);
    assert_ne!(open(other.path()).epoch(), epoch);
    let refusal = SledLog::open(one.path(), of(epoch.0 ^ 1)).err();
    assert!(matches!(refusal, Some(OpenError::OtherEpoch { .. })));
    assert_eq!(SledLog::open(temporary().path(), of(5)).unwrap().epoch(), Epoch(5));
}

#[tokio::test]
async fn newer_format_is_refused_by_name() {
    let dir = temporary();
    drop(open(dir.path()));
    let text = format!("rookery log\nformat 2\nepoch {:016x}\n", 7);
    let text = format!("{text}check {:08x}\n", crc32fast::hash(text.as_bytes()));
    fs::write(dir.path().join("meta"), text).unwrap();
    let refusal = SledLog::open(dir.path(), SledOptions::default()).err().unwrap();
    assert!(matches!(refusal, OpenError::TooNew { found: 2, known: 1, .. }), "{refusal}");
}

#[tokio::test]
async fn damaged_or_missing_small_files_are_named() {
    for (name, missing) in [("meta", false), ("meta", true), ("anchor", false)] {
        let dir = temporary();
        let log = open(dir.path());
        append_all(&log, 0..3, 10).await;
        drop(log);
        let path = dir.path().join(name);
        if missing {
            fs::remove_file(path).unwrap();
        } else {
            let mut bytes = fs::read(&path).unwrap();
            bytes[20] ^= 1;
            fs::write(path, bytes).unwrap();
        }
        let refusal = SledLog::open(dir.path(), SledOptions::default()).err().unwrap();
        assert!(refusal.to_string().contains(&format!("the file `{name}`")), "{refusal}");
    }
}

#[tokio::test]
async fn half_written_snapshot_is_removed() {
    let dir = temporary();
    let log = open(dir.path());
    append_all(&log, 0..20, 10).await;
    drop(log);
    let left = dir.path().join("sled").join("snap.FFFFFFFFFFFFFFFF.generating");
    fs::write(&left, b"half a snap").unwrap();
    let log = open(dir.path());
    assert!(!left.exists());
    assert_eq!(*log.tail().borrow(), Position(20));
}

#[tokio::test]
async fn nothing_ever_goes_to_the_blobs_of_the_engine() {
    let dir = temporary();
    let log = open(dir.path());
    for bytes in [7_000, 7_100, 7_200, 12_000, 60_000, 300_000] {
        let from = log.tail().borrow().0;
        append_all(&log, from..from + 40, bytes).await;
        let records = read_all(&log).await;
        assert!(records.last().is_some_and(|last| last.commit == commit(from + 39, bytes)));
    }
    drop(log);
    let log = open(dir.path());
    assert_eq!(log.verify(|_, _| ()).unwrap().commits, 240);
    assert_eq!(fs::read_dir(dir.path().join("sled").join("blobs")).unwrap().count(), 0);
}

#[tokio::test]
async fn imported_records_keep_their_places_and_hashes() {
    let (from, to) = (temporary(), temporary());
    let source = open(from.path());
    append_all(&source, 0..10, 10_000).await;
    let records = read_all(&source).await;
    let target = SledLog::open(to.path(), of(source.epoch().0 ^ 1)).unwrap();
    let whole = |record: &Arc<Record>| Record::clone(record);
    let early = target.append_record(whole(&records[1])).await;
    assert!(matches!(early, Err(ImportError::Discontinuous { position: Position(2), .. })));
    for record in &records {
        assert_eq!(target.append_record(whole(record)).await.unwrap().position, record.position);
    }
    let mut changed = whole(&records[9]);
    (changed.position, changed.previous) = (Position(11), changed.hash);
    let outcome = target.append_record(changed).await.unwrap_err().to_string();
    assert!(outcome.contains("its hash does not match"), "{outcome}");
    drop(target);
    let target = open(to.path());
    assert_eq!(read_all(&target).await, records);
    assert_eq!(target.verify(|_, _| ()), source.verify(|_, _| ()));
    assert_eq!(append_all(&target, 10..11, 1).await[0].position, Position(11));
    assert_eq!(read_all(&target).await[10].epoch, target.epoch());
}
