//! `WeeChat`: `2013-03-03 10:00:01`, a tab, the nick or a mark, a tab, the text.
//!
//! Source: `WeeChat`, `src/plugins/irc/irc-protocol.c` and the options `weechat.look.prefix_*`.

use crate::irc::dialect::form::{
    Event, acted, aside, bearer, channel_first, channel_of, here, kicker, reason_of, renamed, said,
    stamped, unquoted, worded,
};
use crate::irc::line::{Aside, Line, Parsed, Unreadable, nick::Nick};

pub(in crate::irc::dialect) fn read(text: &str) -> Parsed<'_> {
    stamped(text, |rest, _| {
        let (prefix, words) = rest.strip_prefix('\t')?.split_once('\t')?;
        let unknown = Line::Unreadable(Unreadable::UnknownEvent);
        let event = match prefix.trim() {
            "-->" | "→" => came(words),
            "<--" | "←" | "<-" => went(words),
            "--" | "ℹ" | "-" => told(words),
            "=!=" | "⚠" => Some(aside(Aside::Client)),
            "*" | "⚡" => return Some(here(acted(words))),
            "" => return None,
            nick => return Some(here(said(speaker(nick), words))),
        };
        Some(event.unwrap_or_else(|| here(unknown)))
    })
}

/// A nick, which options may put into brackets.
fn speaker(text: &str) -> Option<Nick> {
    let inner = text.strip_prefix('<').and_then(|text| text.strip_suffix('>'));
    let inner = inner.unwrap_or(text);
    Nick::parse_ranked(inner).or_else(|| Nick::parse_ranked(inner.trim_end_matches([':', ' '])))
}

fn came(text: &str) -> Option<Event<'_>> {
    let (who, verb) = bearer(text)?;
    let channel = verb.strip_prefix("has joined")?;
    Some((channel_of(channel), Line::Joined { nick: who.nick }))
}

fn went(text: &str) -> Option<Event<'_>> {
    let (who, verb) = bearer(text)?;
    let nick = who.nick;
    if let Some(rest) = verb.strip_prefix("has left") {
        let (channel, reason) = channel_first(rest);
        return Some((channel, Line::Left { nick, reason: reason_of(reason) }));
    }
    if let Some(reason) = verb.strip_prefix("has quit") {
        return Some(here(Line::Left { nick, reason: reason_of(reason) }));
    }
    let rest = verb.strip_prefix("has kicked ")?;
    let (kicked, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    let reason = match reason.strip_prefix("from ") {
        Some(rest) => channel_first(rest).1,
        None => reason,
    };
    Some(here(Line::Kicked {
        nick: Nick::parse_ranked(kicked)?,
        by: nick,
        reason: reason_of(reason),
    }))
}

fn told(text: &str) -> Option<Event<'_>> {
    if let Some(rest) = text.strip_prefix("Notice(") {
        return notice(rest);
    }
    if let Some(rest) = text.strip_prefix("Mode ") {
        return Some((channel_first(rest).0, Line::Aside(Aside::Mode)));
    }
    if text.starts_with("Topic set by ") {
        return Some(aside(Aside::TopicOrigin));
    }
    topic(text).or_else(|| renamed(text, " is now known as ")).or_else(|| {
        let marks = [
            "You are now known as ",
            "Channel ",
            "Nicks ",
            "URL for ",
            "CTCP ",
            "irc: ",
            "Day changed",
            "Unknown CTCP ",
        ];
        let words = [" is back", " is away", " has changed host", " is now away"];
        let of_client = marks.iter().any(|mark| text.starts_with(mark))
            || words.iter().any(|words| text.contains(words));
        of_client.then_some(aside(Aside::Client))
    })
}

/// `NICK) -> #CHANNEL: TEXT`; a notice with any other target is the logger's own.
fn notice(text: &str) -> Option<Event<'_>> {
    let (nick, rest) = text.split_once(')')?;
    let Some(rest) = rest.strip_prefix(" -> ") else { return Some(aside(Aside::Client)) };
    let (channel, text) = rest.split_once(": ")?;
    let Some(channel) = channel_of(channel) else { return Some(aside(Aside::Client)) };
    let line = worded(Nick::parse_ranked(nick), text, |nick, text| Line::Notice { nick, text });
    Some((Some(channel), line))
}

