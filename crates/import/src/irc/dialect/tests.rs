//! Tests each dialect with its table of samples, and all of them with random text.

use proptest::prelude::*;

use super::*;
use crate::irc::line::{
    nick::Nick,
    stamp::{Stamp, StampDay},
};

const SAMPLES: [(Dialect, &[(&str, &str)]); Dialect::ALL.len()] = [
    (Dialect::Weechat, weechat::SAMPLES),
    (Dialect::Hexchat, hexchat::SAMPLES),
    (Dialect::Irssi, irssi::SAMPLES),
    (Dialect::Textual, textual::SAMPLES),
    (Dialect::Lounge, lounge::SAMPLES),
    (Dialect::Limnoria, limnoria::SAMPLES),
    (Dialect::Znc, znc::SAMPLES),
    (Dialect::Eggdrop, eggdrop::SAMPLES),
    (Dialect::Ubuntu, ubuntu::SAMPLES),
    (Dialect::Mirc, mirc::SAMPLES),
];

/// A line in a few words.
fn told(parsed: &Parsed<'_>) -> String {
    let mut words = Vec::new();
    if let Some(Stamp { day, time, .. }) = &parsed.stamp {
        match day {
            Some(StampDay::Full(date)) => words.push(date.to_string()),
            Some(StampDay::Yearless { month, day }) => words.push(format!("{month}-{day}")),
            None => {}
        }
        words.push(format!("{:02}:{:02}", time.hour, time.minute));
    }
    words.extend(parsed.channel.map(ToOwned::to_owned));
    let reasoned = |who: String, reason: Option<&str>| match reason {
        Some(reason) => format!("{who}: {reason}"),
        None => who,
    };
    words.push(match &parsed.what {
        Line::Message { nick, text } => format!("message {nick}: {text}"),
        Line::Emote { nick, text } => format!("emote {nick}: {text}"),
        Line::Notice { nick, text } => format!("notice {nick}: {text}"),
        Line::Joined { nick } => format!("joined {nick}"),
        Line::Left { nick, reason } => reasoned(format!("left {nick}"), *reason),
        Line::Kicked { nick, by, reason } => reasoned(format!("kicked {nick} by {by}"), *reason),
        Line::Renamed { from, to } => format!("renamed {from} to {to}"),
        Line::Topic { topic } => format!("topic {topic}"),
        Line::Day { date, time: None } => format!("day {date}"),
        Line::Day { date, time: Some(time) } => {
            format!("day {date} {:02}:{:02}", time.hour, time.minute)
        }
        Line::Aside(aside) => format!("aside {aside:?}"),
        Line::Empty => "empty".to_owned(),
        Line::Unreadable(reason) => format!("unreadable {reason:?}"),
    });
    words.join(" ")
}

