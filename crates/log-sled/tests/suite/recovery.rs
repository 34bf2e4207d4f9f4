//! A log that stopped at an error of its disk, and goes on in the same process.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use futures_util::{FutureExt, future::join_all};
use rookery_log::{AppendError, ErasableLog, EventLog, Position, Unavailable};
use rookery_log_sled::{SledLog, SledOptions};
use tempfile::TempDir;

use crate::{
    disk::TestDisk,
    support::{append_all, command, commit, db, guard, read_all, stream, temporary},
};

const WAIT_MAX: Duration = Duration::from_mins(1);

fn options(disk: &Arc<TestDisk>) -> SledOptions {
    SledOptions { probe_pause: Duration::from_millis(1), ..disk.options() }
}

/// A log of 30 commits whose disk fails.
async fn given() -> (TempDir, Arc<TestDisk>, SledLog) {
    let (dir, disk) = (temporary(), TestDisk::new());
    let log = SledLog::open(dir.path(), options(&disk)).unwrap();
    append_all(&log, 0..30, 10).await;
    disk.fail(true);
    (dir, disk, log)
}

/// Appends commits that fail. Returns the reason.
async fn stop(log: &SledLog) -> String {
    let answers: Vec<_> =
        (30..40).map(|number| log.append(commit(number, 10), guard(number))).collect();
    let mut reasons = Vec::new();
    for answer in join_all(answers).await {
        let Err(AppendError::Unavailable(reason)) = answer else { panic!("{answer:?}") };
        reasons.push(reason.to_string());
    }
    reasons.remove(0)
}

/// The files of a log, without that of a probe.
fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for part in [dir.to_owned(), dir.join("sled"), dir.join("index")] {
        for entry in fs::read_dir(part).unwrap() {
            let path = entry.unwrap().path();
            // A probe comes and goes.
            if path.is_file() && !path.ends_with("probe") {
                files.insert(path.clone(), fs::read(path).unwrap());
            }
        }
    }
    files
}

/// Waits until the log accepts writes.
async fn accepts_writes(log: &SledLog) {
    let mut fault = log.fault();
    let works = fault.wait_for(Option::is_none);
    tokio::time::timeout(WAIT_MAX, works).await.expect("the log goes on").unwrap();
}

#[tokio::test]
async fn log_goes_on_by_itself_when_its_disk_works_again() {
    let (dir, disk, log) = given().await;
    let records = read_all(&log).await;
    let reason = stop(&log).await;
    assert!(reason.contains("made to fail"), "{reason}");
    assert!(log.fault().borrow().is_some());
    assert_eq!(read_all(&log).await, records);
    assert_eq!(log.head(&stream(0)).await.unwrap().position, Position(28));
    disk.fail(false);
    accepts_writes(&log).await;
    assert_eq!(read_all(&log).await[..30], records);
    // Each append that had no outcome is stored once, before the retry or by it.
    for number in 30..40 {
        let found = log.find(command(number)).await.unwrap();
        let appended = log.append(commit(number, 10), guard(number)).await.unwrap();
        assert_eq!(appended.position, Position(number + 1));
        assert_eq!(appended.repeated, found.is_some());
    }
    append_all(&log, 40..50, 10).await;
    assert_eq!(log.verify(|_, _| ()).unwrap().commits, 50);
    drop(log);
    let log = SledLog::open(dir.path(), disk.options()).unwrap();
    assert_eq!(log.verify(|_, _| ()).unwrap().commits, 50);
}

#[tokio::test]
async fn log_stays_stopped_while_its_disk_fails_and_reads_go_on() {
    let (dir, disk, log) = given().await;
    let records = read_all(&log).await;
    stop(&log).await;
    let before = files(dir.path());
    let probed = disk.syncs() + 3;
    tokio::time::timeout(WAIT_MAX, async {
        while disk.syncs() < probed {
            // Refused appends wake the writer.
            assert!(log.append(commit(30, 10), guard(30)).await.is_err());
        }
    })
    .await
    .expect("the disk is probed again and again");
    assert!(log.fault().borrow().is_some());
    assert_eq!(read_all(&log).await, records);
    let mut after = files(dir.path());
    after.retain(|path, _| !path.ends_with("probe"));
    assert!(
        before
            .into_iter()
            .all(|(path, bytes)| { path.ends_with("probe") || after.get(&path) == Some(&bytes) })
    );
}

#[tokio::test]
async fn log_whose_disk_lost_published_commits_stays_stopped_and_serves_what_it_has() {
    let (dir, disk, log) = given().await;
    let records = read_all(&log).await;
    stop(&log).await;
    let file = fs::OpenOptions::new().write(true).open(db(dir.path())).unwrap();
    let length = file.metadata().unwrap().len();
    file.set_len(length / 100).unwrap();
    file.set_len(length).unwrap();
    let before = files(dir.path());
    disk.fail(false);
    let mut fault = log.fault();
    let refused = |fault: &Option<Unavailable>| {
        fault.as_ref().is_some_and(|why| why.reason.contains("could not be opened again"))
    };
    let refused = fault.wait_for(refused);
    tokio::time::timeout(WAIT_MAX, refused).await.expect("the log is looked at").unwrap();
    let reason = log.fault().borrow().clone().unwrap().to_string();
    assert!(reason.contains("made to fail") && reason.contains("salvage"), "{reason}");
    assert!(log.append(commit(30, 10), guard(30)).await.is_err());
    assert_eq!(read_all(&log).await, records);
    assert_eq!(log.head(&stream(0)).await.unwrap().position, Position(28));
    assert!(files(dir.path()) == before, "the refusal changed a file");
}

#[tokio::test]
async fn reader_waits_while_the_log_is_opened_again() {
    let (_dir, disk, log) = given().await;
    stop(&log).await;
    // The next sync that works is that of the probe, the second one that of the opening.
    disk.hold_second_success();
    disk.fail(false);
    disk.wait_until_held();
    let read = stream(0);
    let mut head = Box::pin(log.head(&read));
    assert!((&mut head).now_or_never().is_none(), "read while no engine is open");
    disk.release();
    assert!(head.await.unwrap().position >= Position(28));
    accepts_writes(&log).await;
}

#[tokio::test]
async fn erased_content_stays_erased_when_the_log_is_opened_again() {
    let (dir, disk) = (temporary(), TestDisk::new());
    let log = SledLog::open(dir.path(), options(&disk)).unwrap();
    append_all(&log, 0..30, 1_000).await;
    log.erase(Position(5), 0, Bytes::from_static(b"gone")).await.unwrap();
    disk.fail(true);
    let unanswered = log.erase(Position(6), 0, Bytes::from_static(b"gone")).await;
    assert!(unanswered.is_err());
    disk.fail(false);
    accepts_writes(&log).await;
    let records = log.get(&[Position(5)]).await.unwrap();
    assert_eq!(*records[0].commit.events[0].content, *b"gone");
    log.erase(Position(6), 0, Bytes::from_static(b"gone")).await.unwrap();
    let records = log.get(&[Position(6)]).await.unwrap();
    assert_eq!(*records[0].commit.events[0].content, *b"gone");
    assert_eq!(log.verify(|_, _| ()).unwrap().commits, 30);
}

#[tokio::test]
async fn log_that_stops_can_be_closed_and_opened() {
    let (dir, disk, log) = given().await;
    stop(&log).await;
    drop(log);
    disk.fail(false);
    let log = SledLog::open(dir.path(), disk.options()).unwrap();
    assert!(log.verify(|_, _| ()).unwrap().commits >= 30);
}