fn topic(text: &str) -> Option<Event<'_>> {
    if let Some(rest) = text.strip_prefix("Topic for ") {
        let (channel, topic) = rest.split_once(" is ")?;
        return Some((Some(channel_of(channel)?), Line::Topic { topic: unquoted(topic) }));
    }
    if let Some((name, rest)) = text.split_once(" has unset topic for ") {
        kicker(name)?;
        return Some((channel_first(rest).0, Line::Topic { topic: "" }));
    }
    let (name, rest) = text.split_once(" has changed topic for ")?;
    kicker(name)?;
    let (channel, rest) = channel_first(rest);
    // `from "OLD" to "NEW"`, or `to "NEW"`: the new one comes last.
    let rest = rest.trim_start();
    let topic = match rest.strip_prefix("from ") {
        Some(both) => both.split_once("\" to \"").map_or(both, |(_, new)| new),
        None => rest.strip_prefix("to ")?,
    };
    let topic = topic.trim();
    let topic = topic.strip_suffix('"').unwrap_or(topic);
    Some((channel, Line::Topic { topic: topic.strip_prefix('"').unwrap_or(topic) }))
}

#[cfg(test)]
pub(in crate::irc::dialect) const SAMPLES: &[(&str, &str)] = &[
    (
        "2013-03-03 10:00:00\t-->\tada (~ada@host) has joined #tea",
        "2013-03-03 10:00 #tea joined ada",
    ),
    (
        "2013-03-03 10:00:00\t-->\tada [acct] (Ada L.) (~ada@host) has joined #tea",
        "2013-03-03 10:00 #tea joined ada",
    ),
    ("2013-03-03 10:00:01\t@ada\thello\tthere", "2013-03-03 10:00 message ada: hello\tthere"),
    ("2013-03-03 10:00:01\t<ada>\thello", "2013-03-03 10:00 message ada: hello"),
    ("2013-03-03 10:02:00\t *\tada waves", "2013-03-03 10:02 emote ada: waves"),
    (
        "2013-03-03 10:02:00\t--\tNotice(ada) -> #tea: listen",
        "2013-03-03 10:02 #tea notice ada: listen",
    ),
    ("2013-03-03 10:02:00\t--\tNotice(ada): psst", "2013-03-03 10:02 aside Client"),
    ("2013-03-03 10:02:00\t--\tMode #tea [+o bob] by ada", "2013-03-03 10:02 #tea aside Mode"),
    ("2013-03-03 10:02:00\t--\tada is now known as eda", "2013-03-03 10:02 renamed ada to eda"),
    ("2013-03-03 10:02:00\t--\tYou are now known as eda", "2013-03-03 10:02 aside Client"),
    ("2013-03-03 10:02:00\t--\tTopic for #tea is \"kettle\"", "2013-03-03 10:02 #tea topic kettle"),
    (
        "2013-03-03 10:02:00\t--\tTopic set by ada on Sun, 03 Mar 2013",
        "2013-03-03 10:02 aside TopicOrigin",
    ),
    (
        "2013-03-03 10:02:00\t--\tada has changed topic for #tea from \"a\" to \"b \"c\"\"",
        "2013-03-03 10:02 #tea topic b \"c\"",
    ),
    (
        "2013-03-03 10:02:00\t--\tada has changed topic for #tea to \"b\"",
        "2013-03-03 10:02 #tea topic b",
    ),
    (
        "2013-03-03 10:02:00\t--\tada has unset topic for #tea (old topic: \"b\")",
        "2013-03-03 10:02 #tea topic ",
    ),
    ("2013-03-03 10:02:00\t--\tChannel #tea: 5 nicks (1 op)", "2013-03-03 10:02 aside Client"),
    ("2013-03-03 10:02:00\t=!=\tirc: cannot connect", "2013-03-03 10:02 aside Client"),
    ("2013-03-03 10:02:00\t--\tsomething odd", "2013-03-03 10:02 unreadable UnknownEvent"),
    (
        "2013-03-03 10:04:00\t<--\tbob (~b@host) has left #tea (\"bye\")",
        "2013-03-03 10:04 #tea left bob: bye",
    ),
    (
        "2013-03-03 10:04:00\t<--\tbob (~b@host) has quit (Quit: x)",
        "2013-03-03 10:04 left bob: Quit: x",
    ),
    (
        "2013-03-03 10:04:00\t<--\tada has kicked bob (spam)",
        "2013-03-03 10:04 kicked bob by ada: spam",
    ),
    ("2013-03-03 10:04:00\t\tno prefix", "2013-03-03 10:04 unreadable UnknownForm"),
    ("2013-03-03 10:04:00 <ada> hello", "2013-03-03 10:04 unreadable UnknownForm"),
];