#[test]
fn each_sample_of_each_dialect_is_what_it_is() {
    let mut wrong = Vec::new();
    for (dialect, samples) in SAMPLES {
        for (line, expected) in samples {
            let found = told(&dialect.read(line));
            if found != *expected {
                wrong.push(format!("{dialect}: {line:?}: {found:?} instead of {expected:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_dialect_of_a_file_is_found_by_its_lines() {
    for (dialect, samples) in SAMPLES {
        let mut guess = Guess::default();
        let readable = |sample: &&&(&str, &str)| !sample.1.contains("unreadable");
        samples.iter().filter(|sample| readable(&sample)).for_each(|(line, _)| guess.add(line));
        assert_eq!(guess.best(), Some(dialect), "{:?}", guess.scores);
    }
    let mut guess = Guess::default();
    guess.add("just words");
    assert_eq!(guess.best(), None);
}

#[test]
fn a_dialect_is_named_as_it_is_shown() {
    for dialect in Dialect::ALL {
        assert_eq!(Dialect::named(dialect.name()), Some(dialect));
        assert_eq!(Dialect::ALL[dialect as usize], dialect);
    }
    assert_eq!(Dialect::named("energymech"), Some(Dialect::Znc));
    assert_eq!(Dialect::named("morse"), None);
}

#[test]
fn what_a_client_sent_for_me_is_an_action_in_every_dialect() {
    for (dialect, line) in [
        (Dialect::Ubuntu, "[07:00] <wren> \u{1}ACTION waves\u{1}"),
        (Dialect::Irssi, "07:00 < wren> \u{1}ACTION waves"),
        (Dialect::Weechat, "2013-03-03 07:00:00\twren\t\u{1}ACTION waves\u{1}"),
        (Dialect::Hexchat, "Mar 03 07:00:00 <wren>\t\u{1}ACTION waves\u{1}"),
        (Dialect::Znc, "[07:00:00] <~wren> \u{1}ACTION waves\u{1}"),
    ] {
        let what = dialect.read(line).what;
        let expected = Line::Emote { nick: Nick::parse("wren").expect("a nick"), text: "waves" };
        assert_eq!(what, expected, "{line}");
    }
    let asked = Dialect::Ubuntu.read("[07:00] <wren> \u{1}VERSION\u{1}").what;
    assert_eq!(told(&Parsed::of(None, asked)), "aside Ctcp");
}

/// Writes an event in a dialect, and returns its parsed form as text.
fn rendered(dialect: Dialect, nick: &str, other: &str, words: &str) -> Vec<(String, String)> {
    let said = format!("message {nick}: {words}");
    let acted = format!("emote {nick}: {words}");
    let renamed = format!("renamed {nick} to {other}");
    let kicked = format!("kicked {other} by {nick}: {words}");
    let joined = format!("joined {nick}");
    let mask = "~x@host.example";
    let day = "2013-03-03 10:00:07";
    let lines = match dialect {
        Dialect::Weechat => [
            (format!("{day}\t@{nick}\t{words}"), said),
            (format!("{day}\t *\t{nick} {words}"), acted),
            (format!("{day}\t--\t{nick} is now known as {other}"), renamed),
            (format!("{day}\t<--\t{nick} has kicked {other} ({words})"), kicked),
            (format!("{day}\t-->\t{nick} ({mask}) has joined #tea"), joined),
        ],
        Dialect::Hexchat => [
            (format!("Mar 03 10:00:07 <@{nick}>\t{words}"), said),
            (format!("Mar 03 10:00:07 *\t{nick} {words}"), acted),
            (format!("Mar 03 10:00:07 *\t{nick} is now known as {other}"), renamed),
            (format!("Mar 03 10:00:07 *\t{nick} has kicked {other} from #tea ({words})"), kicked),
            (format!("Mar 03 10:00:07 *\t{nick} ({mask}) has joined #tea"), joined),
        ],
        Dialect::Irssi => [
            (format!("10:00 < {nick}> {words}"), said),
            (format!("10:00  * {nick} {words}"), acted),
            (format!("10:00 -!- {nick} is now known as {other}"), renamed),
            (format!("10:00 -!- {other} was kicked from #tea by {nick} [{words}]"), kicked),
            (format!("10:00 -!- {nick} [{mask}] has joined #tea"), joined),
        ],
        Dialect::Textual => [
            (format!("[{day} +0000] <@{nick}> {words}"), said),
            (format!("[{day} +0000] • {nick}: {words}"), acted),
            (format!("[{day} +0000] {nick} is now known as {other}"), renamed),
            (format!("[{day} +0000] {nick} kicked {other} from the channel ({words})"), kicked),
            (format!("[{day} +0000] {nick} ({mask}) joined the channel"), joined),
        ],
        Dialect::Lounge => [
            (format!("[{day}] <@{nick}> {words}"), said),
            (format!("[{day}] * @{nick} {words}"), acted),
            (format!("[{day}] *** {nick} changed nick to {other}"), renamed),
            (format!("[{day}] *** {other} was kicked by {nick} ({words})"), kicked),
            (format!("[{day}] *** {nick} ({mask}) joined"), joined),
        ],
        Dialect::Limnoria => [
            (format!("2013-03-03T10:00:07 <{nick}> {words}"), said),
            (format!("2013-03-03T10:00:07 * {nick} {words}"), acted),
            (format!("2013-03-03T10:00:07 *** {nick} is now known as {other}"), renamed),
            (format!("2013-03-03T10:00:07 *** {other} was kicked by {nick} ({words})"), kicked),
            (format!("2013-03-03T10:00:07 *** {nick} <{mask}> has joined #tea"), joined),
        ],
        Dialect::Znc => [
            (format!("[10:00:07] <@{nick}> {words}"), said),
            (format!("[10:00:07] * {nick} {words}"), acted),
            (format!("[10:00:07] *** {nick} is now known as {other}"), renamed),
            (format!("[10:00:07] *** {other} was kicked by {nick} ({words})"), kicked),
            (format!("[10:00:07] *** Joins: {nick} ({mask})"), joined),
        ],
        Dialect::Eggdrop => [
            (format!("[10:00] <{nick}> {words}"), said),
            (format!("[10:00] Action: {nick} {words}"), acted),
            (format!("[10:00] Nick change: {nick} -> {other}"), renamed),
            (format!("[10:00] {other} kicked from #tea by {nick}: {words}"), kicked),
            (format!("[10:00] {nick} ({mask}) joined #tea."), joined),
        ],
        Dialect::Ubuntu => [
            (format!("[10:00] <{nick}> {words}"), said),
            (format!("[10:00]  * {nick} {words}"), acted),
            (format!("=== {nick} is now known as {other}"), renamed),
            (format!("=== {other} was kicked off #tea by {nick} ({words})"), kicked),
            (format!("=== {nick} [{mask}]  has joined #tea"), joined),
        ],
        Dialect::Mirc => [
            (format!("[10:00] <~{nick}> {words}"), said),
            (format!("[10:00] * {nick} {words}"), acted),
            (format!("[10:00] * {nick} is now known as {other}"), renamed),
            (format!("[10:00] * {other} was kicked by {nick} ({words})"), kicked),
            (format!("[10:00] * {nick} ({mask}) has joined #tea"), joined),
        ],
    };
    lines.into()
}

proptest! {
    #[test]
    fn what_a_dialect_wrote_is_read_as_it_was(
        nick in "[a-zA-Z\\[\\]{}|^`_\\\\][a-zA-Z0-9\\[\\]{}|^`_\\\\-]{0,12}",
        other in "[a-z\\[{|_][a-z0-9\\]}|`-]{0,12}",
        words in "[a-zéß]{1,8}( [a-zéß0-9<>#'.,!?-]{1,8}){0,4}",
    ) {
        for dialect in Dialect::ALL {
            for (line, expected) in rendered(dialect, &nick, &other, &words) {
                let parsed = dialect.read(&line);
                let found = told(&Parsed { stamp: None, channel: None, ..parsed });
                prop_assert_eq!(found, expected, "{}: {}", dialect, line);
            }
        }
    }

    #[test]
    fn any_text_is_read_in_every_dialect(text in "\\PC{0,60}") {
        for dialect in Dialect::ALL {
            drop(dialect.read(&text));
        }
        likely(&text, &text);
    }

    #[test]
    fn any_mix_of_known_parts_is_read(parts in prop::collection::vec(prop::sample::select(vec![
        "[05:59]", "10:00 ", "2013-03-03 10:00:01\t", "[", "]", " ", "\t", "=== ", "-!- ", "--- ", "*** ", "<", ">",
        "*", "-", "(", ")", "/", ":", "#room", "ada", "é", "@", " has joined ", " has left ", " has quit", " [a@b]",
        " (a@b)", "is now known as", " was kicked ", " by ", "..[topic/", "changed the topic of ", " to: ", "mode/",
        "Topic ", "Joins: ", "Action: ", "Nick change: ", " -> ", "Session ", "Notice(", "•", "\u{1}ACTION", "-->\t",
        "Log opened ", "BEGIN LOGGING AT ", "**** ", "Mar 03 ",
    ]), 0..12)) {
        let text = parts.concat();
        for dialect in Dialect::ALL {
            drop(dialect.read(&text));
        }
    }
}
