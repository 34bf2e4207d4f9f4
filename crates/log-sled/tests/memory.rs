//! The memory of the log while it is written and read. Other tests must not run in this process.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use rookery_log::{
    Commit, EventLog, Guard, LoggedEvent, Millis, Position, Scope, StreamId, StreamKind,
};
use rookery_log_sled::{SledLog, SledOptions};

const COMMITS: u64 = 16_000;
const CONTENT_BYTES: usize = 4_000;

fn anonymous_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

fn commit(number: u64) -> Commit {
    Commit {
        stream: StreamId::new(StreamKind::Room, "!room"),
        command: None,
        received: Millis(number),
        events: vec![LoggedEvent {
            id: format!("$event{number}"),
            envelope: b"envelope".as_slice().into(),
            content: vec![b'x'; CONTENT_BYTES].into(),
        }],
    }
}

fn guard(number: u64) -> Guard {
    let last = number.checked_sub(1);
    last.map_or(Guard::EMPTY, |last| Guard::after(&format!("$event{last}")))
}

async fn write(log: &SledLog) {
    for numbers in (0..COMMITS).collect::<Vec<_>>().chunks(64) {
        let answers: Vec<_> =
            numbers.iter().map(|number| log.append(commit(*number), guard(*number))).collect();
        for answer in answers {
            answer.await.unwrap();
        }
    }
}

async fn scan(log: &SledLog) {
    let mut after = Position::ORIGIN;
    while after < Position(COMMITS) {
        after = log.read(&Scope::All, after, 64).await.unwrap().last().unwrap().position;
    }
}

/// Reads one record of each page and then the next one of each, as scrolling in many rooms does.
async fn read_one_by_one(log: &SledLog) {
    for first in 1..=8 {
        for position in (first..=COMMITS).step_by(8) {
            assert_eq!(log.get(&[Position(position)]).await.unwrap().len(), 1);
        }
    }
}

#[tokio::test]
async fn a_log_that_is_written_and_read_stays_out_of_memory() {
    let folder = tempfile::tempdir().unwrap();
    let options = SledOptions { cache_bytes: 1 << 20, recent_bytes: 1 << 10, ..Default::default() };
    let log = SledLog::open(folder.path(), options).unwrap();
    let empty = anonymous_bytes();
    let grown = || anonymous_bytes().saturating_sub(empty) >> 20;
    write(&log).await;
    let mut after = vec![("writing", grown())];
    scan(&log).await;
    after.push(("a scan", grown()));
    read_one_by_one(&log).await;
    after.push(("reading one by one", grown()));
    let all = (COMMITS * CONTENT_BYTES as u64) >> 20;
    assert!(after.iter().all(|(_, mib)| 2 * mib < all), "of {all} MiB in memory: {after:?} MiB");
}
