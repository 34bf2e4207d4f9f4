//! Compares the indexes with a plain sorted set.

use std::fs;

use proptest::{collection::vec, prelude::*};
use rookery_log::{Commit, Epoch, Hash, LoggedEvent, Millis, Revision, StreamKind};
use tempfile::TempDir;

use super::*;

const STREAMS: u64 = 40;

fn stream(number: u64) -> StreamId {
    StreamId::new(StreamKind::Room, &format!("!{number}"))
}

fn command(number: u64) -> CommandId {
    CommandId::derive(&[&number.to_le_bytes()])
}

/// The record at `place`: every third one without a command.
fn record(place: u64) -> Record {
    let event = LoggedEvent {
        id: String::new(),
        envelope: b"".as_slice().into(),
        content: b"".as_slice().into(),
    };
    let commit = Commit {
        stream: stream(place * 7 % STREAMS),
        command: (!place.is_multiple_of(3)).then(|| command(place)),
        received: Millis(0),
        events: vec![event],
    };
    let (revision, hash) = (Revision(place / STREAMS + 1), hash(place));
    Record { epoch: Epoch(1), position: Position(place), revision, previous: hash, hash, commit }
}

fn hash(place: u64) -> Hash {
    Hash(*blake3::hash(&place.to_le_bytes()).as_bytes())
}

/// Opens the index of a log that ends at `last`.
fn open(dir: &TempDir, last: u64) -> Index {
    let hash_at = |Position(place)| (place <= last).then(|| hash(place));
    Index::open(dir.path(), hash_at, Arc::new(|_| {})).unwrap()
}

fn add(index: &Index, places: RangeInclusive<u64>) {
    let records: Vec<_> = places.map(record).collect();
    index.add(&records);
}

/// An index of `runs` runs with `each` commits, and `each` more in memory.
fn given(dir: &TempDir, runs: u64, each: u64) -> Index {
    for run in 0..runs {
        add(&open(dir, u64::MAX), run * each + 1..=(run + 1) * each);
    }
    let index = open(dir, u64::MAX);
    assert_eq!(index.last(), Position(runs * each));
    add(&index, runs * each + 1..=(runs + 1) * each);
    index
}

fn files(dir: &TempDir) -> usize {
    fs::read_dir(dir.path()).unwrap().count()
}

fn check(index: &Index, last: u64) {
    for number in 0..STREAMS {
        let subject = Subject::stream(&stream(number));
        let expected: Vec<_> =
            (1..=last).filter(|place| place * 7 % STREAMS == number).map(Position).collect();
        let all = Position(0)..=Position(last);
        assert_eq!(index.positions(subject, all, usize::MAX).unwrap(), expected);
        for at in [0, 1, last / 2, last - 1, last, last + 9] {
            let before = expected.iter().rfind(|position| position.0 <= at).copied();
            assert_eq!(index.last_of(subject, Position(at)).unwrap(), before);
            let after = expected.iter().filter(|position| position.0 > at).take(3).copied();
            let range = Position(at + 1)..=Position(last);
            assert_eq!(index.positions(subject, range, 3).unwrap(), after.collect::<Vec<_>>());
        }
    }
    for place in 1..=last + 5 {
        let found = index.last_of(Subject::command(command(place)), Position(u64::MAX)).unwrap();
        let there = place <= last && place % 3 != 0;
        assert_eq!(found, there.then_some(Position(place)));
    }
    let (mut streams, mut commands) = (0, 0);
    index.walk(|stream, _| if stream { streams += 1 } else { commands += 1 }).unwrap();
    assert_eq!((streams, commands), (last, last - last / 3));
}

#[test]
fn runs_and_memory_answer_as_one() {
    let dir = tempfile::tempdir().unwrap();
    check(&given(&dir, 5, 300), 1_800);
    assert_eq!(files(&dir), 6, "closing writes the entries in memory to a run");
    check(&open(&dir, 1_800), 1_800);
}

#[test]
fn small_runs_are_merged() {
    let dir = tempfile::tempdir().unwrap();
    let index = given(&dir, 9, 100);
    let last = TABLE_MAX as u64;
    add(&index, 1_001..=last);
    drop(index);
    assert_eq!(files(&dir), 1);
    check(&open(&dir, last), last);
}

#[test]
fn what_is_of_no_use_is_removed_and_to_be_derived_again() {
    let dir = tempfile::tempdir().unwrap();
    drop(given(&dir, 4, 100));
    let name = |from: u64, to: u64| dir.path().join(format!("{from:020}-{to:020}.run"));
    fs::write(dir.path().join("half.new"), b"half a run").unwrap();
    // Merged, but the sources were not removed yet.
    fs::copy(name(0, 100), name(0, 50)).unwrap();
    let index = open(&dir, 450);
    assert_eq!(index.last(), Position(400), "a run beyond the end of the log");
    check(&index, 400);
    drop(index);
    assert_eq!(files(&dir), 4);
    let mut bytes = fs::read(name(200, 300)).unwrap();
    let place = bytes.len() - 60;
    bytes[place] ^= 1;
    fs::write(name(200, 300), bytes).unwrap();
    let index = open(&dir, 400);
    assert_eq!(index.last(), Position(200));
    assert_eq!(files(&dir), 2);
    add(&index, 201..=400);
    check(&index, 400);
}

#[test]
fn runs_of_another_log_are_removed() {
    let dir = tempfile::tempdir().unwrap();
    drop(given(&dir, 2, 100));
    let other = |Position(place)| Some(if place <= 100 { hash(place) } else { hash(place + 1) });
    assert_eq!(Index::open(dir.path(), other, Arc::new(|_| {})).unwrap().last(), Position(100));
    assert_eq!(files(&dir), 1);
}

#[test]
fn runs_beyond_a_cut_are_removed() {
    let dir = tempfile::tempdir().unwrap();
    drop(given(&dir, 3, 100));
    let index = open(&dir, 400);
    index.cut(Position(250));
    assert_eq!(index.last(), Position(200));
    add(&index, 201..=250);
    check(&index, 250);
    drop(index);
    check(&open(&dir, 250), 250);
}

#[test]
fn changed_entry_is_named() {
    let dir = tempfile::tempdir().unwrap();
    drop(given(&dir, 0, 100));
    let path = fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&path).unwrap();
    bytes[20] ^= 1;
    fs::write(&path, bytes).unwrap();
    let index = open(&dir, 100);
    let error = index.walk(|_, _| ()).unwrap_err();
    assert!(error.text().contains("is derived again from the log"), "{}", error.text());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn any_cut_or_changed_run_is_loaded_or_removed(place: prop::sample::Index, bits in vec(any::<u8>(), 1..4)) {
        let dir = tempfile::tempdir().unwrap();
        drop(given(&dir, 0, 50));
        let path = fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap().path();
        let bytes = fs::read(&path).unwrap();
        let place = place.index(bytes.len());
        let mut changed = bytes.clone();
        changed.truncate(place);
        changed.extend(bits);
        fs::write(&path, changed).unwrap();
        let index = open(&dir, 50);
        prop_assert_eq!(index.last(), Position(0));
        add(&index, 1..=50);
        check(&index, 50);
    }
}
