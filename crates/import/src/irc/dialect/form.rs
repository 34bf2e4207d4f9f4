//! Forms that several dialects share.
//!
//! **Invariant:** a form that does not fit returns `None`: another form may fit, and otherwise the line is
//! unreadable.

use crate::irc::line::{
    Aside, Line, Parsed, Unreadable,
    nick::Nick,
    stamp::{self, Stamp},
};

/// The content of a line without its time: the named channel, and the event.
pub(super) type Event<'a> = (Option<&'a str>, Line<'a>);

/// A line about the channel of its log.
pub(super) const fn here(line: Line<'_>) -> Event<'_> {
    (None, line)
}

pub(super) const fn aside(aside: Aside) -> Event<'static> {
    (None, Line::Aside(aside))
}

/// A line that starts with a time. `read` parses the rest.
pub(super) fn stamped<'a>(
    text: &'a str,
    read: impl FnOnce(&'a str, &Stamp) -> Option<Event<'a>>,
) -> Parsed<'a> {
    let Some((stamp, rest)) = stamp::split(text) else {
        let reason = match stamp::looks_stamped(text) {
            _ if !text.starts_with('[') => Unreadable::UnknownStart,
            true if text.contains(']') => Unreadable::NoTime,
            true => Unreadable::CutShort,
            false => Unreadable::UnknownStart,
        };
        return Parsed::unreadable(None, reason);
    };
    let found = read(rest, &stamp).unwrap_or_else(|| {
        let cut = rest.trim().is_empty();
        let reason = if cut { Unreadable::CutShort } else { Unreadable::UnknownForm };
        here(Line::Unreadable(reason))
    });
    Parsed { stamp: Some(stamp), channel: found.0, what: found.1 }
}

/// An event, which `event` parses after `mark`. A line with the mark that `event` does not know is unreadable.
pub(super) fn marked<'a>(
    text: &'a str,
    mark: &str,
    event: impl FnOnce(&'a str) -> Option<Event<'a>>,
) -> Option<Event<'a>> {
    let words = text.strip_prefix(mark)?;
    Some(event(words.trim_start()).unwrap_or(here(Line::Unreadable(Unreadable::UnknownEvent))))
}

/// A message, an action or a notice, in the form of most clients.
pub(super) fn spoken(text: &str) -> Option<Event<'_>> {
    message(text).or_else(|| action(text)).or_else(|| notice(text))
}

/// `<NICK> TEXT`, where ranks in the channel may precede the nick.
pub(super) fn message(text: &str) -> Option<Event<'_>> {
    let text = text.strip_prefix('<')?;
    let Some((nick, text)) = text.split_once('>') else {
        return Some(here(Line::Unreadable(Unreadable::CutShort)));
    };
    Some(here(said(Nick::parse_ranked(nick), text.strip_prefix([' ', '\t']).unwrap_or(text))))
}

/// The message of a nick, unless it is the request of a client (CTCP): `ACTION` there comes from
/// `/me`.
pub(super) fn said(nick: Option<Nick>, text: &str) -> Line<'_> {
    let Some(request) = text.trim_start().strip_prefix('\u{1}') else {
        return worded(nick, text, |nick, text| Line::Message { nick, text });
    };
    let request = request.trim_end().trim_end_matches('\u{1}');
    match request.strip_prefix("ACTION") {
        Some(action) if action.is_empty() || action.starts_with(' ') => {
            worded(nick, action.trim_start(), |nick, text| Line::Emote { nick, text })
        }
        _ if nick.is_none() => Line::Unreadable(Unreadable::NoNick),
        _ => Line::Aside(Aside::Ctcp),
    }
}

/// `* NICK TEXT`
pub(super) fn action(text: &str) -> Option<Event<'_>> {
    Some(here(acted(text.strip_prefix('*')?.strip_prefix([' ', '\t'])?)))
}

/// `NICK TEXT`, of an action.
pub(super) fn acted(text: &str) -> Line<'_> {
    let text = text.trim_start();
    let (nick, text) = text.split_once([' ', '\t']).unwrap_or((text, ""));
    worded(Nick::parse_ranked(nick), text, |nick, text| Line::Emote { nick, text })
}

/// `-NICK- TEXT`, `-NICK:#CHANNEL- TEXT` or `-NICK/#CHANNEL- TEXT`. A notice with a mask was for the logger alone.
pub(super) fn notice(text: &str) -> Option<Event<'_>> {
    let inner = text.strip_prefix('-')?;
    for (at, _) in inner.match_indices('-') {
        let (from, said) = (&inner[..at], &inner[at + 1..]);
        let Some(said) = said.strip_prefix([' ', '\t']).or(said.is_empty().then_some(said)) else {
            continue;
        };
        let (name, channel) = match from.find([':', '/']) {
            Some(at) => (&from[..at], channel_of(&from[at + 1..])),
            None => (from, None),
        };
        if name.ends_with(')') && name.contains('(') {
            return Some(aside(Aside::Client));
        }
        let Some(nick) = Nick::parse_ranked(name) else { continue };
        let line = worded(Some(nick), said, |nick, text| Line::Notice { nick, text });
        return Some((channel, line));
    }
    None
}

/// The text of a nick, if there is any.
pub(super) fn worded<'a>(
    nick: Option<Nick>,
    text: &'a str,
    line: impl FnOnce(Nick, &'a str) -> Line<'a>,
) -> Line<'a> {
    match nick {
        None => Line::Unreadable(Unreadable::NoNick),
        Some(_) if text.trim().is_empty() => Line::Empty,
        Some(nick) => line(nick, text),
    }
}

