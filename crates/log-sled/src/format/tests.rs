//! Golden files, and round trips of any record.

use std::{fs, path::PathBuf};

use proptest::{collection::vec, prelude::*};
use rookery_log::StreamKind;

use super::*;

fn event(id: &str, envelope: &[u8], content: &[u8]) -> LoggedEvent {
    LoggedEvent {
        id: id.to_owned(),
        envelope: Bytes::copy_from_slice(envelope),
        content: Bytes::copy_from_slice(content),
    }
}

fn record(place: u64, command: Option<[u8; 16]>, events: Vec<LoggedEvent>) -> Record {
    let commit = Commit {
        stream: StreamId::new(StreamKind::Room, "!golden:example.org"),
        command: command.map(CommandId),
        received: Millis(1_600_000_000_000 + place),
        events,
    };
    let previous = Hash([place.to_le_bytes()[0]; 32]);
    Record::chain(
        Epoch(0x0123_4567_89ab_cdef),
        Position(place),
        Revision(place + 40),
        previous,
        commit,
    )
}

/// The records in the golden files, by the name of the file.
fn golden() -> [(&'static str, Record); 4] {
    let long: Vec<u8> = (0..10_000_u32).map(|index| index.to_le_bytes()[0] ^ 0x5a).collect();
    let content = br#"{"type":"m.room.message","content":{"body":"hello"}}"#;
    [
        ("plain", record(1, None, vec![event("$one", b"local", content)])),
        ("command", record(2, Some([0xc0; 16]), vec![event("$two", b"local", content)])),
        (
            "events",
            record(
                300,
                Some(*b"sixteen bytes id"),
                vec![
                    event("$three", b"", content),
                    event("$four", b"\x00\xff", b""),
                    event("$f\u{fc}nf", b"local", "gr\u{fc}\u{df}e".as_bytes()),
                ],
            ),
        ),
        (
            "chunked",
            record(70, None, vec![event("$long", b"local", &long), event("$short", b"", b"x")]),
        ),
    ]
}

/// Golden files are never edited or rewritten. A change of the format needs a new version, a new
/// folder beside this one, and a reader for both.
fn file(name: &str) -> Vec<u8> {
    file_of(1, name)
}

fn file_of(version: u8, name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let folder = folder.join(format!("tests/golden/v{version}"));
    fs::read(folder.join(format!("{name}.bin"))).unwrap()
}

fn read(value: &[u8], chunks: &[Vec<u8>], position: Position) -> Result<Record, Damage> {
    let stored = Stored::read(Bytes::copy_from_slice(value), position)?;
    match &stored.body {
        Body::Whole(body) => stored.decode(body),
        Body::Chunked { first, count, length, checksum } => {
            assert_eq!(*count as usize, chunks.len());
            let mut body = Vec::new();
            for (chunk, index) in chunks.iter().zip(*first..) {
                body.extend_from_slice(&read_chunk(
                    Bytes::copy_from_slice(chunk),
                    position,
                    index,
                )?);
            }
            assert_eq!((*length as usize, *checksum), (body.len(), crc32fast::hash(&body)));
            stored.decode(&body.into())
        }
    }
}

fn seal_at(record: &Record, durable: u64) -> Sealed {
    Sealed::new(Draft::of(&record.commit), record, Position(durable))
}

#[test]
fn golden_files_are_read_as_the_records_they_were_written_from() {
    for (name, record) in golden() {
        let chunks = match name {
            "chunked" => vec![file("chunked-part-0"), file("chunked-part-1")],
            _ => Vec::new(),
        };
        assert_eq!(read(&file(name), &chunks, record.position), Ok(record));
    }
}

#[test]
fn todays_writer_gives_the_golden_files() {
    for (name, record) in golden() {
        let sealed = seal_at(&record, record.position.0 - 1);
        assert!(sealed.value == file(name), "{name} is written differently");
        for (index, chunk) in sealed.chunks.iter().enumerate() {
            assert!(
                *chunk == file(&format!("{name}-part-{index}")),
                "{name} is written differently"
            );
        }
    }
}

/// A record in chunks, after an erasure that leaves it in chunks.
fn moved() -> (Record, Sealed) {
    let [.., (_, record)] = golden();
    let before = seal_at(&record, 69);
    let stored = Stored::read(before.value.into(), record.position).unwrap();
    let left = record.erased(1, Bytes::new()).unwrap();
    let sealed = Sealed::again(Draft::of(&left.commit), &left, &stored);
    (left, sealed)
}

#[test]
fn a_large_record_after_an_erasure_is_written_and_read_as_the_golden_files_are() {
    let (left, sealed) = moved();
    let parts = [file_of(2, "moved-part-2"), file_of(2, "moved-part-3")];
    assert_eq!((sealed.first, sealed.chunks.len()), (2, 2));
    assert!(sealed.value == file_of(2, "moved") && sealed.chunks == parts);
    assert_eq!(read(&file_of(2, "moved"), &parts, left.position), Ok(left.clone()));
    // The next erasure uses the numbers of the first chunks again.
    let stored = Stored::read(sealed.value.into(), left.position).unwrap();
    let again = Sealed::again(Draft::of(&left.commit), &left, &stored);
    assert_eq!(again.first, 0);
    assert_eq!(read(&again.value, &again.chunks, left.position), Ok(left));
}

#[test]
fn a_large_record_that_becomes_small_is_kept_in_one_value() {
    let [.., (_, record)] = golden();
    let stored = Stored::read(seal_at(&record, 69).value.into(), record.position).unwrap();
    let left = record.erased(0, b"{}".as_slice().into()).unwrap();
    let sealed = Sealed::again(Draft::of(&left.commit), &left, &stored);
    assert_eq!((sealed.value[0], sealed.chunks.len()), (VERSION, 0));
    assert_eq!(read(&sealed.value, &[], left.position), Ok(left));
}

#[test]
fn any_changed_byte_is_noticed() {
    let [(_, record), ..] = golden();
    let value = seal_at(&record, 0).value;
    for index in 0..value.len() {
        let mut changed = value.clone();
        changed[index] ^= 0x10;
        assert!(read(&changed, &[], record.position).is_err(), "byte {index}");
        assert!(read(&value[..index], &[], record.position).is_err(), "cut at {index}");
    }
    let elsewhere = read(&value, &[], Position(2)).unwrap_err();
    assert_eq!(&*elsewhere.0, "the record's own position is 1");
}

#[test]
fn unknown_version_is_named() {
    let [(_, record), ..] = golden();
    let mut value = seal_at(&record, 0).value;
    value[0] = 3;
    let damage = read(&value, &[], record.position).unwrap_err();
    assert_eq!(&*damage.0, "format version 3 is unknown, up to 2 are known");
}

proptest! {
    #[test]
    fn what_goes_in_comes_out(
        place in 1_u64..200,
        command: Option<[u8; 16]>,
        durable: u64,
        events in vec((".{0,40}", vec(any::<u8>(), 0..60), vec(any::<u8>(), 0..9_000)), 1..6),
    ) {
        let events = events.iter().map(|(id, envelope, content)| event(id, envelope, content));
        let record = record(place, command, events.collect());
        let sealed = seal_at(&record, durable);
        for value in sealed.chunks.iter().chain([&sealed.value]) {
            prop_assert!(value.len() <= VALUE_BYTES_MAX);
        }
        let stored = Stored::read(sealed.value.clone().into(), record.position).unwrap();
        prop_assert_eq!(stored.durable, Position(durable));
        prop_assert_eq!(read(&sealed.value, &sealed.chunks, record.position), Ok(record.clone()));
        let left = record.erased(0, Bytes::new()).unwrap();
        let again = Sealed::again(Draft::of(&left.commit), &left, &stored);
        let body = Stored::read(again.value.clone().into(), left.position).unwrap().body;
        prop_assert!(body.chunks().all(|chunk| !stored.body.chunks().contains(&chunk)));
        prop_assert_eq!(read(&again.value, &again.chunks, left.position), Ok(left));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>, position: u64) {
        let mut sealed = vec![0; SEALED_FROM];
        sealed.extend_from_slice(&bytes);
        seal(&mut sealed);
        if let Ok(stored) = Stored::read(sealed.into(), Position(position)) {
            drop(stored.decode(&Bytes::from(bytes)));
        }
    }
}

#[test]
fn stream_of_a_kind_of_tomorrow_is_read() {
    assert_eq!(stream("planet/mars").unwrap().as_str(), "planet/mars");
}
