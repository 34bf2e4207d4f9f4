//! Whole logs in each dialect: the same conversation comes out of all of them.

use super::{Options, SourceOptions, replay_with, told};
use crate::{
    Category,
    irc::{Dialect, time_zone},
};

/// A conversation with each kind of event, as each client logs it.
const LOGS: [(Dialect, &str, &str); 9] = [
    (
        Dialect::Irssi,
        "#tea.log",
        "--- Log opened Sun Mar 03 23:58:00 2013
23:58 -!- ada [~ada@host.example] has joined #tea
23:58 [Users #tea]
23:58 [@ada] [ bob]
23:58 -!- Irssi: #tea: Total of 2 nicks
23:58 <@ada> hello
23:59  * ada waves
23:59 -!- mode/#tea [+o ada] by bob
--- Day changed Mon Mar 04 2013
00:01 -!- ada is now known as eda
00:01 -!- eda changed the topic of #tea to: kettle
00:02 < bob> hi
00:03 -!- bob was kicked from #tea by eda [spam]
00:04 -!- eda [~ada@host.example] has quit [Ping timeout]
",
    ),
    (
        Dialect::Weechat,
        "irc.libera.#tea.weechatlog",
        "2013-03-03 23:58:00\t-->\tada (~ada@host.example) has joined #tea
2013-03-03 23:58:00\t--\tChannel #tea: 2 nicks (1 op)
2013-03-03 23:58:01\t@ada\thello
2013-03-03 23:59:00\t *\tada waves
2013-03-03 23:59:00\t--\tMode #tea [+o ada] by bob
2013-03-04 00:01:00\t--\tada is now known as eda
2013-03-04 00:01:00\t--\teda has changed topic for #tea from \"pot\" to \"kettle\"
2013-03-04 00:02:00\tbob\thi
2013-03-04 00:03:00\t<--\teda has kicked bob (spam)
2013-03-04 00:04:00\t<--\teda (~ada@host.example) has quit (Ping timeout)
",
    ),
    (
        Dialect::Mirc,
        "#tea.log",
        "\u{feff}Session Start: Sun Mar 03 23:58:00 2013
Session Ident: #tea
[23:58] * Now talking in #tea
[23:58] * ada (~ada@host.example) has joined #tea
[23:58] <@ada> hello
[23:59] * ada waves
[23:59] * bob sets mode: +o ada
Session Time: Mon Mar 04 00:00:00 2013
[00:01] \u{3}03* ada is now known as eda
[00:01] * eda changes topic to 'kettle'
[00:02] <bob> hi
[00:03] * bob was kicked by eda (spam)
[00:04] * eda (~ada@host.example) Quit (Ping timeout)
Session Close: Mon Mar 04 00:05:00 2013
",
    ),
    (
        Dialect::Hexchat,
        "libera-#tea.log",
        "**** BEGIN LOGGING AT Sun Mar  3 23:58:00 2013

Mar 03 23:58:00 *\tNow talking on #tea
Mar 03 23:58:00 *\tada (~ada@host.example) has joined
Mar 03 23:58:01 <ada>\thello
Mar 03 23:59:00 *\tada waves
Mar 03 23:59:00 *\tbob gives channel operator status to ada
Mar 04 00:01:00 *\tada is now known as eda
Mar 04 00:01:00 *\teda has changed the topic to: kettle
Mar 04 00:02:00 <bob>\thi
Mar 04 00:03:00 *\teda has kicked bob from #tea (spam)
Mar 04 00:04:00 *\teda has quit (Ping timeout)
**** ENDING LOGGING AT Mon Mar  4 00:05:00 2013
",
    ),
    (
        Dialect::Znc,
        "#tea/2013-03-03.log",
        "[23:58:00] *** Joins: ada (~ada@host.example)
[23:58:01] <@ada> hello
[23:59:00] * ada waves
[23:59:00] *** bob sets mode: +o ada
[00:01:00] *** ada is now known as eda
[00:01:00] *** eda changes topic to 'kettle'
[00:02:00] <bob> hi
[00:03:00] *** bob was kicked by eda (spam)
[00:04:00] *** Quits: eda (~ada@host.example) (Ping timeout)
",
    ),
    (
        Dialect::Eggdrop,
        "tea.log.03Mar2013",
        "[23:58] ada (~ada@host.example) joined #tea.
[23:58] <ada> hello
[23:59] Action: ada waves
[23:59] #tea: mode change '+o ada' by bob!~bob@host
[00:00] --- Mon Mar  4 2013
[00:01] Nick change: ada -> eda
[00:01] Topic changed on #tea by eda!~ada@host.example: kettle
[00:02] <bob> hi
[00:03] bob kicked from #tea by eda: spam
[00:04] eda (~ada@host.example) left irc: Ping timeout
",
    ),
    (
        Dialect::Textual,
        "#tea/2013-03-03.txt",
        "[2013-03-03T23:58:00+0000] ada (~ada@host.example) joined the channel
[2013-03-03T23:58:01+0000] <@ada> hello
[2013-03-03T23:59:00+0000] • ada: waves
[2013-03-03T23:59:00+0000] bob sets mode +o ada
[2013-03-04T00:01:00+0000] ada is now known as eda
[2013-03-04T00:01:00+0000] eda changed the topic to kettle
[2013-03-04T00:02:00+0000] <bob> hi
[2013-03-04T00:03:00+0000] eda kicked bob from the channel (spam)
[2013-03-04T00:04:00+0000] eda (~ada@host.example) left IRC (Ping timeout)
",
    ),
    (
        Dialect::Limnoria,
        "#tea/#tea.2013-03-03.log",
        "2013-03-03T23:58:00 *** ada <~ada@host.example> has joined #tea
2013-03-03T23:58:01 <ada> hello
2013-03-03T23:59:00 * ada waves
2013-03-03T23:59:00 *** bob sets mode: +o ada
2013-03-04T00:01:00 *** ada is now known as eda
2013-03-04T00:01:00 *** eda changes topic to \"kettle\"
2013-03-04T00:02:00 <bob> hi
2013-03-04T00:03:00 *** bob was kicked by eda (spam)
2013-03-04T00:04:00 *** eda <~ada@host.example> has quit IRC (Ping timeout)
",
    ),
    (
        Dialect::Lounge,
        "#tea.log",
        "[2013-03-03T23:58:00.000Z] *** ada (~ada@host.example) joined
[2013-03-03T23:58:01.000Z] <@ada> hello
[2013-03-03T23:59:00.000Z] * @ada waves
[2013-03-03T23:59:00.000Z] *** bob set mode +o ada
[2013-03-04T00:01:00.000Z] *** ada changed nick to eda
[2013-03-04T00:01:00.000Z] *** eda changed topic to: kettle
[2013-03-04T00:02:00.000Z] <bob> hi
[2013-03-04T00:03:00.000Z] *** bob was kicked by eda (spam)
[2013-03-04T00:04:00.000Z] *** eda (~ada@host.example) quit (Ping timeout)
",
    ),
];

fn conversation(name: &str, text: &str, source: &SourceOptions) -> Vec<String> {
    let (steps, replay) = replay_with(&[(name, text.as_bytes())], source, &Options::default());
    let summary = replay.summary();
    assert_eq!(summary.unreadable().total(), 0, "{name}: {summary}");
    assert_eq!(summary.lines(), text.split_inclusive('\n').count() as u64, "{name}");
    let minute = |at: u64| at / 60_000 % (24 * 60);
    let told = |step: &crate::Step| format!("{:04} {}", minute(step.at.0), told(&step.command));
    let mut told: Vec<String> = steps.iter().map(told).collect();
    // The order of the first two steps, the room and its first user, depends on the first line.
    told.retain(|step| !step.contains(" create "));
    told
}

#[test]
fn the_same_conversation_comes_out_of_every_dialect() {
    let expected = [
        "1438 register ada as ada",
        "1438 join ada",
        "1438 Text ada hello",
        "1439 Emote ada waves",
        "0001 rename ada to eda",
        "0001 topic kettle",
        "0002 register bob as bob",
        "0002 join bob",
        "0002 Text bob hi",
        "0003 kick bob kicked by eda: spam",
        "0004 leave ada Ping timeout",
    ];
    for (dialect, name, text) in LOGS {
        for text in [text.to_owned(), text.replace('\n', "\r\n"), text.replace('\n', "\r")] {
            let guessed = text.replace('\r', "\n");
            assert_eq!(
                conversation(name, &guessed, &SourceOptions::default()),
                expected,
                "{dialect}"
            );
        }
        let named = SourceOptions { dialect: Some(dialect), ..SourceOptions::default() };
        assert_eq!(conversation(name, text, &named), expected, "{dialect}");
    }
}

#[test]
fn all_ends_of_lines_give_the_same_steps() {
    let (_, name, text) = LOGS[0];
    let steps = |text: &str| {
        replay_with(&[(name, text.as_bytes())], &SourceOptions::default(), &Options::default()).0
    };
    assert_eq!(steps(&text.replace('\n', "\r\n")), steps(text));
    assert_eq!(steps(&text.replace('\n', "\r")), steps(text));
}

#[test]
fn a_log_in_another_dialect_than_it_is_said_to_be_fails_and_is_named() {
    let (_, name, text) = LOGS[1];
    let mirc = SourceOptions { dialect: Some(Dialect::Mirc), ..SourceOptions::default() };
    let dated = name.replace("weechatlog", "2013-03-03.weechatlog");
    let (steps, replay) = replay_with(&[(&dated, text.as_bytes())], &mirc, &Options::default());
    assert!(steps.is_empty());
    let unread = replay.summary().unread();
    assert_eq!(unread.len(), 1);
    assert!(unread[0].1.contains("--format weechat"), "{unread:?}");
    assert!(replay.summary().to_string().contains("unreadable files:"));
}

#[test]
fn an_import_in_a_zone_takes_times_to_be_of_that_zone() {
    let (_, name, text) = LOGS[4];
    let zone = time_zone("Europe/Berlin").expect("a zone");
    let at = |options: &Options| {
        let (steps, _) =
            replay_with(&[(name, text.as_bytes())], &SourceOptions::default(), options);
        steps.iter().map(|step| (step.id, step.at.0)).collect::<Vec<_>>()
    };
    let (utc, berlin) = (at(&Options::default()), at(&Options { zone, ..Options::default() }));
    for (utc, berlin) in utc.iter().zip(&berlin) {
        assert_eq!(utc.1 - berlin.1, 3_600_000);
        assert_eq!(utc.0, berlin.0, "a line is the same line in every zone");
    }
}

#[test]
fn a_nick_of_rank_and_a_request_of_a_client_are_no_words() {
    let text = "[07:00] <~wren> one\n[07:01] <wren> \u{1}ACTION waves\u{1}\n[07:02] <wren> \u{1}VERSION\u{1}\n";
    let (steps, replay) = replay_with(
        &[("#a/2014-05-06.log", text.as_bytes())],
        &SourceOptions::default(),
        &Options::default(),
    );
    let told: Vec<String> = steps.iter().skip(3).map(|step| told(&step.command)).collect();
    assert_eq!(told, ["Text wren one", "Emote wren waves"]);
    assert_eq!(replay.summary().count(Category::Aside), 1);
}

#[test]
fn nicks_that_the_operator_gives_to_users_are_those_users() {
    let text = "[07:00] <ada> one\n[07:01] <ada_> two\n[07:02] <bob> three\n";
    let mapping = crate::irc::Mapping::parse("ada = ada\nADA_ = ada").expect("reads");
    let options =
        Options { mapped: mapping.users, user_prefix: "old-".to_owned(), ..Options::default() };
    let (steps, _) =
        replay_with(&[("#a/2014-05-06.log", text.as_bytes())], &SourceOptions::default(), &options);
    let told: Vec<String> = steps.iter().map(|step| told(&step.command)).collect();
    assert_eq!(
        told,
        [
            "create #a as a",
            "join @ada",
            "Text @ada one",
            "Text @ada two",
            "register old-bob as bob",
            "join old-bob",
            "Text old-bob three"
        ]
    );
}
