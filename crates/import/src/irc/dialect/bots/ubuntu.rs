//! The logs of the Ubuntu channels: `[10:01] <ada> hello`, `=== ada [~ada@host]  has joined #tea`.
//!
//! Logs up to 2007 put a space behind each `]`, write actions without a time (`=== NICK waves`),
//! and cut the reason of a leave after its first word; later logs do neither.

use crate::irc::dialect::form::{
    Event, action as starred, channel_of, message, notice, reason_of, stamped, worded,
};
use crate::irc::line::{
    Aside,
    Line::{self, Unreadable as No},
    Parsed, Unreadable,
    nick::Nick,
};

pub(in crate::irc::dialect) fn read(text: &str) -> Parsed<'_> {
    if let Some(words) = marked(text) {
        let (channel, what) = event(words);
        return Parsed { stamp: None, channel, what };
    }
    stamped(text, |rest, _| {
        let rest = rest.trim_start_matches(' ');
        if let Some(words) = marked(rest) {
            return Some(event(words));
        }
        message(rest)
            .or_else(|| starred(rest))
            .or_else(|| notice(rest))
            .or_else(|| sent_from_elsewhere(rest))
    })
}

/// The text after the mark of an event, if the text starts with that mark.
fn marked(text: &str) -> Option<&str> {
    let event = text.strip_prefix("===")?;
    (event.is_empty() || event.starts_with(' ')).then(|| event.trim_start_matches(' '))
}

/// `(NICK/#CHANNEL) TEXT`
fn sent_from_elsewhere(text: &str) -> Option<Event<'_>> {
    let (nick, rest) = text.strip_prefix('(')?.split_once('/')?;
    let (channel, text) = rest.split_once(") ")?;
    let nick = Nick::parse_spaced(nick)?;
    Some((channel_of(channel), worded(Some(nick), text, |nick, text| Line::Message { nick, text })))
}

/// Reads the text after `===`: an event, or an action without a time.
fn event(text: &str) -> Event<'_> {
    aside(text)
        .or_else(|| topic(text))
        .or_else(|| renamed(text))
        .or_else(|| came_or_went(text))
        .or_else(|| kicked(text))
        .unwrap_or_else(|| (None, action(text)))
}

fn aside(text: &str) -> Option<Event<'_>> {
    if let Some(rest) = text.strip_prefix("mode/#") {
        let end = rest.find(' ').unwrap_or(rest.len());
        return Some((channel_of(&text["mode/".len()..][..=end]), Line::Aside(Aside::Mode)));
    }
    if text.starts_with("Topic (#") && text.contains("): set by ") {
        return Some((None, Line::Aside(Aside::TopicOrigin)));
    }
    let network =
        ["netjoined:", "netsplit:", "Netsplit "].iter().any(|mark| text.starts_with(mark));
    network.then_some((None, Line::Aside(Aside::Network)))
}

fn topic(text: &str) -> Option<Event<'_>> {
    let (channel, topic) = if let Some(rest) = text.strip_prefix("..[topic/") {
        let (origin, topic) = rest.split_once("] :")?;
        (origin.split_once(':')?.0, topic)
    } else if let Some(rest) = text.strip_prefix("Topic for #") {
        let (channel, topic) = rest.split_once(':')?;
        (&text["Topic for ".len()..][..=channel.len()], topic)
    } else {
        let (_, rest) = text.split_once(" changed the topic of ")?;
        rest.split_once(" to:")?
    };
    Some((Some(channel_of(channel)?), Line::Topic { topic: topic.trim() }))
}

/// `NICK is now known as NICK`
fn renamed(text: &str) -> Option<Event<'_>> {
    let (from, to) = text.split_once(" is now known as ")?;
    let (from, to) = (Nick::parse_spaced(from)?, Nick::parse_spaced(to.trim_end())?);
    Some((None, Line::Renamed { from, to }))
}

/// `NICK [IDENT@HOST] has joined #CHANNEL`, `has left #CHANNEL [REASON]`, `has quit [REASON]`
fn came_or_went(text: &str) -> Option<Event<'_>> {
    let after = |verb| {
        let (who, rest) = text.split_once(verb)?;
        Some((bearer(who)?, rest))
    };
    if let Some((nick, rest)) = after(" has joined ") {
        return Some((channel_of(rest.trim()), Line::Joined { nick }));
    }
    if let Some((nick, rest)) = after(" has left ") {
        let (channel, reason) = rest.split_once(' ').unwrap_or((rest, ""));
        return Some((channel_of(channel), Line::Left { nick, reason: reason_of(reason) }));
    }
    let (nick, reason) = after(" has quit")?;
    let reason = reason.strip_prefix(" IRC").unwrap_or(reason);
    Some((None, Line::Left { nick, reason: reason_of(reason) }))
}

/// `NICK was kicked off #CHANNEL by NICK (REASON)`
fn kicked(text: &str) -> Option<Event<'_>> {
    let (nick, rest) =
        text.split_once(" was kicked off ").or_else(|| text.split_once(" was kicked from "))?;
    let (channel, rest) = rest.split_once(" by ")?;
    let (by, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    let (nick, by) = (Nick::parse_spaced(nick)?, Nick::parse_spaced(by)?);
    Some((Some(channel_of(channel)?), Line::Kicked { nick, by, reason: reason_of(reason) }))
}

