//! The Lounge: `[2013-03-03T10:00:01.000Z] <ada> hello`, `[..] *** ada (~ada@host) joined`.
//!
//! Source: The Lounge, `server/plugins/messageStorage/text.ts`.

use crate::irc::dialect::form::{
    Event, aside, bearer, here, marked, reason_of, renamed, sets_mode, sets_topic, spoken, stamped,
    was_kicked,
};
use crate::irc::line::{Aside, Line, Parsed};

pub(in crate::irc::dialect) fn read(text: &str) -> Parsed<'_> {
    stamped(text, |rest, _| {
        let rest = rest.trim_start();
        marked(rest, "*** ", event).or_else(|| spoken(rest))
    })
}

fn event(text: &str) -> Option<Event<'_>> {
    renamed(text, " changed nick to ")
        .or_else(|| was_kicked(text, " was kicked "))
        .or_else(|| sets_mode(text))
        .or_else(|| sets_topic(text, " changed topic to:"))
        .or_else(|| text.contains(" changed host to '").then_some(aside(Aside::Client)))
        .or_else(|| came_or_went(text))
}

fn came_or_went(text: &str) -> Option<Event<'_>> {
    let (who, verb) = bearer(text)?;
    let nick = who.nick;
    let (verb, reason) = verb.split_once(' ').unwrap_or((verb, ""));
    let bracketed = reason.trim().is_empty() || reason.trim_start().starts_with('(');
    match verb.trim() {
        "joined" if reason.trim().is_empty() => Some(here(Line::Joined { nick })),
        "left" | "quit" if bracketed => Some(here(Line::Left { nick, reason: reason_of(reason) })),
        _ => None,
    }
}

#[cfg(test)]
pub(in crate::irc::dialect) const SAMPLES: &[(&str, &str)] = &[
    ("[2013-03-03T10:00:00.000Z] *** ada (~ada@host) joined", "2013-03-03 10:00 joined ada"),
    ("[2013-03-03T10:00:01.000Z] <@ada> hello", "2013-03-03 10:00 message ada: hello"),
    ("[2013-03-03T10:02:00.000Z] * @ada waves", "2013-03-03 10:02 emote ada: waves"),
    ("[2013-03-03T10:02:00.000Z] -ada- listen", "2013-03-03 10:02 notice ada: listen"),
    (
        "[2013-03-03T10:03:00.000Z] *** ada changed nick to eda",
        "2013-03-03 10:03 renamed ada to eda",
    ),
    ("[2013-03-03T10:03:00.000Z] *** ada set mode +o bob", "2013-03-03 10:03 aside Mode"),
    (
        "[2013-03-03T10:03:00.000Z] *** ada changed topic to: kettle",
        "2013-03-03 10:03 topic kettle",
    ),
    ("[2013-03-03T10:03:00.000Z] *** ada changed host to '~a@b'", "2013-03-03 10:03 aside Client"),
    (
        "[2013-03-03T10:04:00.000Z] *** bob was kicked by ada (spam)",
        "2013-03-03 10:04 kicked bob by ada: spam",
    ),
    ("[2013-03-03T10:04:00.000Z] *** eda (~ada@host) left (bye)", "2013-03-03 10:04 left eda: bye"),
    (
        "[2013-03-03T10:04:00.000Z] *** eda (~ada@host) quit (Ping timeout)",
        "2013-03-03 10:04 left eda: Ping timeout",
    ),
    ("[2013-03-03T10:04:00.000Z] *** something odd", "2013-03-03 10:04 unreadable UnknownEvent"),
    ("[2013-03-03 10:00:01] <ada> hello", "2013-03-03 10:00 message ada: hello"),
];
