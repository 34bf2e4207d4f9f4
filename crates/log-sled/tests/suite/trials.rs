//! Random damage in every file of a log that was stopped, killed or never stopped.
//!
//! After damage to one file, the log opens with the written data, or it is refused and every file
//! is unchanged, or the damaged record is named when it is read. Salvage saves only written data.
//!
//! The engine may panic in threads of its own, so trials run in children, a batch in each.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use rookery_log::{Commit, Epoch, ErasableLog, EventLog, Position, ReadError, Rounds, Scope};
use rookery_log_sled::{OpenError, Salvage, Saved, SledLog, SledOptions, examine};

use crate::support::{
    append_all, child, child_dir, commit, contents, copy, finish, open, temporary,
};

/// Trials of a batch, and batches of a plain run.
const TRIALS: u64 = 42;
const BATCHES: u64 = 10;

const COMMITS: u64 = 120;

/// Every seventh commit has had its content erased.
const ERASED: u64 = 7;

fn bytes_of(number: u64) -> usize {
    match number % 40 {
        39 => 20_000,
        11 => 3_000,
        _ => 300,
    }
}

/// Makes three logs below `dir`: one that was stopped, one that was killed after a restart, and one
/// that was killed in its first run.
async fn given(dir: &Path) {
    let source = temporary();
    let mut log = open(source.path());
    let mut made = 0;
    for (name, upto) in [("never", 40), ("killed", 80), ("stopped", COMMITS)] {
        for number in made..upto {
            append_all(&log, number..number + 1, bytes_of(number)).await;
        }
        made = upto;
        for number in (0..upto).filter(|number| number % ERASED == 0) {
            log.erase(Position(number + 1), 0, Bytes::new()).await.unwrap();
        }
        if name == "stopped" {
            drop(log);
            fs::rename(copy(source.path()).keep(), dir.join(name)).unwrap();
            return;
        }
        fs::rename(copy(source.path()).keep(), dir.join(name)).unwrap();
        drop(log);
        log = open(source.path());
    }
}

/// Pseudorandom numbers (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit.max(1)
    }
}

/// Damages one file of the log in `dir`. Returns a description.
fn damage(dir: &Path, random: &mut Random) -> String {
    let files: Vec<PathBuf> =
        contents(dir).into_iter().filter(|(_, bytes)| !bytes.is_empty()).map(|it| it.0).collect();
    let db = dir.join("sled/db");
    let any = usize::try_from(random.below(files.len() as u64)).unwrap();
    let path = if random.below(2) == 0 { &db } else { &files[any] };
    let mut bytes = fs::read(path).unwrap();
    // Most zero bytes were never written.
    let written = bytes.iter().rposition(|byte| *byte != 0).map_or(1, |last| last as u64 + 1);
    let at = usize::try_from(random.below(written)).unwrap();
    let what = match random.below(16) {
        0..10 => {
            bytes[at] ^= 1 << random.below(8);
            "bit flipped"
        }
        10..13 => {
            let from = at / 512 * 512;
            let to = bytes.len().min(from + 512);
            bytes[from..to].fill(0);
            "sector zeroed"
        }
        13..15 => {
            bytes.truncate(at);
            "cut"
        }
        _ => {
            fs::remove_file(path).unwrap();
            return format!("{} deleted", path.display());
        }
    };
    fs::write(path, bytes).unwrap();
    format!("{} {what} at byte {at}", path.display())
}

/// Whether `found` is the commit that was written as `number`. If its content was erased, it may be
/// present only if `may_be_back` is set.
fn is_right(found: &Commit, number: u64, may_be_back: bool) -> bool {
    if may_be_back && *found == commit(number, bytes_of(number)) {
        return true;
    }
    let mut expected = commit(number, bytes_of(number));
    if number.is_multiple_of(ERASED) {
        expected.events[0].content = Bytes::new();
    }
    *found == expected
}

fn same(before: &BTreeMap<PathBuf, Vec<u8>>, dir: &Path, who: &str) {
    let after = contents(dir);
    let files: Vec<_> = before.keys().chain(after.keys()).collect();
    let changed = files.into_iter().find(|path| before.get(*path) != after.get(*path));
    assert_eq!(changed, None, "{who} changed a file");
}

