//! Erased content, and the files that must not hold it.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::Stdio,
};

use rookery_log::{Commit, ErasableLog, EventLog, Guard, LoggedEvent, Millis, Position, Record};
use rookery_log_sled::{SledLog, SledOptions, compact, erased_since};

use crate::support::{
    append_all, child, child_dir, commit, copy, guard, open, read_all, stream, temporary,
};

const SECRET: &str = "the owl flies at midnight";

/// How many of the files below `folder` hold the bytes of `text`.
fn files_with(folder: &Path, text: &str) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let found = |path: std::path::PathBuf| {
        if path.is_dir() {
            return files_with(&path, text);
        }
        let bytes = fs::read(path).unwrap();
        usize::from(bytes.windows(text.len()).any(|window| window == text.as_bytes()))
    };
    entries.map(found).sum()
}

fn secret_commit(number: u64, filler: usize) -> Commit {
    let event = |id: &str, content: String| LoggedEvent {
        id: format!("${id}{number}"),
        envelope: b"envelope".as_slice().into(),
        content: content.into(),
    };
    let events = vec![event("secret", SECRET.into()), event("filler", "x".repeat(filler))];
    Commit { stream: stream(number), command: None, received: Millis(number), events }
}

/// A log in which secrets were sent among other events, and erased again.
async fn erased_secrets(dir: &Path) -> SledLog {
    let log = open(dir);
    append_all(&log, 0..30, 3_000).await;
    for (number, filler) in [(30, 10), (31, 40_000), (32, 6_000)] {
        let commit = secret_commit(number, filler);
        log.append(commit, guard(number)).await.unwrap();
    }
    for position in [31, 32, 33] {
        log.erase(Position(position), 0, b"{}".as_slice().into()).await.unwrap();
    }
    log
}

fn all_of(records: &[std::sync::Arc<Record>]) -> Vec<Record> {
    records.iter().map(|record| (**record).clone()).collect()
}

#[tokio::test]
async fn erased_content_is_in_no_file_after_compacting() {
    let dir = temporary();
    let log = erased_secrets(dir.path()).await;
    let (epoch, hash, before) = (log.epoch(), log.tail_hash().await, all_of(&read_all(&log).await));
    assert!(before.iter().all(|record| {
        record.commit.events.iter().all(|event| event.content != SECRET.as_bytes())
    }));
    drop(log);
    assert!(files_with(dir.path(), SECRET) > 0, "the search finds what is there");
    assert!(erased_since(dir.path()).unwrap().is_some());

    let mut reports = Vec::new();
    let done = compact(dir.path(), &SledOptions::default(), |at, of| reports.push((at, of)));
    assert_eq!(done.unwrap().commits, 33);
    assert_eq!(reports, [(Position(33), Position(33))]);
    assert_eq!(files_with(dir.path(), SECRET), 0);
    assert_eq!(erased_since(dir.path()).unwrap(), None);

    let log = open(dir.path());
    assert_eq!((log.epoch(), log.tail_hash().await), (epoch, hash));
    assert_eq!(all_of(&read_all(&log).await), before);
    log.verify(|_, _| ()).unwrap();
    let next = log.append(commit(33, 10), Guard::after("$filler30")).await.unwrap();
    assert_eq!(next.position, Position(34));
}

#[tokio::test]
async fn an_empty_log_and_one_without_erasures_are_compacted_too() {
    let dir = temporary();
    for commits in [0, 20] {
        let log = open(dir.path());
        append_all(&log, 0..commits, 9_000).await;
        let before = all_of(&read_all(&log).await);
        drop(log);
        let done = compact(dir.path(), &SledOptions::default(), |_, _| ()).unwrap();
        assert_eq!(done.commits, commits);
        assert_eq!(all_of(&read_all(&open(dir.path())).await), before);
    }
}

#[tokio::test]
async fn a_log_that_is_open_is_not_compacted() {
    let dir = temporary();
    let _log = open(dir.path());
    let refused = compact(dir.path(), &SledOptions::default(), |_, _| ()).unwrap_err();
    assert!(refused.to_string().contains("is in use"), "{refused}");
}

