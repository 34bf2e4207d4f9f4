//! The forms in which logs write what happened and what was said.
//!
//! The logs of the Ubuntu channels up to 2007 put a space behind each `]`, write actions without a
//! time (`=== NICK waves`), and cut parting words after the first; later ones do neither.

use super::{
    line::{
        Aside,
        Line::{self, Unreadable as No},
        Unreadable,
    },
    nick::Nick,
    text::without_formatting,
};

type Event<'a> = (Option<&'a str>, Line<'a>);

/// Reads what stands behind a time: a message, an action or a notice.
pub(super) fn utterance(text: &str) -> Event<'_> {
    if text.is_empty() {
        return (None, No(Unreadable::CutShort));
    }
    if let Some(text) = text.strip_prefix('<') {
        return (None, message(text));
    }
    if let Some(action) = text.strip_prefix("* ") {
        let (nick, text) = action.split_once(' ').unwrap_or((action, ""));
        return (None, worded(Nick::parse(nick), text, |nick, text| Line::Emote { nick, text }));
    }
    notice(text)
        .or_else(|| sent_from_elsewhere(text))
        .unwrap_or((None, No(Unreadable::UnknownForm)))
}

/// `NICK> TEXT`, where the nick may carry its rank in the channel.
fn message(text: &str) -> Line<'_> {
    let Some((nick, text)) = text.split_once('>') else {
        return No(Unreadable::CutShort);
    };
    let nick = Nick::parse_spaced(nick)
        .or_else(|| Nick::parse_spaced(nick.strip_prefix(['@', '+', '%', '&', '!', ' '])?));
    let text = text.strip_prefix(' ').unwrap_or(text);
    worded(nick, text, |nick, text| Line::Message { nick, text })
}

/// `-NICK:#CHANNEL- TEXT`
fn notice(text: &str) -> Option<Event<'_>> {
    let (nick, rest) = text.strip_prefix('-')?.split_once(':')?;
    let (channel, text) = rest.split_once("- ")?;
    let nick = Nick::parse_spaced(nick)?;
    Some((channel_of(channel), worded(Some(nick), text, |nick, text| Line::Notice { nick, text })))
}

/// `(NICK/#CHANNEL) TEXT`
fn sent_from_elsewhere(text: &str) -> Option<Event<'_>> {
    let (nick, rest) = text.strip_prefix('(')?.split_once('/')?;
    let (channel, text) = rest.split_once(") ")?;
    let nick = Nick::parse_spaced(nick)?;
    Some((channel_of(channel), worded(Some(nick), text, |nick, text| Line::Message { nick, text })))
}

fn worded<'a>(
    nick: Option<Nick>,
    text: &'a str,
    line: impl FnOnce(Nick, &'a str) -> Line<'a>,
) -> Line<'a> {
    match nick {
        None => No(Unreadable::NoNick),
        Some(_) if without_formatting(text).trim().is_empty() => Line::Empty,
        Some(nick) => line(nick, text),
    }
}

/// Reads what stands behind `===`: something that happened, or an action without a time.
pub(super) fn event(text: &str) -> Event<'_> {
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

fn channel_of(text: &str) -> Option<&str> {
    let text = text.trim();
    let is_channel =
        text.len() > 1 && text.starts_with(['#', '&']) && !text.contains([' ', ',', ':']);
    is_channel.then_some(text)
}

/// What brackets and quotation marks hold. Marks may be missing where the log cut the words.
fn reason_of(text: &str) -> Option<&str> {
    let text = text.trim();
    let inner = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .or_else(|| text.strip_prefix('(')?.strip_suffix(')'))
        .unwrap_or(text);
    let words = inner.trim_matches('"').trim();
    (!words.is_empty()).then_some(words)
}
