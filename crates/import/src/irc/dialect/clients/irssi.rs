//! irssi: `10:00 < ada> hello`, `10:00  * ada waves`, `10:00 -!- ada [~ada@host] has joined #tea`.
//!
//! Source: irssi, `themes/default.theme` and `src/fe-common/core/fe-log.c`.

use crate::irc::dialect::form::{
    Event, aside, bearer, channel_first, channel_of, here, marked, reason_of, renamed, spoken,
    stamped, was_kicked,
};
use crate::irc::line::{Aside, Line, Parsed, Unreadable, stamp};

pub(in crate::irc::dialect) fn read(text: &str) -> Parsed<'_> {
    if let Some(words) = text.strip_prefix("--- ") {
        return Parsed::of(None, about_the_log(words));
    }
    stamped(text, |rest, _| {
        let rest = rest.trim_start();
        marked(rest, "-!-", event).or_else(|| spoken(rest)).or_else(|| names(rest))
    })
}

/// `Log opened DAY`, `Log closed DAY`, `Day changed DAY`
fn about_the_log(words: &str) -> Line<'_> {
    ["Log opened ", "Log closed ", "Day changed to ", "Day changed "]
        .iter()
        .find_map(|mark| stamp::day_and_time(words.strip_prefix(mark)?))
        .map_or(Line::Unreadable(Unreadable::UnknownStart), |(date, time)| Line::Day { date, time })
}

/// `[Users #tea]` and the nicks below it.
fn names(text: &str) -> Option<Event<'static>> {
    let lists = text.starts_with('[') && text.trim_end().ends_with(']');
    lists.then_some(aside(Aside::Client))
}

fn event(text: &str) -> Option<Event<'_>> {
    only_irc(text)
        .or_else(|| topic(text))
        .or_else(|| renamed(text, " is now known as "))
        .or_else(|| came_or_went(text))
        .or_else(|| was_kicked(text, " was kicked from "))
}

fn only_irc(text: &str) -> Option<Event<'_>> {
    for mark in ["mode/", "ServerMode/"] {
        if let Some(rest) = text.strip_prefix(mark) {
            return Some((channel_first(rest).0, Line::Aside(Aside::Mode)));
        }
    }
    if text.starts_with("Topic set by ") {
        return Some(aside(Aside::TopicOrigin));
    }
    if text.starts_with("Netsplit ") {
        return Some(aside(Aside::Network));
    }
    let told = [
        "Irssi: ",
        "You're now known as ",
        "You were kicked from ",
        "Your nick ",
        "Channel ",
        "Home page for ",
        "Join to ",
        "Keepalive",
        "Server: ",
        "CTCP ",
    ];
    told.iter().any(|mark| text.starts_with(mark)).then_some(aside(Aside::Client))
}

fn topic(text: &str) -> Option<Event<'_>> {
    if let Some(rest) = text.strip_prefix("Topic for ") {
        let (channel, topic) = rest.split_once(':')?;
        return Some((Some(channel_of(channel)?), Line::Topic { topic: topic.trim() }));
    }
    if let Some(rest) = text.strip_prefix("Topic unset by ") {
        let (_, channel) = rest.split_once(" on ")?;
        return Some((Some(channel_of(channel)?), Line::Topic { topic: "" }));
    }
    let (_, rest) = text.split_once(" changed the topic of ")?;
    let (channel, topic) = rest.split_once(" to:")?;
    Some((Some(channel_of(channel)?), Line::Topic { topic: topic.trim() }))
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
    Some(here(Line::Left { nick, reason: reason_of(reason) }))
}

#[cfg(test)]
pub(in crate::irc::dialect) const SAMPLES: &[(&str, &str)] = &[
    ("--- Log opened Sun Mar 03 10:00:00 2013", "day 2013-03-03 10:00"),
    ("10:00 -!- ada [~ada@host.example] has joined #tea", "10:00 #tea joined ada"),
    ("10:00 -!- ada [~ada@h] [account] has joined #tea", "10:00 #tea joined ada"),
    ("10:00 [Users #tea]", "10:00 aside Client"),
    ("10:00 [@ada] [ bob]", "10:00 aside Client"),
    ("10:00 -!- Irssi: #tea: Total of 2 nicks [1 ops]", "10:00 aside Client"),
    ("10:00 < ada> hello", "10:00 message ada: hello"),
    ("10:00 <@ada> hello", "10:00 message ada: hello"),
    ("10:00 <~ada> <bob> was quoted", "10:00 message ada: <bob> was quoted"),
    ("16:59:05< ada> hello", "16:59 message ada: hello"),
    ("2013-03-03 16:59:05 <ada> hello", "2013-03-03 16:59 message ada: hello"),
    ("10:02  * ada waves", "10:02 emote ada: waves"),
    ("16:59:06 * ada waves", "16:59 emote ada: waves"),
    ("10:02  * ada (x@y) has joined #tea", "10:02 emote ada: (x@y) has joined #tea"),
    ("10:02 -ada:#tea- listen", "10:02 #tea notice ada: listen"),
    ("10:02 -ada(~ada@host)- psst", "10:02 aside Client"),
    ("10:03 -!- ada is now known as eda", "10:03 renamed ada to eda"),
    ("10:03 -!- You're now known as eda", "10:03 aside Client"),
    ("10:03 -!- mode/#tea [+o bob] by ada", "10:03 #tea aside Mode"),
    ("10:03 -!- ServerMode/#tea [+nt] by irc.example", "10:03 #tea aside Mode"),
    ("10:03 -!- Topic for #tea: kettle: on", "10:03 #tea topic kettle: on"),
    ("10:03 -!- Topic set by ada [] [Sun Mar  3 2013]", "10:03 aside TopicOrigin"),
    ("10:03 -!- ada changed the topic of #tea to: new", "10:03 #tea topic new"),
    ("10:03 -!- Topic unset by ada on #tea", "10:03 #tea topic "),
    ("10:04 -!- bob was kicked from #tea by ada [spam]", "10:04 #tea kicked bob by ada: spam"),
    ("10:04 -!- eda [~ada@host] has left #tea [bye]", "10:04 #tea left eda: bye"),
    ("10:04 -!- eda [~ada@host] has left #tea []", "10:04 #tea left eda"),
    ("10:04 -!- eda [~ada@host] has quit [Ping timeout]", "10:04 left eda: Ping timeout"),
    ("10:04 -!- Netsplit a.example <-> b.example quits: x, y", "10:04 aside Network"),
    ("10:04 -!- eda brewed something", "10:04 unreadable UnknownEvent"),
    ("10:04 words alone", "10:04 unreadable UnknownForm"),
    ("--- Day changed Mon Mar 04 2013", "day 2013-03-04"),
    ("--- Log closed Mon Mar 04 11:00:00 2013", "day 2013-03-04 11:00"),
    ("--- something else", "unreadable UnknownStart"),
];
