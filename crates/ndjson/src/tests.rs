use bytes::Bytes;
use proptest::prelude::*;
use rookery_log::{
    CommandId, Commit, Epoch, Hash, LoggedEvent, Millis, Position, Record, Revision, StreamId,
    StreamKind,
};

use super::*;

/// Never edit this: such files exist.
const GOLDEN: &str = include_str!("../golden/export-1.ndjson");

fn event(id: &str, envelope: &[u8], content: &[u8]) -> LoggedEvent {
    LoggedEvent {
        id: id.to_owned(),
        envelope: Bytes::copy_from_slice(envelope),
        content: Bytes::copy_from_slice(content),
    }
}

fn chain(commits: Vec<(Option<CommandId>, Vec<LoggedEvent>)>) -> Vec<Record> {
    let (mut previous, mut revision) = (Hash::ORIGIN, 0);
    commits
        .into_iter()
        .zip(1..)
        .map(|((command, events), position)| {
            revision += events.len() as u64;
            let stream = StreamId::new(StreamKind::Room, "!room");
            let commit = Commit { stream, command, received: Millis(1_000 + position), events };
            let record = Record::chain(
                Epoch(1_234),
                Position(position),
                Revision(revision),
                previous,
                commit,
            );
            previous = record.hash;
            record
        })
        .collect()
}

fn sample() -> Vec<Record> {
    chain(vec![
        (
            Some(CommandId([7; 16])),
            vec![event(
                "$create",
                b"{\"a\":1}",
                br#"{"type":"m.room.create","x":"\u00e9 \ud800"}"#,
            )],
        ),
        (
            None,
            vec![
                event("$a", b"\x00\x01salt", "{\"b\": 1.0 ,\"b\":\"é\"}".as_bytes()),
                event("$b", b"", b""),
            ],
        ),
        (
            None,
            vec![
                event("$c", b"{}", b"{\n}"),
                event("$d", b" {}", b"null"),
                event("$e", b"{}x", b"{\"a\":}"),
            ],
        ),
    ])
}

fn export(records: &[Record]) -> String {
    let mut export = Export::begin(Vec::new(), Epoch(1_234)).expect("in memory");
    for record in records {
        export.write(record).expect("in memory");
    }
    String::from_utf8(export.finish().expect("in memory")).expect("text")
}

fn import(text: &[u8]) -> Result<Vec<Record>, ImportError> {
    let mut import = Import::begin(text)?;
    let mut records = Vec::new();
    while let Some(record) = import.read()? {
        records.push(record);
    }
    assert!(import.read().expect("stays at the end").is_none());
    Ok(records)
}

fn refusal(text: &str) -> String {
    import(text.as_bytes()).expect_err("refused").to_string()
}

#[test]
fn format_1_is_written_and_read_for_ever() {
    assert_eq!(export(&sample()), GOLDEN);
    assert_eq!(import(GOLDEN.as_bytes()).expect("reads"), sample());
}

#[test]
fn an_empty_log_is_an_export_too() {
    assert_eq!(import(export(&[]).as_bytes()).expect("reads"), []);
}

#[test]
fn an_export_that_was_cut_anywhere_is_refused() {
    let whole = export(&sample());
    for end in 0..whole.len() - 1 {
        assert!(import(&whole.as_bytes()[..end]).is_err(), "cut at {end}");
    }
    let without_footer = whole.trim_end().rsplit_once('\n').expect("lines").0;
    assert!(refusal(&format!("{without_footer}\n")).contains("line 5: the export ends here"));
    assert!(
        refusal(&without_footer[..without_footer.len() - 3])
            .contains("line 4: the export ends here")
    );
}

#[test]
fn changes_are_named_with_their_line() {
    let whole = export(&sample());
    let lines: Vec<&str> = whole.lines().collect();
    let joined =
        |order: &[usize]| order.iter().flat_map(|at| [lines[*at], "\n"]).collect::<String>();
    for (text, expected) in [
        (whole.replace("$create", "$CREATE"), "line 2: record 1 was changed"),
        (whole.replace("\"received\":1002", "\"received\":1003"), "line 3: record 2 was changed"),
        (
            whole.replace("m.room.create", "m.room.created"),
            "line 2: not a record of an export: a content does not match",
        ),
        (whole.replace("\"position\":2", "\"position\":\"2\""), "line 3: not a record"),
        (
            whole.replace("room/!room", "planet/mars"),
            "line 2: not a record of an export: the field `stream`",
        ),
        (joined(&[0, 1, 3, 4]), "line 3: record 3 does not follow"),
        (joined(&[0, 1, 1, 2, 3, 4]), "line 3: record 1 does not follow"),
        (joined(&[0, 1, 2, 4]), "line 4: the last line does not match"),
        (joined(&[0, 1, 2, 3, 4, 0]), "line 6: the export has ended"),
        (joined(&[1, 2, 3, 4]), "line 1: not the start of an export"),
        (
            whole.replace("\"format\":1", "\"format\":2,\"new\":0"),
            "line 1: this version does not know format 2",
        ),
        (String::new(), "line 1: not the start of an export"),
    ] {
        assert!(refusal(&text).starts_with(expected), "{}", refusal(&text));
    }
}

#[test]
fn records_of_two_logs_do_not_follow_each_other() {
    let one = chain(vec![(None, vec![event("$a", b"", b"")]), (None, vec![event("$b", b"", b"")])]);
    let other =
        chain(vec![(None, vec![event("$x", b"", b"")]), (None, vec![event("$b", b"", b"")])]);
    let mixed = export(&[one[0].clone(), other[1].clone()]);
    assert!(refusal(&mixed).starts_with("line 3: record 2 does not follow"));
}

proptest! {
    #[test]
    fn any_bytes_survive_the_round_trip(parts in prop::collection::vec((
        prop_oneof![any::<Vec<u8>>(), "\\{\"[a-z \\\\\"]{0,9}\": ?[0-9.eE+-]{1,5} ?\\}[ \n]?".prop_map(String::into_bytes)],
        prop_oneof![any::<Vec<u8>>(), "[{}\\[\\]\",: 0-9a-z\\\\]{0,20}".prop_map(String::into_bytes)],
    ), 1..5)) {
        let commits = parts.iter().map(|(envelope, content)| (None, vec![event("$e", envelope, content)]));
        let records = chain(commits.collect());
        let text = export(&records);
        prop_assert_eq!(text.lines().count(), records.len() + 2);
        prop_assert_eq!(import(text.as_bytes()).expect("reads"), records);
    }

    #[test]
    fn any_damage_is_refused_or_harmless(at in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = export(&sample()).into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(records) = import(&bytes) {
            prop_assert_eq!(records, sample());
            prop_assert_eq!(Import::begin(&bytes[..]).expect("reads").epoch(), Epoch(1_234));
        }
    }
}