/// A nick, and the mask that some clients write after it, in any brackets.
pub(super) struct Bearer {
    pub(super) nick: Nick,
    /// Whether there is a mask, which no action has.
    pub(super) masked: bool,
}

/// `NICK (IDENT@HOST) VERB`, `NICK [..] VERB`, `NICK <..> VERB`, `NICK!IDENT@HOST VERB` or `NICK VERB`: the nick, and the
/// rest from the verb on. Skips accounts and real names in brackets.
pub(super) fn bearer(text: &str) -> Option<(Bearer, &str)> {
    let text = text.trim_start();
    let (word, mut rest) = text.split_once(' ').unwrap_or((text, ""));
    let (name, mask) = word.split_once('!').unwrap_or((word, ""));
    let nick = Nick::parse(name).or_else(|| Nick::parse_ranked(name))?;
    let mut masked = mask.contains('@');
    loop {
        rest = rest.trim_start();
        let close = match rest.as_bytes().first() {
            Some(b'(') => ')',
            Some(b'[') => ']',
            Some(b'<') => '>',
            _ => return Some((Bearer { nick, masked }, rest)),
        };
        let ends = rest.match_indices(close).map(|(at, _)| at + 1);
        let mut ends = ends.filter(|end| rest[*end..].is_empty() || rest[*end..].starts_with(' '));
        let Some(end) = ends.next() else { return Some((Bearer { nick, masked }, rest)) };
        let inner = &rest[1..end - 1];
        // A bracket other than that of a mask, or before one, belongs to the text.
        let before_mask = rest[end..].trim_start().starts_with(['(', '[']) && rest.contains('@');
        if !masked && !inner.contains('@') && inner.contains(' ') && !before_mask {
            return Some((Bearer { nick, masked }, rest));
        }
        masked |= inner.contains('@');
        rest = &rest[end..];
    }
}

/// `NICK is now known as NICK`, or with other words in between.
pub(super) fn renamed<'a>(text: &'a str, verb: &str) -> Option<Event<'a>> {
    let (from, to) = text.split_once(verb)?;
    let (from, to) = (Nick::parse_ranked(from)?, Nick::parse_ranked(to.trim_end())?);
    Some(here(Line::Renamed { from, to }))
}

/// `NICK was kicked by NICK (REASON)`, with `verb` between the two and an optional channel.
pub(super) fn was_kicked<'a>(text: &'a str, verb: &str) -> Option<Event<'a>> {
    let (nick, rest) = text.split_once(verb)?;
    let (channel, rest) = if let Some(rest) = rest.trim_start().strip_prefix("by ") {
        (None, rest)
    } else {
        let (channel, rest) = rest.split_once(" by ")?;
        (Some(channel_of(channel)?), rest)
    };
    let (by, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    let by = by.trim_end_matches([':', '.']);
    let (nick, by) = (Nick::parse_ranked(nick)?, kicker(by)?);
    Some((channel, Line::Kicked { nick, by, reason: reason_of(reason) }))
}

/// A nick, or a server, which can kick as well.
pub(super) fn kicker(text: &str) -> Option<Nick> {
    let name = text.split_once('!').map_or(text, |(name, _)| name);
    Nick::parse_ranked(name).or_else(|| Nick::parse(&name.replace('.', "-")))
}

/// `NICK sets mode +o NICK`: only IRC has modes.
pub(super) fn sets_mode(text: &str) -> Option<Event<'static>> {
    let (name, _) = [" sets mode", " set mode", " gives ", " removes "]
        .iter()
        .find_map(|verb| text.split_once(verb))?;
    kicker(name).map(|_| aside(Aside::Mode))
}

/// The topic in `NICK VERB TOPIC`, without the quotation marks that some clients put around it.
pub(super) fn sets_topic<'a>(text: &'a str, verb: &str) -> Option<Event<'a>> {
    let (name, topic) = text.split_once(verb)?;
    kicker(name)?;
    Some(here(Line::Topic { topic: unquoted(topic) }))
}

/// The content of quotation marks, if they enclose the whole text.
pub(super) fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let inner = |mark| text.strip_prefix(mark)?.strip_suffix(mark);
    inner('\'').or_else(|| inner('"')).unwrap_or(text)
}

/// The name of a channel, and nothing else.
pub(super) fn channel_of(text: &str) -> Option<&str> {
    let text = text.trim().trim_end_matches(['.', ',']);
    let is_channel = text.len() > 1
        && text.starts_with(['#', '&', '!', '+'])
        && !text.contains([' ', ',', ':', '\u{7}']);
    is_channel.then_some(text)
}

/// A channel or nothing at the start of a text, and the rest.
pub(super) fn channel_first(text: &str) -> (Option<&str>, &str) {
    let text = text.trim_start();
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    channel_of(word).map_or((None, text), |channel| (Some(channel), rest))
}

/// The content of brackets and quotation marks. The closing mark may be missing if the log cut the
/// text.
pub(super) fn reason_of(text: &str) -> Option<&str> {
    let text = text.trim().trim_start_matches(':').trim_start();
    let inner = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .or_else(|| {
            text.strip_prefix('(')?.strip_suffix(").").or(text.strip_prefix('(')?.strip_suffix(')'))
        })
        .unwrap_or(text);
    let words = inner.trim_matches('"').trim();
    (!words.is_empty()).then_some(words)
}
