//! eggdrop: `[10:01] <ada> hello`, `[10:02] Action: ada waves`, `[10:00] ada (~ada@host) joined #tea.`
//!
//! Source: eggdrop, `src/mod/irc.mod/chan.c` and `mode.c`.

use crate::irc::dialect::form::{
    Event, acted, aside, bearer, channel_first, channel_of, here, kicker, message, notice,
    reason_of, stamped,
};
use crate::irc::line::{Aside, Line, Parsed, nick::Nick, stamp};

pub(in crate::irc::dialect) fn read(text: &str) -> Parsed<'_> {
    stamped(text, |rest, _| {
        let rest = rest.trim_start();
        if let Some((date, time)) = rest.strip_prefix("--- ").and_then(stamp::day_and_time) {
            return Some(here(Line::Day { date, time }));
        }
        if let Some(words) = rest.strip_prefix("Action: ") {
            return Some(here(acted(words)));
        }
        message(rest).or_else(|| notice(rest)).or_else(|| event(rest))
    })
}

fn event(text: &str) -> Option<Event<'_>> {
    of_the_bot(text)
        .or_else(|| renamed(text))
        .or_else(|| topic(text))
        .or_else(|| kicked(text))
        .or_else(|| came_or_went(text))
}

fn of_the_bot(text: &str) -> Option<Event<'_>> {
    if text.starts_with('#') || text.starts_with("@#") {
        let channel = channel_of(text.trim_start_matches('@').split([' ', ':']).next()?);
        let mode = text.contains(": mode change ") || text.starts_with('@');
        return mode.then_some((channel, Line::Aside(Aside::Mode)));
    }
    let told =
        ["Switching logfiles", "Writing ", "Channel file ", "CTCP ", "Backing up ", "Logfile "];
    told.iter().any(|mark| text.starts_with(mark)).then_some(aside(Aside::Client))
}

/// `Nick change: ada -> eda`
fn renamed(text: &str) -> Option<Event<'_>> {
    let (from, to) = text.strip_prefix("Nick change: ")?.split_once(" -> ")?;
    Some(here(Line::Renamed { from: Nick::parse(from.trim())?, to: Nick::parse(to.trim())? }))
}

/// `Topic changed on #tea by ada!~ada@host: new`
fn topic(text: &str) -> Option<Event<'_>> {
    let (channel, rest) = channel_first(text.strip_prefix("Topic changed on ")?);
    let (by, topic) = rest.strip_prefix("by ")?.split_once(": ").unwrap_or((rest, ""));
    kicker(by.trim())?;
    Some((channel, Line::Topic { topic: topic.trim() }))
}

/// `bob kicked from #tea by ada: spam`
fn kicked(text: &str) -> Option<Event<'_>> {
    let (nick, rest) = text.split_once(" kicked from ")?;
    let (channel, rest) = channel_first(rest);
    let (by, reason) = rest.strip_prefix("by ")?.split_once(':').unwrap_or((&rest[3..], ""));
    let (nick, by) = (Nick::parse(nick)?, kicker(by.trim())?);
    Some((Some(channel?), Line::Kicked { nick, by, reason: reason_of(reason) }))
}

fn came_or_went(text: &str) -> Option<Event<'_>> {
    let (who, verb) = bearer(text)?;
    let nick = who.nick;
    if !who.masked {
        return None;
    }
    for joined in ["joined ", "returned to "] {
        if let Some(channel) = verb.strip_prefix(joined) {
            return Some((channel_of(channel), Line::Joined { nick }));
        }
    }
    if verb.starts_with("got netsplit") || verb.starts_with("got lost in the net-split") {
        return Some(aside(Aside::Network));
    }
    if let Some(reason) = verb.strip_prefix("left irc") {
        return Some(here(Line::Left { nick, reason: reason_of(reason) }));
    }
    let (channel, reason) = channel_first(verb.strip_prefix("left ")?);
    Some((Some(channel?), Line::Left { nick, reason: reason_of(reason) }))
}

#[cfg(test)]
pub(in crate::irc::dialect) const SAMPLES: &[(&str, &str)] = &[
    ("[00:00] --- Sun Mar  3 2013", "00:00 day 2013-03-03"),
    ("[10:00] ada (~ada@host.example) joined #tea.", "10:00 #tea joined ada"),
    ("[10:01] <ada> hello", "10:01 message ada: hello"),
    ("[10:02] Action: ada waves", "10:02 emote ada: waves"),
    ("[10:02] -ada:#tea- listen", "10:02 #tea notice ada: listen"),
    ("[10:03] Nick change: ada -> eda", "10:03 renamed ada to eda"),
    ("[10:03] #tea: mode change '+o bob' by ada!~ada@host", "10:03 #tea aside Mode"),
    ("[10:03] @#tea (+nt) : [m/2 o/1 h/0 v/0 n/1 b/0 e/0 I/0]", "10:03 #tea aside Mode"),
    ("[10:03] Topic changed on #tea by ada!~ada@host: kettle: on", "10:03 #tea topic kettle: on"),
    ("[10:04] bob kicked from #tea by ada: spam", "10:04 #tea kicked bob by ada: spam"),
    ("[10:04] eda (~ada@host) left #tea (bye).", "10:04 #tea left eda: bye"),
    ("[10:04] eda (~ada@host) left #tea.", "10:04 #tea left eda"),
    ("[10:04] eda (~ada@host) left irc: Ping timeout", "10:04 left eda: Ping timeout"),
    ("[10:04] eda (~ada@host) got netsplit.", "10:04 aside Network"),
    ("[10:05] eda (~ada@host) returned to #tea.", "10:05 #tea joined eda"),
    ("[10:05] Switching logfiles...", "10:05 aside Client"),
    ("[10:05] something odd", "10:05 unreadable UnknownForm"),
    ("[10:05] * ada waves", "10:05 unreadable UnknownForm"),
];
