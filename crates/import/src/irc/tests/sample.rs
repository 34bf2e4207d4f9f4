//! An invented log with all forms, counted in another way.

use super::replay;
use crate::{Category, Summary};

const OLD: &[u8] = b"=== Topic for #made-up: Birds | and bees
=== Topic (#made-up): set by queen at Mon Dec  1 07:00:00 2003
=== ada [~ada@hive.example]  has joined #made-up
[09:58] <ada> hello all
[09:58] <[bee] > buzz
[09:59] <x[y] z> buzz
=== [bee]  buzzes about
=== x[y] z is now known as [xyz]
=== mode/#made-up [+o ada]  by queen
=== netjoined: one.example -> two.example
[10:00] <ada>
[10:00] <ada> <bee> was quoted
=== ada [~ada@hive.example]  has joined #made-up
=== drone was kicked off #made-up by ada (lazy)
=== [bee]  [~[b] ee@hive.example]  has left #made-up [\"Honey]
=== wasp [~w@nest.example]  has joined #made-up
=== wasp was kicked off #made-up by ada (stings)
=== ..[topic/#made-up:ada] : Bees only
=== ada [~ada@hive.example]  has quit [Ping timeout]
";

const NEW: &[u8] = b"[23:59] <ada> caf\xe9
[23:59]  * ada flies
[00:00]  * ada
[00:00] -ada:#made-up- honey for sale
[00:01] (ada/#made-up) from afar

=== ada is now known as ada_
=== ada_ changed the topic of #made-up to: Night
[00:02] <ada_> cut
[00:0
[00:03] <ada
[00:99] <ada> no such time
plain words
[00:04] plain words
=== ada [~ada@hi";

/// Counts by the start and the content of lines, in order of precedence. Knows nothing of the
/// members.
fn rough_count(text: &str) -> [(Category, u64); 7] {
    let timed = |line: &str| {
        let bytes = line.as_bytes();
        bytes.first() == Some(&b'[') && bytes.get(6) == Some(&b']') && bytes.get(4) < Some(&b'6')
    };
    let (mut messages, mut emotes, mut notices, mut asides, mut empty, mut odd, mut moves) =
        (0, 0, 0, 0, 0, 0, 0);
    for line in text.lines() {
        let rest = line.get(8..).unwrap_or_default();
        if line.is_empty()
            || (timed(line) && (line.ends_with('>') || rest == " * ada" || rest == "* ada"))
        {
            empty += 1;
        } else if timed(line)
            && ((rest.starts_with('<') && rest.contains("> ")) || rest.starts_with('('))
        {
            messages += 1;
        } else if timed(line) && (rest.starts_with("* ") || rest.starts_with(" * ")) {
            emotes += 1;
        } else if timed(line) && rest.starts_with('-') {
            notices += 1;
        } else if line.starts_with("=== mode/")
            || line.starts_with("=== net")
            || line.starts_with("=== Topic (")
        {
            asides += 1;
        } else if [
            "] has",
            "]  has",
            " known as ",
            " kicked off ",
            " topic of ",
            "[topic/",
            "Topic for",
        ]
        .iter()
        .any(|mark| line.contains(mark))
        {
            moves += 1;
        } else if line.starts_with("=== ") && !line.contains(" [~") {
            emotes += 1;
        } else {
            odd += 1;
        }
    }
    [
        (Category::Message, messages),
        (Category::Emote, emotes),
        (Category::Notice, notices),
        (Category::Aside, asides),
        (Category::Empty, empty),
        (Category::Unreadable, odd),
        (Category::AlreadySo, moves),
    ]
}

fn moves(summary: &Summary) -> u64 {
    [
        Category::Join,
        Category::Leave,
        Category::Kick,
        Category::Rename,
        Category::Topic,
        Category::AlreadySo,
    ]
    .into_iter()
    .map(|category| summary.count(category))
    .sum()
}

#[test]
fn counts_agree_with_a_count_in_another_way() {
    let (_, replay) = replay(&[("2004-01-01.txt", OLD), ("2004-01-02.txt", NEW)]);
    let summary = replay.summary();
    let text = [String::from_utf8_lossy(OLD), String::from_utf8_lossy(NEW)].concat();
    for (category, count) in rough_count(&text) {
        let counted = match category {
            Category::AlreadySo => moves(summary),
            other => summary.count(other),
        };
        assert_eq!(counted, count, "{category:?}");
    }
    assert_eq!(summary.lines(), text.lines().count() as u64);
}

#[test]
fn each_form_is_counted_as_what_it_is() {
    let (_, replay) = replay(&[("2004-01-01.txt", OLD), ("2004-01-02.txt", NEW)]);
    let summary = replay.summary();
    let counts = Category::ALL.map(|category| summary.count(category));
    assert_eq!(counts, [7, 2, 1, 2, 2, 1, 2, 3, 2, 3, 3, 6], "{summary}");
    assert_eq!((summary.files(), summary.lines()), (2, 34));
    let implied = summary.implied;
    assert_eq!((implied.rooms, implied.users, implied.joins), (1, 4, 3), "{summary}");
}

#[test]
fn unreadable_lines_are_named_with_file_line_and_reason() {
    let (_, replay) = replay(&[("2004-01-02.txt", NEW)]);
    let listed: Vec<(u64, &str)> = replay
        .summary()
        .unreadable()
        .listed()
        .iter()
        .map(|complaint| (complaint.line, complaint.reason.as_str()))
        .collect();
    let lines: Vec<u64> = listed.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [10, 11, 12, 13, 14, 15]);
    assert_eq!(listed[0].1, "is cut short");
    assert!(replay.summary().to_string().contains("2004-01-02.txt:13: has no known form"));
}
