//! Overlapping logs: rotated, compressed, grown, split, of two networks.

use std::collections::HashSet;

use super::{Options, SourceOptions, replay_with};
use crate::Command;

/// The rooms and the names of all messages, in the order of the files.
fn messages(files: &[(&str, &[u8])]) -> Vec<(String, [u8; 16])> {
    let (steps, _) = replay_with(files, &SourceOptions::default(), &Options::default());
    let message = |step: &crate::Step| match &step.command {
        Command::Send { room, .. } => Some((room.to_string(), step.id.0)),
        _ => None,
    };
    steps.iter().filter_map(message).collect()
}

fn distinct(messages: &[(String, [u8; 16])]) -> usize {
    messages.iter().collect::<HashSet<_>>().len()
}

const DAY: &[u8] = b"[07:00] <wren> a\n[07:01] <wren> hi\n[07:01] <wren> hi\n[07:02] <wren> b\n";

#[test]
fn the_same_day_on_two_networks_is_two_days() {
    for files in [
        ["libera/#a/2014-05-06.log", "oftc/#a/2014-05-06.log"],
        ["one/#a/2014-05-06.log", "two/#a/2014-05-06.log"],
        ["irc.libera.#a.2014-05-06.log", "irc.oftc.#a.2014-05-06.log"],
        ["ada/libera/#a/2014-05-06.log", "ada/oftc/#a/2014-05-06.log"],
        ["#a.libera.20140506.log", "#a.oftc.20140506.log"],
    ] {
        let found = messages(&files.map(|name| (name, DAY)));
        let rooms: HashSet<_> = found.iter().map(|(room, _)| room).collect();
        assert_eq!((distinct(&found), rooms.len()), (8, 2), "{files:?}: {rooms:?}");
    }
}

#[test]
fn the_same_day_in_whatever_file_is_one_day() {
    let once = messages(&[("#a/2014-05-06.log", DAY)]);
    assert_eq!(distinct(&once), 4);
    for name in ["#a/2014-05-06.log.1", "#a-2014-05-06.log", "#a.20140506.txt", "2014/05/06/#a.log"]
    {
        assert_eq!(messages(&[(name, DAY)]), once, "{name}");
    }
    let both = messages(&[("#a/2014-05-06.log", DAY), ("#a/2014-05-06.log.1", DAY)]);
    assert_eq!((both.len(), distinct(&both)), (8, 4));
}

#[test]
fn a_day_split_over_two_files_is_the_same_day() {
    let once = messages(&[("#a/2014-05-06.log", DAY)]);
    let ends: Vec<usize> =
        DAY.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
    for end in &ends[..3] {
        let (first, second) = DAY.split_at(*end);
        let parts = [("#a/2014-05-06_1.log", first), ("#a/2014-05-06_2.log", second)];
        assert_eq!(messages(&parts), once, "cut at byte {end}");
    }
}

#[test]
fn a_log_that_has_grown_keeps_the_names_of_its_lines() {
    let more = [DAY, b"[07:03] <wren> c\n"].concat();
    let grown = messages(&[("#a/2014-05-06.log", &more)]);
    assert_eq!(grown[..4], messages(&[("#a/2014-05-06.log", DAY)]));
    assert_eq!(distinct(&grown), 5);
}
