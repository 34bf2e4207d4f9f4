//! Bytes that are cut off or changed. The engine may panic in threads of its own and is unusable in
//! that process afterwards, so each batch runs in a child.

use std::{fs, path::Path, time::Duration};

use rookery_log::{EventLog, PAGE_MAX, Position, ReadError, Scope};
use rookery_log_sled::{OpenError, SledLog, SledOptions};

use crate::support::{
    append_all, child, child_dir, commit, contents, copy, db, finish, forget_reach, open, temporary,
};

const COMMITS: u64 = 240;
const CUTS: u64 = 128;
const FLIPS: usize = 40;

fn bytes_of(number: u64) -> usize {
    if number % 40 == 39 { 20_000 } else { 2_000 }
}

/// A log with [`COMMITS`] commits as a kill would leave it: all acknowledged, not closed.
async fn given(dir: &Path) {
    let source = temporary();
    let mut log = open(source.path());
    for number in 0..COMMITS {
        append_all(&log, number..number + 1, bytes_of(number)).await;
        if number == COMMITS / 4 {
            // Opening makes the engine write a snapshot.
            drop(log);
            log = open(source.path());
        }
    }
    let crashed = copy(source.path());
    fs::rename(crashed.keep(), dir).unwrap();
}

/// The state of a damaged log; panics if it is silently wrong.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Whole,
    Prefix,
    Refused,
    Named,
}

async fn fate(dir: &Path) -> Fate {
    let before = contents(dir);
    let log = match SledLog::open(dir, SledOptions::default()) {
        Ok(log) => log,
        Err(error @ (OpenError::Missing { .. } | OpenError::Damaged { .. })) => {
            let text = error.to_string();
            assert!(text.contains(dir.to_str().unwrap()), "{text}");
            println!("\n{}", text.replace(dir.to_str().unwrap(), ""));
            let after = contents(dir);
            let changed: Vec<_> = before.keys().chain(after.keys()).collect();
            let changed = changed.into_iter().find(|path| before.get(*path) != after.get(*path));
            assert_eq!(changed, None, "a refusal changed a file");
            return Fate::Refused;
        }
        Err(error) => panic!("not named as damage: {error}"),
    };
    let tail = log.tail().borrow().0;
    let mut named = log.verify(|_, _| ()).is_err();
    for after in (0..tail).step_by(16) {
        match log.read(&Scope::All, Position(after), 16.min(PAGE_MAX)).await {
            Ok(page) => {
                assert_eq!(page.len() as u64, 16.min(tail - after));
                for (number, record) in (after..).zip(page) {
                    assert!(record.commit == commit(number, bytes_of(number)), "{number} is wrong");
                }
            }
            Err(ReadError::Damaged { .. }) => named = true,
            Err(error) => panic!("not named as damage: {error}"),
        }
    }
    match (named, tail) {
        (true, _) => Fate::Named,
        (false, COMMITS) => Fate::Whole,
        (false, _) => Fate::Prefix,
    }
}

/// Cuts the last 64 KiB at many places, with and without the files that hold the known end of the
/// log.
#[tokio::test]
async fn cutting_child() {
    let Some(dir) = child_dir() else { return };
    let length = fs::metadata(db(&dir)).unwrap().len();
    let mut whole = 0;
    for cut in 0..CUTS {
        // Places of all kinds, at no regular distance.
        let off = 1 + cut * (64 * 1024) / CUTS + cut % 7;
        let torn = copy(&dir);
        let file = fs::OpenOptions::new().write(true).open(db(torn.path())).unwrap();
        file.set_len(length.saturating_sub(off)).unwrap();
        drop(file);
        if cut % 2 == 0 {
            let fate = fate(torn.path()).await;
            assert_ne!(fate, Fate::Prefix, "{off} bytes cut: acknowledged commits are gone");
            whole += u64::from(fate == Fate::Whole);
        } else {
            forget_reach(torn.path());
            fate(torn.path()).await;
        }
    }
    println!("\nwhole {whole}");
}

/// Flips a bit at many places of one file.
#[tokio::test]
async fn flipping_child() {
    let Some(dir) = child_dir() else { return };
    let name = fs::read_to_string(dir.join("which")).unwrap();
    let (name, batch) = name.split_once(' ').unwrap();
    let batch: usize = batch.parse().unwrap();
    let path = dir.join("data").join(name);
    let length = fs::metadata(&path).unwrap().len();
    for flip in 0..FLIPS {
        let place = (length / FLIPS as u64 * flip as u64 + batch as u64 * 1_237) % length;
        let hurt = copy(&dir.join("data"));
        let mut bytes = fs::read(hurt.path().join(name)).unwrap();
        bytes[usize::try_from(place).unwrap()] ^= 1 << (flip % 8);
        fs::write(hurt.path().join(name), bytes).unwrap();
        let fate = fate(hurt.path()).await;
        println!("\n{name} byte {place}: {fate:?}");
        assert_ne!(fate, Fate::Prefix, "acknowledged commits are gone");
    }
    let unhurt = copy(&dir.join("data"));
    assert_eq!(fate(unhurt.path()).await, Fate::Whole, "the engine does not work any more");
}

#[tokio::test]
async fn torn_tail_gives_a_clean_prefix_or_a_refusal() {
    let dir = temporary();
    let data = dir.path().join("data");
    given(&data).await;
    let printed = finish(child("damage::cutting_child", &data, &[]), Duration::from_mins(1));
    println!("{printed}");
    assert!(printed.contains("whole 0\n"), "nothing was missed: {printed}");
}

#[tokio::test]
async fn flipped_bit_is_named_or_does_no_harm() {
    let dir = temporary();
    given(&dir.path().join("data")).await;
    let snapshot = fs::read_dir(dir.path().join("data/sled")).unwrap();
    let mut snapshot = snapshot.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let snapshot = snapshot.find(|name| name.starts_with("snap.")).unwrap();
    let files = ["sled/db 0", "sled/db 1", "sled/db 2", "head 0", "sled/conf 0"].map(str::to_owned);
    for which in files.into_iter().chain([format!("sled/{snapshot} 0")]) {
        fs::write(dir.path().join("which"), &which).unwrap();
        let limit = Duration::from_mins(1);
        let printed = finish(child("damage::flipping_child", dir.path(), &[]), limit);
        println!("{printed}");
        let harmed = printed.matches("Refused").count() + printed.matches("Named").count();
        let derived = !which.starts_with("sled/db");
        assert_eq!(harmed == 0, derived, "{harmed} flips in {which} did harm");
    }
}
