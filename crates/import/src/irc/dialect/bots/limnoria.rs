//! Limnoria and Supybot: `2013-03-03T10:00:00 *** ada <~ada@host> has joined #tea`, `2013-03-03T10:00:01 <ada> hello`.
//!
//! Source: Limnoria, `plugins/ChannelLogger/plugin.py`.

use crate::irc::dialect::form::{
    Event, bearer, channel_first, channel_of, here, marked, reason_of, renamed, sets_mode,
    sets_topic, spoken, stamped, was_kicked,
};
use crate::irc::line::{Line, Parsed};

pub(in crate::irc::dialect) fn read(text: &str) -> Parsed<'_> {
    stamped(text, |rest, _| {
        let rest = rest.trim_start();
        marked(rest, "*** ", event).or_else(|| spoken(rest))
    })
}

fn event(text: &str) -> Option<Event<'_>> {
    renamed(text, " is now known as ")
        .or_else(|| was_kicked(text, " was kicked "))
        .or_else(|| sets_mode(text))
        .or_else(|| sets_topic(text, " changes topic to "))
        .or_else(|| came_or_went(text))
}

fn came_or_went(text: &str) -> Option<Event<'_>> {
    let (who, verb) = bearer(text)?;
    let nick = who.nick;
    if let Some(rest) = verb.strip_prefix("has joined") {
        return Some((channel_of(rest), Line::Joined { nick }));
    }
    if let Some(rest) = verb.strip_prefix("has left") {
        let (channel, reason) = channel_first(rest);
        return Some((channel, Line::Left { nick, reason: reason_of(reason) }));
    }
    let reason = verb.strip_prefix("has quit")?;
    let reason = reason.strip_prefix(" IRC").unwrap_or(reason);
    Some(here(Line::Left { nick, reason: reason_of(reason) }))
}

#[cfg(test)]
pub(in crate::irc::dialect) const SAMPLES: &[(&str, &str)] = &[
    ("2013-03-03T10:00:00 *** ada <~ada@host> has joined #tea", "2013-03-03 10:00 #tea joined ada"),
    ("2013-03-03T10:00:00  *** ada has joined #tea", "2013-03-03 10:00 #tea joined ada"),
    ("2013-03-03T10:00:01 <ada> hello", "2013-03-03 10:00 message ada: hello"),
    ("2013-03-03T10:02:00 * ada waves", "2013-03-03 10:02 emote ada: waves"),
    ("2013-03-03T10:02:00 -ada- listen", "2013-03-03 10:02 notice ada: listen"),
    ("2013-03-03T10:03:00 *** ada is now known as eda", "2013-03-03 10:03 renamed ada to eda"),
    ("2013-03-03T10:03:00 *** ada sets mode: +o bob", "2013-03-03 10:03 aside Mode"),
    ("2013-03-03T10:03:00 *** ada changes topic to \"kettle\"", "2013-03-03 10:03 topic kettle"),
    (
        "2013-03-03T10:04:00 *** bob was kicked by ada (spam)",
        "2013-03-03 10:04 kicked bob by ada: spam",
    ),
    (
        "2013-03-03T10:04:00 *** eda <~ada@host> has left #tea (bye)",
        "2013-03-03 10:04 #tea left eda: bye",
    ),
    (
        "2013-03-03T10:04:00 *** eda <~ada@host> has quit IRC (Ping timeout)",
        "2013-03-03 10:04 left eda: Ping timeout",
    ),
    ("2013-03-03T10:04:00 *** something odd", "2013-03-03 10:04 unreadable UnknownEvent"),
    ("Mar 03 10:00:02 2013  <ada> hello", "2013-03-03 10:00 message ada: hello"),
];
