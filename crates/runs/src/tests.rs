//! Compares runs with a sorted set.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::{collections::BTreeSet, fs};

use proptest::{collection::btree_set, prelude::*};
use tempfile::TempDir;

use super::*;

const FULL: Shape = Shape { fence: 12, filtered: 8 };
const SHORT: Shape = Shape { fence: 2, filtered: 0 };

type Entry = [u8; 12];

/// An entry with one of 40 keys, so that many blocks begin with the same key.
fn entry(number: u32) -> Entry {
    let mut entry = [0; 12];
    entry[..8].copy_from_slice(&u64::from(number % 40).to_le_bytes());
    entry[8..].copy_from_slice(&number.to_be_bytes());
    entry
}

fn stored(dir: &TempDir, name: &str, shape: Shape, entries: &BTreeSet<Entry>) -> Run<12> {
    let path = dir.path().join(name);
    let contents = Contents { shape, count: entries.len() as u64, note: b"note" };
    write(&path, contents, entries.iter().copied().map(Ok::<_, RunError>)).unwrap();
    Run::open(&path).unwrap()
}

fn entries() -> impl Strategy<Value = BTreeSet<Entry>> {
    btree_set((0..6_000_u32).prop_map(entry), 0..2_000)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_run_answers_like_a_sorted_set(
        entries in entries(),
        bounds in (0..6_000_u32, 0..6_000_u32),
        shape in prop_oneof![Just(FULL), Just(SHORT)],
    ) {
        let dir = TempDir::new().unwrap();
        let run = stored(&dir, "run", shape, &entries);
        let (one, two) = (entry(bounds.0), entry(bounds.1));
        let range = one.min(two)..=one.max(two);
        let read: Vec<_> = run.range(range.clone()).map(Result::unwrap).collect();
        let expected: Vec<_> = entries.range(range.clone()).copied().collect();
        prop_assert_eq!(&read, &expected);
        prop_assert_eq!(run.last(&range).unwrap(), expected.last().copied());
        prop_assert!(run.iter().map(Result::unwrap).eq(entries.iter().copied()));
        prop_assert!(entries.iter().all(|entry| run.may_have(&entry[..8])));
        prop_assert_eq!((run.count(), run.note()), (entries.len() as u64, &b"note"[..]));
    }

    #[test]
    fn merged_runs_have_each_key_once_from_the_first_source(all in proptest::collection::vec(entries(), 1..5)) {
        let dir = TempDir::new().unwrap();
        let runs: Vec<_> = all
            .iter()
            .enumerate()
            .map(|(number, entries)| stored(&dir, &number.to_string(), FULL, entries))
            .collect();
        let merged: Vec<_> =
            merge(runs.iter().map(Run::iter).collect(), 8).map(Result::unwrap).collect();
        let keys: BTreeSet<_> = all.iter().flatten().map(|entry| &entry[..8]).collect();
        prop_assert!(merged.iter().map(|entry| &entry[..8]).eq(keys));
        for entry in merged {
            let source = all.iter().find(|source| source.iter().any(|it| it[..8] == entry[..8]));
            let first = source.unwrap().iter().find(|it| it[..8] == entry[..8]);
            prop_assert_eq!(first, Some(&entry));
        }
    }

    #[test]
    fn a_changed_byte_or_a_cut_is_named_or_changes_nothing(
        entries in btree_set((0..6_000_u32).prop_map(entry), 500..900),
        place in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        let dir = TempDir::new().unwrap();
        let path = stored(&dir, "run", FULL, &entries).path().to_owned();
        let mut bytes = fs::read(&path).unwrap();
        let place = place.index(bytes.len());
        if cut {
            bytes.truncate(place);
        } else {
            bytes[place] ^= 0x10;
        }
        fs::write(&path, bytes).unwrap();
        let Ok(run) = Run::<12>::open(&path) else { return Ok(()) };
        let read: Result<BTreeSet<_>, _> = run.iter().collect();
        let is_named = matches!(read, Err(RunError::Damaged { block: Some(_), .. }));
        prop_assert!(is_named, "{read:?}");
        prop_assert!(run.is_damaged());
    }
}

#[test]
fn a_file_of_entries_of_another_length_is_refused() {
    let dir = TempDir::new().unwrap();
    let run = stored(&dir, "run", FULL, &BTreeSet::from([entry(1)]));
    assert!(matches!(Run::<13>::open(run.path()), Err(RunError::Damaged { block: None, .. })));
}

#[test]
fn the_filter_passes_few_keys_that_are_not_there() {
    let dir = TempDir::new().unwrap();
    let key = |number: u64| (number.wrapping_mul(0x9e37_79b9_7f4a_7c15)).to_be_bytes();
    let there: BTreeSet<Entry> = (0..10_000)
        .map(|number| {
            let mut entry = [0; 12];
            entry[..8].copy_from_slice(&key(number));
            entry
        })
        .collect();
    let run = stored(&dir, "run", FULL, &there);
    let passed = (10_000..20_000).filter(|number| run.may_have(&key(*number))).count();
    assert!(passed < 300, "{passed} of 10,000");
}

#[test]
fn a_source_that_fails_ends_the_merge_with_its_error() {
    let failed = || Err(RunError::Damaged { path: "one".into(), block: Some(3) });
    let sources = vec![vec![Ok(entry(1)), failed(), Ok(entry(5))], vec![Ok(entry(2))]];
    let sources: Vec<_> = sources.into_iter().map(Vec::into_iter).collect();
    let merged: Vec<_> = merge(sources, 12).collect();
    assert!(matches!(merged[..], [Ok(first), Err(_)] if first == entry(1)), "{merged:?}");
}
