//! The moment at which a commit counts as stored, with a disk that counts, delays, fails or is
//! full.

use std::{
    fs::File,
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{FutureExt, future::join_all};
use rookery_log::{APPENDS_IN_FLIGHT_BYTES_MAX, AppendError, EventLog, Head, Position};
use rookery_log_sled::{Disk, OpenError, RealDisk, SledLog, SledOptions};

use crate::{
    disk::TestDisk,
    support::{append_all, command, commit, guard, open, read_all, stream, temporary},
};

#[tokio::test]
async fn nothing_is_answered_or_seen_before_the_sync() {
    let (dir, disk) = (temporary(), TestDisk::new());
    let log = SledLog::open(dir.path(), disk.options()).unwrap();
    append_all(&log, 0..3, 10).await;
    disk.hold();
    let mut answer = log.append(commit(3, 10), guard(3));
    let mut again = log.append(commit(3, 10), guard(3));
    let mut stale = log.append(commit(6, 10), guard(0));
    disk.wait_for_sync();
    for waiting in [&mut answer, &mut again, &mut stale] {
        assert!(waiting.now_or_never().is_none(), "answered before the sync");
    }
    assert_eq!(*log.tail().borrow(), Position(3));
    assert_eq!(log.tail_hash().await.unwrap().0, Position(3));
    assert_eq!(read_all(&log).await.len(), 3);
    assert_eq!(log.get(&[Position(4)]).await.unwrap(), []);
    assert_eq!(log.head(&stream(3)).await.unwrap().position, Position(1));
    assert_eq!(log.find(command(3)).await, Ok(None));
    disk.release();
    assert_eq!(answer.await.unwrap().position, Position(4));
    assert!(again.await.unwrap().repeated);
    assert!(matches!(stale.await, Err(AppendError::Conflict { .. })));
    assert_eq!(*log.tail().borrow(), Position(4));
    assert_eq!(log.find(command(3)).await, Ok(Some(Position(4))));
}

#[tokio::test]
async fn commits_that_queue_up_share_a_sync() {
    let (dir, disk) = (temporary(), TestDisk::new());
    let log = SledLog::open(dir.path(), disk.options()).unwrap();
    disk.hold();
    let first = log.append(commit(0, 10), guard(0));
    disk.wait_for_sync();
    let rest: Vec<_> =
        (1..1_025).map(|number| log.append(commit(number, 10), guard(number))).collect();
    let before = disk.syncs();
    disk.release();
    first.await.unwrap();
    assert!(join_all(rest).await.iter().all(Result::is_ok));
    // 1,024 commits of one event in groups of 512; one more if the log found time for its anchor.
    let syncs = disk.syncs() - before;
    assert!((2..=3).contains(&syncs), "{syncs} syncs");
}

#[tokio::test]
async fn large_groups_are_synced_in_between() {
    let (dir, disk) = (temporary(), TestDisk::new());
    let log = SledLog::open(dir.path(), disk.options()).unwrap();
    let before = disk.syncs();
    append_all(&log, 0..1, 1024 * 1024).await;
    let syncs = disk.syncs() - before;
    assert!((4..=6).contains(&syncs), "{syncs} syncs for a megabyte, 256 KiB at a time");
}

#[tokio::test]
async fn failed_sync_stops_writes_and_reads_go_on() {
    let (dir, disk) = (temporary(), TestDisk::new());
    // The log is not opened again within this test.
    let options = SledOptions { probe_pause: Duration::from_hours(1), ..disk.options() };
    let log = SledLog::open(dir.path(), options).unwrap();
    append_all(&log, 0..30, 10).await;
    let records = read_all(&log).await;
    disk.fail(true);
    let answers: Vec<_> =
        (30..40).map(|number| log.append(commit(number, 10), guard(number))).collect();
    for answer in join_all(answers).await {
        assert!(matches!(answer, Err(AppendError::Unavailable(_))), "{answer:?}");
    }
    let syncs = disk.syncs();
    disk.fail(false);
    let later = log.append(commit(30, 10), guard(30)).await;
    let Err(AppendError::Unavailable(reason)) = later else {
        panic!("written after a failed sync")
    };
    assert!(reason.to_string().contains("made to fail"), "{reason}");
    assert_eq!(*log.fault().borrow(), Some(reason));
    assert_eq!(disk.syncs(), syncs, "the disk was used before a pause");
    assert_eq!(read_all(&log).await, records);
    assert_eq!(*log.tail().borrow(), Position(30));
    assert_eq!(log.head(&stream(0)).await.unwrap().position, Position(28));
    assert_eq!(log.find(command(30)).await, Ok(None));
    drop(log);
    assert_eq!(disk.syncs(), syncs, "the sync was tried again");
    let log = open(dir.path());
    assert_eq!(read_all(&log).await[..30], records);
    let next = log.append(commit(30, 10), guard(30)).await.unwrap();
    assert_eq!(next.position, Position(31));
}

/// Only after a clean stop may the next start trust the memory of the system.
#[tokio::test]
async fn only_a_log_that_stops_without_a_fault_says_so() {
    let (dir, disk) = (temporary(), TestDisk::new());
    let stopped = dir.path().join("stopped");
    let options = || SledOptions { probe_pause: Duration::from_hours(1), ..disk.options() };
    let log = SledLog::open(dir.path(), options()).unwrap();
    append_all(&log, 0..3, 1).await;
    assert!(!stopped.exists(), "the log is open");
    drop(log);
    assert!(stopped.exists());

    let log = SledLog::open(dir.path(), options()).unwrap();
    assert!(!stopped.exists(), "a process that is killed from here on did not stop cleanly");
    append_all(&log, 3..4, 1).await;
    disk.fail(true);
    log.append(commit(4, 1), guard(4)).await.unwrap_err();
    disk.fail(false);
    drop(log);
    assert!(!stopped.exists(), "a sync had failed");
    drop(SledLog::open(dir.path(), options()).unwrap());
    assert!(stopped.exists());
}

#[tokio::test]
async fn sync_that_fails_while_opening_is_an_error() {
    let (dir, disk) = (temporary(), TestDisk::new());
    disk.fail(true);
    let outcome = SledLog::open(dir.path(), disk.options());
    assert!(matches!(outcome, Err(OpenError::Io { action: "sync", .. })));
}

#[tokio::test]
async fn full_disk_refuses_writes_until_there_is_room() {
    let (dir, disk) = (temporary(), TestDisk::new());
    disk.free.store(1_000, Ordering::SeqCst);
    let log = SledLog::open(dir.path(), disk.options()).unwrap();
    let refused = log.append(commit(0, 10), guard(0)).await;
    let Err(AppendError::Unavailable(reason)) = refused else { panic!("written to a full disk") };
    assert!(reason.to_string().contains("the disk is full"), "{reason}");
    assert_eq!(*log.fault().borrow(), Some(reason));
    assert_eq!(log.head(&stream(0)).await, Ok(Head::default()));
    disk.free.store(u64::MAX, Ordering::SeqCst);
    assert_eq!(log.append(commit(0, 10), guard(0)).await.unwrap().position, Position(1));
    assert_eq!(*log.fault().borrow(), None);
}

#[tokio::test]
async fn a_caller_waits_while_too_much_is_under_way_and_goes_on_after_it() {
    const BYTES: usize = 1024 * 1024;
    let (dir, disk) = (temporary(), TestDisk::new());
    let log = SledLog::open(dir.path(), disk.options()).unwrap();
    disk.hold();
    let mut answers = Vec::new();
    let mut backlog = loop {
        match log.backlog() {
            Some(backlog) => break backlog,
            None => answers
                .push(log.append(commit(answers.len() as u64, BYTES), guard(answers.len() as u64))),
        }
    };
    assert_eq!(answers.len(), APPENDS_IN_FLIGHT_BYTES_MAX.div_ceil(BYTES));
    assert!((&mut backlog).now_or_never().is_none(), "nothing was answered yet");
    disk.release();
    backlog.await;
    assert!(join_all(answers).await.iter().all(Result::is_ok));
    assert!(log.backlog().is_none());
}

#[tokio::test]
async fn refused_appends_are_not_under_way_any_more() {
    let (dir, disk) = (temporary(), TestDisk::new());
    disk.free.store(1_000, Ordering::SeqCst);
    let log = SledLog::open(dir.path(), disk.options()).unwrap();
    let answers = (0..20).map(|number| log.append(commit(number, 1024 * 1024), guard(number)));
    for answer in join_all(answers.collect::<Vec<_>>()).await {
        assert!(matches!(answer, Err(AppendError::Unavailable(_))), "{answer:?}");
    }
    assert!(log.backlog().is_none());
}

/// A disk of a fixed size that only a log fills.
struct SmallDisk {
    dir: std::path::PathBuf,
    bytes: u64,
    least_free: AtomicU64,
}

impl SmallDisk {
    fn free(&self) -> u64 {
        let used = std::fs::metadata(self.dir.join("sled/db")).map_or(0, |file| file.len());
        self.bytes.saturating_sub(used)
    }
}

impl Disk for SmallDisk {
    fn sync_data(&self, file: &File) -> io::Result<()> {
        RealDisk.sync_data(file)?;
        self.least_free.fetch_min(self.free(), Ordering::SeqCst);
        Ok(())
    }

    fn free_bytes(&self, _: &Path) -> io::Result<u64> {
        Ok(self.free())
    }
}

#[tokio::test]
async fn large_commits_never_use_up_what_is_kept_free() {
    const RESERVE: u64 = 8 * 1024 * 1024;
    let dir = temporary();
    let disk = Arc::new(SmallDisk {
        dir: dir.path().to_owned(),
        bytes: 40 * 1024 * 1024,
        least_free: AtomicU64::new(u64::MAX),
    });
    let options = SledOptions {
        disk: Arc::clone(&disk) as _,
        free_bytes_min: RESERVE,
        ..SledOptions::default()
    };
    let log = SledLog::open(dir.path(), options).unwrap();
    let mut written = 0;
    while written < 60 && log.append(commit(written, 1024 * 1024), guard(written)).await.is_ok() {
        written += 1;
    }
    assert!((10..60).contains(&written), "{written} commits of a megabyte in 40");
    let least = disk.least_free.load(Ordering::SeqCst);
    assert!(least >= RESERVE, "only {least} bytes were free");
    assert!(log.verify(|_, _| ()).is_ok());
}

#[tokio::test]
async fn a_full_disk_is_named_before_anything_is_written_and_when_others_fill_it() {
    let (dir, disk) = (temporary(), TestDisk::new());
    let room = disk.free.swap(0, Ordering::SeqCst);
    let log = SledLog::open(dir.path(), disk.options()).unwrap();
    let mut fault = log.fault();
    let becomes = async |fault: &mut tokio::sync::watch::Receiver<_>, full: bool| {
        let seen =
            fault.wait_for(|fault: &Option<rookery_log::Unavailable>| fault.is_some() == full);
        tokio::time::timeout(Duration::from_secs(30), seen).await.unwrap().unwrap();
    };
    becomes(&mut fault, true).await;
    disk.free.store(room, Ordering::SeqCst);
    becomes(&mut fault, false).await;
    append_all(&log, 0..1, 10).await;
    disk.free.store(0, Ordering::SeqCst);
    becomes(&mut fault, true).await;
}

/// A disk whose syncs panic once the log is open.
#[derive(Default)]
struct PanickingDisk(AtomicBool);

impl Disk for PanickingDisk {
    fn sync_data(&self, file: &File) -> io::Result<()> {
        assert!(!self.0.load(Ordering::SeqCst), "panics on purpose");
        RealDisk.sync_data(file)
    }

    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        RealDisk.free_bytes(dir)
    }
}

#[tokio::test]
async fn a_writer_that_panics_is_reported_by_name_and_fails_its_appends() {
    let (dir, disk) = (temporary(), Arc::new(PanickingDisk::default()));
    let (tell, told) = std::sync::mpsc::channel();
    let options = SledOptions {
        disk: Arc::clone(&disk) as _,
        on_panic: Arc::new(move |thread| tell.send(thread).unwrap()),
        ..SledOptions::default()
    };
    let log = SledLog::open(dir.path(), options).unwrap();
    disk.0.store(true, Ordering::SeqCst);
    let failed = log.append(commit(0, 10), guard(0)).await;
    assert!(matches!(failed, Err(AppendError::Unavailable(_))), "{failed:?}");
    assert_eq!(told.recv_timeout(Duration::from_secs(10)), Ok("rookery-log"));
    assert!(log.fault().borrow().is_some());
}