/// `NICK waves`. A space behind `]` belongs to the nick.
fn action(text: &str) -> Line<'_> {
    let end = text.match_indices(' ').find(|(at, _)| !text[..*at].ends_with(']'));
    let Some((end, _)) = end else {
        return No(Unreadable::CutShort);
    };
    let (nick, text) = (&text[..end], &text[end + 1..]);
    let text = text.trim_end();
    if text.starts_with('[') && text.contains(['@', '~', '=']) {
        return No(Unreadable::CutShort);
    }
    worded(Nick::parse_spaced(nick), text, |nick, text| Line::Emote { nick, text })
}

/// The nick in `NICK [IDENT@HOST]`. Both may have brackets, and spaces behind them.
fn bearer(who: &str) -> Option<Nick> {
    let who = who.trim_end().strip_suffix(']')?;
    who.rmatch_indices(" [")
        .find_map(|(at, _)| who[at..].contains('@').then(|| Nick::parse_spaced(&who[..at]))?)
}

#[cfg(test)]
pub(in crate::irc::dialect) const SAMPLES: &[(&str, &str)] = &[
    ("[05:59] <ada> hello there", "05:59 message ada: hello there"),
    ("[05:59] <ada>  two spaces", "05:59 message ada:  two spaces"),
    ("[05:59] <ada> <bob> quoted", "05:59 message ada: <bob> quoted"),
    ("[05:59] <a[d] a> brackets", "05:59 message a[d]a: brackets"),
    ("[05:59] <[ada] > brackets", "05:59 message [ada]: brackets"),
    ("[05:59] <@ada> operator", "05:59 message ada: operator"),
    ("[05:59:07] <ada> seconds", "05:59 message ada: seconds"),
    ("[05:59] (ada/#room) elsewhere", "05:59 #room message ada: elsewhere"),
    ("[05:59] <ada>no space", "05:59 message ada: no space"),
    ("[05:59]  * ada waves", "05:59 emote ada: waves"),
    ("[05:59]  * a[d] waves", "05:59 emote a[d]: waves"),
    ("=== ada waves", "emote ada: waves"),
    ("=== a[d] a waves", "emote a[d]a: waves"),
    ("=== ada[1]  waves", "emote ada[1]: waves"),
    ("=== ada is now known as the best", "emote ada: is now known as the best"),
    ("=== ada was here", "emote ada: was here"),
    ("=== ada 's pen", "emote ada: 's pen"),
    ("[05:59] -ada:#room- listen", "05:59 #room notice ada: listen"),
    ("[05:59] -a-b:#room- - listen", "05:59 #room notice a-b: - listen"),
    ("=== ada [~ada@host]  has joined #Room", "#Room joined ada"),
    ("=== [ada]  [n=[a] b@host]  has joined #r", "#r joined [ada]"),
    ("=== b] [b [n=x@host]  has joined #r", "#r joined b][b"),
    ("=== ada [~ada@host]  has left #room []", "#room left ada"),
    ("=== ada [~ada@host]  has left #room [\"Bye]", "#room left ada: Bye"),
    ("=== ada [~ada@host]  has left #room [\"Bye\"] ", "#room left ada: Bye"),
    ("=== ada [~ada@host]  has quit [Ping timeout]", "left ada: Ping timeout"),
    ("=== ada [~ada@host]  has quit", "left ada"),
    ("=== ada is now known as bob", "renamed ada to bob"),
    ("=== [ada]  is now known as [b] ob", "renamed [ada] to [b]ob"),
    ("=== ada is now known as [bob] ", "renamed ada to [bob]"),
    ("=== ada was kicked off #room by bob (spam (again))", "#room kicked ada by bob: spam (again)"),
    ("=== ada was kicked off #room by bob ()", "#room kicked ada by bob"),
    ("=== ..[topic/#room:bob] : All: of it", "#room topic All: of it"),
    ("=== bob changed the topic of #room to: All: of it", "#room topic All: of it"),
    ("=== Topic for #room: All: of it", "#room topic All: of it"),
    ("=== mode/#room [+o ada]  by bob", "#room aside Mode"),
    ("=== Topic (#room): set by bob at Mon Dec  1 07:00:00 2003", "aside TopicOrigin"),
    ("=== netjoined: one.example -> two.example", "aside Network"),
    ("=== netsplit: one.example -> two.example", "aside Network"),
    ("[05:59] <ada>", "05:59 empty"),
    ("[05:59] <ada>   ", "05:59 empty"),
    ("[05:59]  * ada", "05:59 empty"),
    ("just words", "unreadable UnknownStart"),
    ("====", "unreadable UnknownStart"),
    ("===", "unreadable CutShort"),
    ("=== ada", "unreadable CutShort"),
    ("=== ada [~ada@ho", "unreadable CutShort"),
    ("=== ada [~ada@host]  has", "unreadable CutShort"),
    ("=== #room words", "unreadable NoNick"),
    ("[05:5", "unreadable CutShort"),
    ("[25:59] <ada> late", "unreadable NoTime"),
    ("[05:59]", "05:59 unreadable CutShort"),
    ("[05:59] <ada", "05:59 unreadable CutShort"),
    ("[05:59] <a b> words", "05:59 unreadable NoNick"),
    ("[05:59] words", "05:59 unreadable UnknownForm"),
];
