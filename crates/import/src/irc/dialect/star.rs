//! Events that clients write after one star, which also precedes actions: mIRC and `HexChat`.
//!
//! **Invariant:** a text with a user's mask after the nick is not an action: if its verb is unknown, it is
//! unreadable.

use super::form::{
    Event, acted, aside, bearer, channel_first, channel_of, here, kicker, reason_of, renamed,
    sets_mode, sets_topic, unquoted, was_kicked,
};
use crate::irc::line::{Aside, Line, Unreadable, nick::Nick};

/// Reads the text after the star.
pub(super) fn event(text: &str) -> Event<'_> {
    let text = text.trim_start();
    told(text)
        .or_else(|| topic(text))
        .or_else(|| renamed(text, " is now known as "))
        .or_else(|| {
            let found = ["Joins: ", "Parts: ", "Quits: "];
            found.iter().find_map(|verb| named_first(text.strip_prefix(verb)?, verb))
        })
        .or_else(|| came_or_went(text))
        .or_else(|| kicked(text))
        .or_else(|| sets_mode(text))
        .unwrap_or_else(|| match bearer(text) {
            Some((who, _)) if who.masked => here(Line::Unreadable(Unreadable::UnknownEvent)),
            _ => here(acted(text)),
        })
}

/// Messages of the client about itself and its own user.
fn told(text: &str) -> Option<Event<'_>> {
    for mark in
        ["Now talking in ", "Now talking on ", "Rejoined channel ", "Attempting to rejoin channel "]
    {
        if let Some(channel) = text.strip_prefix(mark) {
            return Some((channel_of(channel), Line::Aside(Aside::Client)));
        }
    }
    let origin = text.starts_with("Set by ")
        || text
            .strip_prefix("Topic for ")
            .is_some_and(|rest| channel_first(rest).1.starts_with("set by "));
    if origin {
        return Some(aside(Aside::TopicOrigin));
    }
    let starts = [
        "You are now known as ",
        "Your nick is now ",
        "You were kicked ",
        "You have been kicked ",
        "You have left ",
        "Disconnected",
        "Connected to ",
        "Connecting to ",
        "Retrieving #",
        "Looking up ",
        "Channel ",
        "URL for #",
        "Found your IP",
        "Closing link",
        "Unable to ",
        "Cannot join ",
        "No such nick",
    ];
    if text.starts_with('#') || starts.iter().any(|mark| text.starts_with(mark)) {
        return Some(aside(Aside::Client));
    }
    text.starts_with("Netsplit ").then_some(aside(Aside::Network))
}

fn topic(text: &str) -> Option<Event<'_>> {
    if let Some(topic) = text.strip_prefix("Topic is ") {
        return Some(here(Line::Topic { topic: unquoted(topic) }));
    }
    if let Some(rest) = text.strip_prefix("Topic for ") {
        let (channel, topic) = channel_first(rest);
        return Some((Some(channel?), Line::Topic { topic: topic.strip_prefix("is: ")?.trim() }));
    }
    if let Some((name, rest)) = text.split_once(" has changed the topic for ") {
        kicker(name)?;
        let (channel, topic) = rest.split_once(" to: ")?;
        return Some((Some(channel_of(channel)?), Line::Topic { topic: topic.trim() }));
    }
    [" changes topic to ", " has changed the topic to: "]
        .iter()
        .find_map(|verb| sets_topic(text, verb))
}

/// `Joins: NICK (IDENT@HOST)`, `Parts: NICK (IDENT@HOST) (REASON)`
pub(super) fn named_first<'a>(text: &'a str, verb: &str) -> Option<Event<'a>> {
    let (name, rest) = text.trim_start().split_once(' ').unwrap_or((text.trim(), ""));
    let name = name.split_once('!').map_or(name, |(name, _)| name);
    let nick = Nick::parse_ranked(name)?;
    // The first bracket is the mask, and the second one has the reason.
    let rest = rest.trim();
    let reason = match rest.split_once(") ").or_else(|| rest.split_once("] ")) {
        Some((mask, reason)) if mask.contains('@') => reason,
        _ if rest.contains('@') && !rest.contains(' ') => "",
        _ => rest,
    };
    Some(here(match verb.trim() {
        "Joins:" => Line::Joined { nick },
        _ => Line::Left { nick, reason: reason_of(reason) },
    }))
}

fn came_or_went(text: &str) -> Option<Event<'_>> {
    let (who, verb) = bearer(text)?;
    let (nick, masked) = (who.nick, who.masked);
    if let Some(rest) = verb.strip_prefix("has joined") {
        let channel = channel_of(rest);
        let whole = rest.trim().is_empty() || channel.is_some();
        return (masked && whole).then_some((channel, Line::Joined { nick }));
    }
    if let Some(rest) = verb.strip_prefix("has left") {
        let (channel, reason) = channel_first(rest);
        let bracketed = reason.trim().is_empty() || reason.trim_start().starts_with(['(', '[']);
        let left = Line::Left { nick, reason: reason_of(reason) };
        return (bracketed && (masked || channel.is_some())).then_some((channel, left));
    }
    let reason = verb.strip_prefix("has quit").or_else(|| verb.strip_prefix("Quit"))?;
    let bracketed = reason.trim_start().starts_with('(') && reason.trim_end().ends_with(')');
    let left = Line::Left { nick, reason: reason_of(reason) };
    (bracketed || masked).then_some(here(left))
}

fn kicked(text: &str) -> Option<Event<'_>> {
    if let Some((by, rest)) = text.split_once(" has kicked ") {
        let (nick, rest) = rest.split_once(" from ")?;
        let (channel, reason) = channel_first(rest);
        let (nick, by) = (Nick::parse_ranked(nick)?, kicker(by)?);
        return Some((Some(channel?), Line::Kicked { nick, by, reason: reason_of(reason) }));
    }
    was_kicked(text, " was kicked ")
}
