//! The data folder: its lock, and files that do not belong to the log.

use std::{fs, sync::Arc};

use rookery_log::{Epoch, EventLog, Position, Record};
use rookery_log_sled::{ImportError, OpenError, SledLog, SledOptions};

use crate::support::{append_all, commit, contents, copy, open, read_all, temporary};

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
async fn small_file_that_can_be_derived_is_set_aside_and_derived_again() {
    let dir = temporary();
    let log = open(dir.path());
    append_all(&log, 0..30, 10).await;
    let epoch = log.epoch();
    drop(log);
    // Opening makes the engine write a snapshot.
    drop(open(dir.path()));
    let snapshot = fs::read_dir(dir.path().join("sled")).unwrap();
    let mut names = snapshot.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let snapshot = names.find(|name| name.starts_with("snap.")).unwrap();
    for (name, whole) in
        [("meta", "meta"), ("anchor", "anchor"), ("conf", "sled/conf"), (&snapshot, "sled/snap")]
    {
        let whole =
            if whole == "sled/snap" { format!("sled/{snapshot}") } else { whole.to_owned() };
        for missing in [false, true] {
            let hurt = copy(dir.path());
            let path = hurt.path().join(&whole);
            let written = fs::read(&path).unwrap();
            let mut bytes = written.clone();
            bytes[20] ^= 1;
            if missing { fs::remove_file(&path) } else { fs::write(&path, &bytes) }.unwrap();
            let log = open(hurt.path());
            assert_eq!((log.epoch(), *log.tail().borrow()), (epoch, Position(30)), "{name}");
            assert_eq!(log.verify(|_, _| ()).unwrap().commits, 30);
            append_all(&log, 30..33, 10).await;
            drop(log);
            let aside = hurt.path().join(format!("{name}.damaged"));
            assert_eq!(fs::read(aside).ok(), (!missing).then_some(bytes), "{name}");
            let again = open(hurt.path());
            assert_eq!((again.epoch(), *again.tail().borrow()), (epoch, Position(33)), "{name}");
        }
    }
}

#[tokio::test]
async fn nothing_that_tells_how_far_the_log_had_come_is_refused() {
    let dir = temporary();
    append_all(&open(dir.path()), 0..30, 10).await;
    for name in ["anchor", "head"] {
        let path = dir.path().join(name);
        let bytes: Vec<u8> = fs::read(&path).unwrap().iter().map(|byte| byte ^ 1).collect();
        fs::write(path, bytes).unwrap();
    }
    let before = contents(dir.path());
    let refusal = SledLog::open(dir.path(), SledOptions::default()).err().unwrap().to_string();
    assert!(refusal.contains("the file `anchor`") && refusal.contains("`head`"), "{refusal}");
    assert_eq!(contents(dir.path()), before);
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
