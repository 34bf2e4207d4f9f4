//! `HexChat` and X-Chat: `Mar 03 10:00:01 <ada>`, a tab, the text; events follow `*` or an arrow.
//!
//! Source: `HexChat`, `src/common/textevents.in` and `src/common/text.c`.

use crate::irc::dialect::{
    form::{Event, aside, here, message, notice, stamped},
    star,
};
use crate::irc::line::{Aside, Line, Parsed, Unreadable, stamp};

pub(in crate::irc::dialect) fn read(text: &str) -> Parsed<'_> {
    if let Some(words) = text.strip_prefix("**** ") {
        return Parsed::of(None, about_the_log(words));
    }
    stamped(text, |rest, _| {
        let rest = rest.trim_start();
        if let Some(words) = rest.strip_prefix("*\t").or_else(|| rest.strip_prefix("* ")) {
            return Some(star::event(words));
        }
        let arrow = ["-->\t", "<--\t", "---\t"].iter().find_map(|mark| rest.strip_prefix(mark));
        if let Some(words) = arrow {
            return Some(behind_an_arrow(words));
        }
        if rest.starts_with('>') {
            return Some(aside(Aside::Client));
        }
        message(rest).or_else(|| notice(rest))
    })
}

/// No action follows an arrow.
fn behind_an_arrow(words: &str) -> Event<'_> {
    match star::event(words) {
        (_, Line::Emote { .. })
            if words.starts_with("Topic for ") || words.contains(" is away") =>
        {
            aside(Aside::Client)
        }
        (_, Line::Emote { .. } | Line::Empty) => here(Line::Unreadable(Unreadable::UnknownEvent)),
        event => event,
    }
}

/// `BEGIN LOGGING AT DAY`, `ENDING LOGGING AT DAY`
fn about_the_log(words: &str) -> Line<'_> {
    ["BEGIN LOGGING AT ", "ENDING LOGGING AT "]
        .iter()
        .find_map(|mark| stamp::day_and_time(words.strip_prefix(mark)?))
        .map_or(Line::Unreadable(Unreadable::UnknownStart), |(date, time)| Line::Day { date, time })
}

#[cfg(test)]
pub(in crate::irc::dialect) const SAMPLES: &[(&str, &str)] = &[
    ("**** BEGIN LOGGING AT Sun Mar  3 10:00:00 2013", "day 2013-03-03 10:00"),
    ("Mar 03 10:00:00 *\tNow talking on #tea", "3-3 10:00 #tea aside Client"),
    ("Mar 03 10:00:00 *\tTopic for #tea is: kettle", "3-3 10:00 #tea topic kettle"),
    ("Mar 03 10:00:00 *\tTopic for #tea set by ada (Sun Mar 3)", "3-3 10:00 aside TopicOrigin"),
    ("Mar 03 10:00:00 *\tada (~ada@host) has joined", "3-3 10:00 joined ada"),
    ("Mar 03 10:00:00 -->\tada (~ada@host) has joined #tea", "3-3 10:00 #tea joined ada"),
    ("Mar 03 10:00:01 <@ada>\thello", "3-3 10:00 message ada: hello"),
    ("Mar 03 10:02:00 *\tada waves", "3-3 10:02 emote ada: waves"),
    ("Mar 03 10:02:00 -ada/#tea-\tlisten", "3-3 10:02 #tea notice ada: listen"),
    ("Mar 03 10:03:00 *\tada is now known as eda", "3-3 10:03 renamed ada to eda"),
    ("Mar 03 10:03:00 ---\tada is now known as eda", "3-3 10:03 renamed ada to eda"),
    ("Mar 03 10:03:00 *\tYou are now known as eda", "3-3 10:03 aside Client"),
    ("Mar 03 10:03:00 *\tada gives channel operator status to bob", "3-3 10:03 aside Mode"),
    ("Mar 03 10:03:00 *\tada has changed the topic to: new", "3-3 10:03 topic new"),
    (
        "Mar 03 10:04:00 *\tada has kicked bob from #tea (spam)",
        "3-3 10:04 #tea kicked bob by ada: spam",
    ),
    ("Mar 03 10:04:00 *\tbob (~b@host) has left (\"bye\")", "3-3 10:04 left bob: bye"),
    ("Mar 03 10:04:00 <--\tbob (~b@host) has left #tea", "3-3 10:04 #tea left bob"),
    ("Mar 03 10:04:00 *\tbob has quit (Quit: bye)", "3-3 10:04 left bob: Quit: bye"),
    ("Mar 03 10:04:00 <--\tbob has quit (Quit: bye)", "3-3 10:04 left bob: Quit: bye"),
    ("Mar 03 10:04:00 ---\tsomething odd", "3-3 10:04 unreadable UnknownEvent"),
    ("[10:00:01] <ada>\thello", "10:00 message ada: hello"),
    ("Mar 03 10:00:01 <ada> hello", "3-3 10:00 message ada: hello"),
    ("Mar 03 10:02:00 * ada waves", "3-3 10:02 emote ada: waves"),
    ("Mar 03 10:04:00 words alone", "3-3 10:04 unreadable UnknownForm"),
    ("**** ENDING LOGGING AT Sun Mar  3 11:00:00 2013", "day 2013-03-03 11:00"),
];
