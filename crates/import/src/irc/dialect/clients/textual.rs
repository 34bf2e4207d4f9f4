//! Textual: `[2013-03-03T10:00:01+0000] <@ada> hello`, `[..] • ada: waves`, `[..] ada (~ada@host) joined the channel`.
//!
//! Source: Textual, `TVCLogLine.m` and `BasicLanguage.strings`.

use crate::irc::dialect::form::{
    Event, aside, bearer, channel_first, here, message, notice, reason_of, renamed, sets_mode,
    sets_topic, stamped, worded,
};
use crate::irc::line::{Aside, Line, Parsed, nick::Nick};

pub(in crate::irc::dialect) fn read(text: &str) -> Parsed<'_> {
    let bare = text.trim().trim_matches(['-', '—', '–', ' ']);
    if bare.len() < text.trim().len() && (bare == "Begin Session" || bare == "End Session") {
        return Parsed::of(None, Line::Aside(Aside::Client));
    }
    stamped(text, |rest, _| {
        let rest = rest.trim_start();
        message(rest).or_else(|| action(rest)).or_else(|| notice(rest)).or_else(|| event(rest))
    })
}

/// `• NICK: TEXT`
fn action(text: &str) -> Option<Event<'_>> {
    let words = text.strip_prefix('•')?.trim_start();
    let (nick, text) = words.split_once([':', ' '])?;
    let text = text.strip_prefix(' ').unwrap_or(text);
    Some(here(worded(Nick::parse_ranked(nick), text, |nick, text| Line::Emote { nick, text })))
}

fn event(text: &str) -> Option<Event<'_>> {
    renamed(text, " is now known as ")
        .or_else(|| sets_mode(text))
        .or_else(|| topic(text))
        .or_else(|| kicked(text))
        .or_else(|| came_or_went(text))
}

fn topic(text: &str) -> Option<Event<'_>> {
    if text.starts_with("Topic set by ") || text.starts_with("Set by ") {
        return Some(aside(Aside::TopicOrigin));
    }
    if text.starts_with("Mode is ") {
        return Some(aside(Aside::Mode));
    }
    if let Some(topic) = text.strip_prefix("Topic is ") {
        return Some(here(Line::Topic { topic: topic.trim() }));
    }
    [" changed the topic to ", " changed topic to "].iter().find_map(|verb| sets_topic(text, verb))
}

/// `ada kicked bob from the channel (spam)`
fn kicked(text: &str) -> Option<Event<'_>> {
    let (by, rest) = text.split_once(" kicked ")?;
    let (nick, rest) = rest.split_once(" from the channel")?;
    let (nick, by) = (Nick::parse_ranked(nick)?, Nick::parse_ranked(by)?);
    Some(here(Line::Kicked { nick, by, reason: reason_of(rest) }))
}

fn came_or_went(text: &str) -> Option<Event<'_>> {
    let (who, verb) = bearer(text)?;
    let nick = who.nick;
    if let Some(rest) = verb.strip_prefix("joined") {
        let rest = rest.trim().strip_prefix("the channel").unwrap_or(rest);
        let (channel, rest) = channel_first(rest.trim_end_matches('.'));
        return rest.trim().is_empty().then_some((channel, Line::Joined { nick }));
    }
    let rest = verb.strip_prefix("left ")?;
    let rest =
        ["the channel", "IRC"].iter().find_map(|from| rest.strip_prefix(from)).unwrap_or(rest);
    let (channel, reason) = channel_first(rest);
    let bracketed = reason.trim().is_empty() || reason.trim_start().starts_with('(');
    bracketed.then_some((channel, Line::Left { nick, reason: reason_of(reason) }))
}

#[cfg(test)]
pub(in crate::irc::dialect) const SAMPLES: &[(&str, &str)] = &[
    ("———————————— Begin Session ————————————", "aside Client"),
    (
        "[2013-03-03T10:00:00+0000] ada (~ada@host) joined the channel",
        "2013-03-03 10:00 joined ada",
    ),
    ("[2013-03-03T10:00:01+0000] <@ada> hello", "2013-03-03 10:00 message ada: hello"),
    ("[2013-03-03 10:00:01 +0000] <ada> hello", "2013-03-03 10:00 message ada: hello"),
    ("[2013-03-03T10:02:00+0000] • ada: waves", "2013-03-03 10:02 emote ada: waves"),
    ("[2013-03-03T10:02:00+0000] -ada- listen", "2013-03-03 10:02 notice ada: listen"),
    ("[2013-03-03T10:03:00+0000] ada is now known as eda", "2013-03-03 10:03 renamed ada to eda"),
    ("[2013-03-03T10:03:00+0000] ada sets mode +o bob", "2013-03-03 10:03 aside Mode"),
    ("[2013-03-03T10:03:00+0000] ada changed the topic to kettle", "2013-03-03 10:03 topic kettle"),
    ("[2013-03-03T10:03:00+0000] Topic is kettle", "2013-03-03 10:03 topic kettle"),
    (
        "[2013-03-03T10:04:00+0000] ada kicked bob from the channel (spam)",
        "2013-03-03 10:04 kicked bob by ada: spam",
    ),
    (
        "[2013-03-03T10:04:00+0000] eda (~ada@host) left the channel (bye)",
        "2013-03-03 10:04 left eda: bye",
    ),
    (
        "[2013-03-03T10:04:00+0000] eda (~ada@host) left IRC (Quit: x)",
        "2013-03-03 10:04 left eda: Quit: x",
    ),
    ("[2013-03-03T10:04:00+0000] something odd", "2013-03-03 10:04 unreadable UnknownForm"),
];