/// Opens the log and reads it. Returns the outcome.
async fn open_and_read(dir: &Path, commits: u64, may_be_short: bool) -> &'static str {
    let before = contents(dir);
    let prepared = match SledLog::prepare(dir, SledOptions::default()) {
        Ok(prepared) => prepared,
        Err(OpenError::Missing { .. } | OpenError::Damaged { .. }) => {
            same(&before, dir, "a refusal");
            return "refused";
        }
        Err(error) => panic!("not named as damage: {error}"),
    };
    let in_doubt = prepared.erasures_in_doubt();
    let log = prepared.open().unwrap();
    let tail = log.tail().borrow().0;
    assert!(tail == commits || may_be_short, "acknowledged commits are gone: {tail} of {commits}");
    let mut named = log.verify(|_, _| ()).is_err();
    for after in 0..tail {
        match log.read(&Scope::All, Position(after), 1).await {
            Ok(page) => {
                let right = is_right(&page[0].commit, after, in_doubt);
                assert!(right, "position {} is wrong", after + 1);
            }
            Err(ReadError::Damaged { .. }) => named = true,
            Err(error) => panic!("not named as damage: {error}"),
        }
    }
    if named { "named" } else { "whole" }
}

/// Saves the intact records, which have to be those that were written, in order.
fn salvage(dir: &Path) {
    let before = contents(dir);
    let mut last = None;
    if let Ok(salvage) = Salvage::survey(dir, |_, _| ()) {
        for saved in salvage.saving(Epoch(1), Box::new(|_, _| ())) {
            let (Saved::Chained(record) | Saved::Orphan(record)) = saved.unwrap();
            let number = record.commit.received.0;
            assert!(last < Some(number), "{number} comes after {last:?}");
            last = Some(number);
            // An erasure is lost with its record; the next start repeats it.
            assert!(is_right(&record.commit, number, true), "{number} is not what was written");
        }
    }
    same(&before, dir, "salvage");
}

async fn trial(dir: &Path, seed: u64) -> &'static str {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let (name, commits) = [("never", 40), ("killed", 80), ("stopped", COMMITS)]
        [usize::try_from(random.below(3)).unwrap()];
    let hurt = copy(&dir.join(name));
    let what = damage(hurt.path(), &mut random);
    println!("\ntrial {seed}: {name}, {what}");
    let before = contents(hurt.path());
    let examined = examine(hurt.path(), |_| ());
    same(&before, hurt.path(), "reading everything");
    salvage(hurt.path());
    // A log without other files of its known end loses that knowledge when this file is deleted.
    let untold = !hurt.path().join("head").exists() && !hurt.path().join("anchor").exists();
    let outcome = open_and_read(hurt.path(), commits, untold).await;
    assert_eq!(outcome == "whole", examined.is_ok(), "{outcome}, but reading it said {examined:?}");
    outcome
}

#[tokio::test]
async fn trials_child() {
    let Some(dir) = child_dir() else { return };
    let first: u64 = fs::read_to_string(dir.join("seed")).unwrap().parse().unwrap();
    println!("\nbatch {first}");
    for seed in 0..TRIALS {
        let outcome = trial(&dir, first.wrapping_add(seed)).await;
        println!("\noutcome {outcome}");
    }
}

#[tokio::test]
async fn damaged_log_says_what_was_written_or_names_the_damage_and_a_refusal_changes_nothing() {
    let dir = temporary();
    given(dir.path()).await;
    let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in Rounds::of(BATCHES, 0xda_4a_9e) {
        fs::write(dir.path().join("seed"), seed.to_string()).unwrap();
        let printed =
            finish(child("trials::trials_child", dir.path(), &[]), Duration::from_mins(2));
        for outcome in ["refused", "named", "whole"] {
            let count = printed.matches(&format!("outcome {outcome}")).count();
            *outcomes.entry(outcome).or_default() += count;
        }
    }
    println!("{outcomes:?}");
    // A control: the trials do damage, but not always.
    assert!(outcomes["refused"] > 0 && outcomes["whole"] > 0, "{outcomes:?}");
}