/// The states that a crash between any two steps of the swap leaves.
#[tokio::test]
async fn a_swap_that_was_broken_off_is_ended_at_the_next_start() {
    let dir = temporary();
    let log = erased_secrets(dir.path()).await;
    let before = all_of(&read_all(&log).await);
    drop(log);
    let compacted = copy(dir.path());
    compact(compacted.path(), &SledOptions::default(), |_, _| ()).unwrap();
    let rename = |dir: &Path, from: &str, to: &str| {
        fs::rename(dir.join(from), dir.join(to)).unwrap();
    };
    for step in 0..4 {
        let state = copy(dir.path());
        let state = state.path();
        // The new engine, complete.
        let whole = copy(compacted.path());
        rename(whole.path(), "sled", "sled.new");
        fs::rename(whole.path().join("sled.new"), state.join("sled.new")).unwrap();
        match step {
            // Only a torn file of the new engine.
            0 => fs::write(state.join("sled.new").join("db"), b"torn").unwrap(),
            1 => {}
            2 => rename(state, "sled", "sled.old"),
            _ => {
                rename(state, "sled", "sled.old");
                rename(state, "sled.new", "sled");
            }
        }
        let log = open(state);
        assert_eq!(all_of(&read_all(&log).await), before, "step {step}");
        log.verify(|_, _| ()).unwrap();
        drop(log);
        assert!(!state.join("sled.new").exists() && !state.join("sled.old").exists());
        assert_eq!(files_with(state, SECRET) > 0, step < 2, "step {step}");
        assert!(erased_since(state).unwrap().is_some(), "it is not known to be finished");
    }
}

/// Compacts repeatedly, and prints its progress.
#[test]
fn compacting_child() {
    let Some(dir) = child_dir() else { return };
    for round in 0.. {
        println!("\nround {round}");
        compact(&dir, &SledOptions::default(), |at, _| println!("\ncopied {at}")).unwrap();
        println!("\nswapped {round}");
    }
}

#[tokio::test]
async fn compaction_that_is_killed_loses_nothing() {
    let dir = temporary();
    let log = open(dir.path());
    append_all(&log, 0..400, 600).await;
    let before = all_of(&read_all(&log).await);
    drop(log);
    for lines in 1..7 {
        let mut command = child("compacting::compacting_child", dir.path(), &[]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let told = output.filter(|line| {
            line.starts_with("round") || line.starts_with("copied") || line.starts_with("swapped")
        });
        let last = told.take(lines).last();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(last.is_some(), "the child said nothing");
        let log = open(dir.path());
        assert_eq!(all_of(&read_all(&log).await), before, "killed after {last:?}");
        log.verify(|_, _| ()).unwrap();
    }
}

/// Erases the parent's commits, and prints each answered position.
#[tokio::test]
async fn erasing_child() {
    let Some(dir) = child_dir() else { return };
    let log = open(&dir);
    let tail = log.tail().borrow().0;
    for position in 1..=tail {
        log.erase(Position(position), 0, b"{}".as_slice().into()).await.unwrap();
        println!("\nerased {position}");
    }
    // It is killed, or it has nothing left to do.
    println!("\nerased all");
}

#[tokio::test]
async fn killed_while_erasing_every_record_is_whole_with_its_content_or_without() {
    let dir = temporary();
    let log = open(dir.path());
    for number in 0..60 {
        let filler = if number % 3 == 0 { 30_000 } else { 100 };
        log.append(secret_commit(number, filler), guard_of_two(number)).await.unwrap();
    }
    let before = all_of(&read_all(&log).await);
    drop(log);
    for count in [1, 7, 19, 40, 61] {
        let mut command = child("compacting::erasing_child", dir.path(), &[]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let told = output.filter_map(|line| line.strip_prefix("erased ").map(ToOwned::to_owned));
        let told: Vec<_> = told.take(count).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        let answered = told.iter().filter_map(|line| line.parse().ok()).max().unwrap_or(0_u64);
        let log = open(dir.path());
        for (record, before) in read_all(&log).await.iter().zip(&before) {
            let erased = before.erased(0, b"{}".as_slice().into()).unwrap();
            let whole = **record == erased || (record.position.0 > answered && **record == *before);
            assert!(whole, "{} is neither, after {answered}", record.position);
        }
        log.verify(|_, _| ()).unwrap();
    }
    assert!(
        read_all(&open(dir.path()))
            .await
            .iter()
            .all(|record| { record.commit.events[0].content == b"{}".as_slice() }),
        "the last child ended"
    );
    compact(dir.path(), &SledOptions::default(), |_, _| ()).unwrap();
    assert_eq!(files_with(dir.path(), SECRET), 0);
    assert_eq!(read_all(&open(dir.path())).await.len(), 60);
}

/// The guard of a [`secret_commit`], where there are no others.
fn guard_of_two(number: u64) -> Guard {
    let last = number.checked_sub(3);
    last.map_or(Guard::EMPTY, |last| Guard::after(&format!("$filler{last}")))
}
