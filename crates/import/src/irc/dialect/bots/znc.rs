//! ZNC's module `log` and energymech: `[10:00:01] <ada> hello`, `[10:00:02] *** Joins: ada (~ada@host)`.
//!
//! Source: ZNC, `modules/log.cpp`; energymech, `src/channel.c`.

use crate::irc::dialect::{
    form::{
        Event, aside, here, marked, renamed, sets_mode, sets_topic, spoken, stamped, was_kicked,
    },
    star::named_first,
};
use crate::irc::line::{Aside, Line, Parsed, stamp};

pub(in crate::irc::dialect) fn read(text: &str) -> Parsed<'_> {
    stamped(text, |rest, _| {
        let rest = rest.trim_start();
        if let Some(day) = rest.strip_prefix("--- ").and_then(stamp::day_and_time) {
            return Some(here(Line::Day { date: day.0, time: day.1 }));
        }
        marked(rest, "*** ", event).or_else(|| spoken(rest))
    })
}

fn event(text: &str) -> Option<Event<'_>> {
    ["Joins: ", "Parts: ", "Quits: "]
        .iter()
        .find_map(|verb| named_first(text.strip_prefix(verb)?, verb))
        .or_else(|| renamed(text, " is now known as "))
        .or_else(|| was_kicked(text, " was kicked "))
        .or_else(|| sets_mode(text))
        .or_else(|| sets_topic(text, " changes topic to "))
        .or_else(|| text.starts_with("Netsplit").then_some(aside(Aside::Network)))
}

#[cfg(test)]
pub(in crate::irc::dialect) const SAMPLES: &[(&str, &str)] = &[
    ("[10:00:00] *** Joins: ada (~ada@host.example)", "10:00 joined ada"),
    ("[10:00:01] <ada> hello", "10:00 message ada: hello"),
    ("[10:00:01] <@ada> hello", "10:00 message ada: hello"),
    ("[10:02:00] * ada waves", "10:02 emote ada: waves"),
    ("[10:02:00] * ada (x@y) has joined #tea", "10:02 emote ada: (x@y) has joined #tea"),
    ("[10:02:00] -ada- listen", "10:02 notice ada: listen"),
    ("[10:03:00] *** ada is now known as eda", "10:03 renamed ada to eda"),
    ("[10:03:00] *** ada sets mode: +o bob", "10:03 aside Mode"),
    ("[10:03:00] *** ada changes topic to 'kettle'", "10:03 topic kettle"),
    ("[10:04:00] *** bob was kicked by ada (spam)", "10:04 kicked bob by ada: spam"),
    ("[10:04:00] *** Parts: eda (~ada@host.example) (bye (now))", "10:04 left eda: bye (now)"),
    ("[10:04:00] *** Parts: eda (~ada@host.example) ()", "10:04 left eda"),
    (
        "[10:04:00] *** Quits: eda (~ada@host.example) (Ping timeout)",
        "10:04 left eda: Ping timeout",
    ),
    ("[10:04] *** Quits: eda (Ping timeout)", "10:04 left eda: Ping timeout"),
    ("[10:04:00] *** eda brews", "10:04 unreadable UnknownEvent"),
    ("[00:00] --- Mon Mar 04 2013", "00:00 day 2013-03-04"),
];
