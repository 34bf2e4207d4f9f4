//! What a line of an IRC log means.
//!
//! **Invariant:** every text is a [`Parsed`]: what has no known form is [`Line::Unreadable`], with
//! the reason.
//! **Invariant:** nothing here remembers earlier lines.

use super::{clock::TimeOfDay, dialect, nick::Nick};

/// Longest line that is read, in bytes. IRC itself allows 512, with tags 8,703.
pub const LINE_BYTES_MAX: usize = 16 * 1_024;

/// A line, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed<'a> {
    /// The time of day, if the line states one.
    pub time: Option<TimeOfDay>,
    /// The channel, if the line names the one that it is about.
    pub channel: Option<&'a str>,
    /// What happened.
    pub what: Line<'a>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// Somebody said something.
    Message {
        /// Who.
        nick: Nick,
        /// What.
        text: &'a str,
    },
    /// Somebody described what she did (`/me`).
    Emote {
        /// Who.
        nick: Nick,
        /// What.
        text: &'a str,
    },
    /// Somebody sent a notice to the channel.
    Notice {
        /// Who.
        nick: Nick,
        /// What.
        text: &'a str,
    },
    /// Somebody came in.
    Joined {
        /// Who.
        nick: Nick,
    },
    /// Somebody left the channel, or the network.
    Left {
        /// Who.
        nick: Nick,
        /// Her parting words.
        reason: Option<&'a str>,
    },
    /// Somebody was thrown out.
    Kicked {
        /// Who.
        nick: Nick,
        /// By whom.
        by: Nick,
        /// Why.
        reason: Option<&'a str>,
    },
    /// Somebody took another name.
    Renamed {
        /// The old one.
        from: Nick,
        /// The new one.
        to: Nick,
    },
    /// What the channel is about.
    Topic {
        /// The topic from now on.
        topic: &'a str,
    },
    /// Readable, but with nothing in a room that it could become.
    Aside(Aside),
    /// Blank, or words without words.
    Empty,
    /// No form that is known.
    Unreadable(Unreadable),
}

/// What has a meaning in IRC only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aside {
    /// Modes of the channel, its operators or its ban masks.
    Mode,
    /// When the topic was set, told to the writer of the log.
    TopicOrigin,
    /// Servers that lost or found each other.
    Network,
}

/// Why a line could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// See the message.
    #[error("longer than {LINE_BYTES_MAX} bytes, which no line of IRC is")]
    TooLong,
    /// See the message.
    #[error("starts with `[`, but no time like [05:59] follows")]
    NoTime,
    /// See the message.
    #[error("states a time, but no message, action or notice follows")]
    UnknownForm,
    /// See the message.
    #[error("has no known form: neither a time nor `===` at the start")]
    UnknownStart,
    /// See the message.
    #[error("what stands in the place of the name is no nick")]
    NoNick,
    /// See the message.
    #[error("is cut short")]
    CutShort,
}

/// Takes a line apart.
#[must_use]
pub fn parse(text: &str) -> Parsed<'_> {
    if text.len() > LINE_BYTES_MAX {
        return Parsed { time: None, channel: None, what: Line::Unreadable(Unreadable::TooLong) };
    }
    if text.trim().is_empty() {
        return Parsed { time: None, channel: None, what: Line::Empty };
    }
    if let Some(event) = event(text) {
        let (channel, what) = dialect::event(event);
        return Parsed { time: None, channel, what };
    }
    let Some(stamped) = text.strip_prefix('[') else {
        return unreadable(None, Unreadable::UnknownStart);
    };
    let Some((time, rest)) = stamped.split_once(']') else {
        return unreadable(None, Unreadable::CutShort);
    };
    let Some(time) = TimeOfDay::parse(time) else {
        return unreadable(None, Unreadable::NoTime);
    };
    let rest = rest.trim_start_matches(' ');
    let (channel, what) = match event(rest) {
        Some(event) => dialect::event(event),
        None => dialect::utterance(rest),
    };
    Parsed { time: Some(time), channel, what }
}

/// What follows the mark of something that happened, if the text starts with one.
fn event(text: &str) -> Option<&str> {
    ["===", "-!-"].iter().find_map(|mark| {
        let event = text.strip_prefix(mark)?;
        (event.is_empty() || event.starts_with(' ')).then(|| event.trim_start_matches(' '))
    })
}

const fn unreadable(time: Option<TimeOfDay>, reason: Unreadable) -> Parsed<'static> {
    Parsed { time, channel: None, what: Line::Unreadable(reason) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn nick(text: &str) -> Nick {
        Nick::parse(text).expect("a nick")
    }

    fn what(text: &str) -> Line<'_> {
        parse(text).what
    }

    fn says<'a>(name: &str, text: &'a str) -> Line<'a> {
        Line::Message { nick: nick(name), text }
    }

    fn emotes<'a>(name: &str, text: &'a str) -> Line<'a> {
        Line::Emote { nick: nick(name), text }
    }

    fn left<'a>(name: &str, reason: Option<&'a str>) -> Line<'a> {
        Line::Left { nick: nick(name), reason }
    }

    #[test]
    fn messages_are_read() {
        for (line, expected) in [
            ("[05:59] <ada> hello there", says("ada", "hello there")),
            ("[05:59] <ada>  two spaces", says("ada", " two spaces")),
            ("[05:59] <ada> <bob> quoted", says("ada", "<bob> quoted")),
            ("[05:59] <a[d] a> brackets", says("a[d]a", "brackets")),
            ("[05:59] <[ada] > brackets", says("[ada]", "brackets")),
            ("[05:59] <@ada> operator", says("ada", "operator")),
            ("[05:59:07] <ada> seconds", says("ada", "seconds")),
            ("[05:59] (ada/#room) elsewhere", says("ada", "elsewhere")),
            ("[05:59] <ada>no space", says("ada", "no space")),
        ] {
            assert_eq!(what(line), expected, "{line}");
        }
        assert_eq!(parse("[05:59] <ada> x").time, TimeOfDay::parse("05:59"));
    }

    #[test]
    fn actions_are_read_in_both_forms() {
        for (line, expected) in [
            ("[05:59]  * ada waves", emotes("ada", "waves")),
            ("[05:59] * ada waves", emotes("ada", "waves")),
            ("[05:59]  * a[d] waves", emotes("a[d]", "waves")),
            ("=== ada waves", emotes("ada", "waves")),
            ("=== a[d] a waves", emotes("a[d]a", "waves")),
            ("=== ada[1]  waves", emotes("ada[1]", "waves")),
            ("=== ada is now known as the best", emotes("ada", "is now known as the best")),
            ("=== ada was here", emotes("ada", "was here")),
            ("=== ada 's pen", emotes("ada", "'s pen")),
        ] {
            assert_eq!(what(line), expected, "{line}");
        }
    }

    #[test]
    fn notices_are_read() {
        let expected = Line::Notice { nick: nick("ada"), text: "listen" };
        assert_eq!(what("[05:59] -ada:#room- listen"), expected);
        assert_eq!(parse("[05:59] -ada:#room- listen").channel, Some("#room"));
        let dashes = Line::Notice { nick: nick("a-b"), text: "- listen" };
        assert_eq!(what("[05:59] -a-b:#room- - listen"), dashes);
    }

    #[test]
    fn comings_and_goings_are_read() {
        for (line, expected) in [
            ("=== ada [~ada@host]  has joined #Room", Line::Joined { nick: nick("ada") }),
            ("=== [ada]  [n=[a] b@host]  has joined #r", Line::Joined { nick: nick("[ada]") }),
            ("=== b] [b [n=x@host]  has joined #r", Line::Joined { nick: nick("b][b") }),
            ("[05:59] -!- ada [~ada@host] has joined #r", Line::Joined { nick: nick("ada") }),
            ("=== ada [~ada@host]  has left #room []", left("ada", None)),
            ("=== ada [~ada@host]  has left #room [\"Bye]", left("ada", Some("Bye"))),
            ("=== ada [~ada@host]  has left #room [\"Bye\"] ", left("ada", Some("Bye"))),
            ("=== ada [~ada@host]  has quit [Ping timeout]", left("ada", Some("Ping timeout"))),
            ("=== ada [~ada@host]  has quit", left("ada", None)),
        ] {
            assert_eq!(what(line), expected, "{line}");
        }
        assert_eq!(parse("=== ada [~ada@host]  has joined #Room").channel, Some("#Room"));
    }

    #[test]
    fn new_names_are_read() {
        for (line, from, to) in [
            ("=== ada is now known as bob", "ada", "bob"),
            ("=== [ada]  is now known as [b] ob", "[ada]", "[b]ob"),
            ("=== ada is now known as [bob] ", "ada", "[bob]"),
        ] {
            assert_eq!(what(line), Line::Renamed { from: nick(from), to: nick(to) }, "{line}");
        }
    }

    #[test]
    fn kicks_and_topics_are_read() {
        let kicked = |reason| Line::Kicked { nick: nick("ada"), by: nick("bob"), reason };
        let topic = Line::Topic { topic: "All: of it" };
        for (line, expected) in [
            ("=== ada was kicked off #room by bob (spam (again))", kicked(Some("spam (again)"))),
            ("=== ada was kicked off #room by bob ()", kicked(None)),
            ("-!- ada was kicked from #room by bob [spam]", kicked(Some("spam"))),
            ("=== ..[topic/#room:bob] : All: of it", topic.clone()),
            ("=== bob changed the topic of #room to: All: of it", topic.clone()),
            ("=== Topic for #room: All: of it", topic),
        ] {
            assert_eq!(what(line), expected, "{line}");
            assert_eq!(parse(line).channel, Some("#room"), "{line}");
        }
    }

    #[test]
    fn what_only_irc_knows_is_set_aside() {
        for (line, expected) in [
            ("=== mode/#room [+o ada]  by bob", Aside::Mode),
            ("=== Topic (#room): set by bob at Mon Dec  1 07:00:00 2003", Aside::TopicOrigin),
            ("=== netjoined: one.example -> two.example", Aside::Network),
            ("=== netsplit: one.example -> two.example", Aside::Network),
        ] {
            assert_eq!(what(line), Line::Aside(expected), "{line}");
        }
    }

    #[test]
    fn lines_without_words_are_empty() {
        for line in [
            "",
            "  \t ",
            "[05:59] <ada>",
            "[05:59] <ada>   ",
            "[05:59]  * ada",
            "[05:59] <ada> \x02",
        ] {
            assert_eq!(what(line), Line::Empty, "{line:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let long = format!("[05:59] <ada> {}", "x".repeat(LINE_BYTES_MAX));
        for (line, expected) in [
            (long.as_str(), Unreadable::TooLong),
            ("just words", Unreadable::UnknownStart),
            ("====", Unreadable::UnknownStart),
            ("===", Unreadable::CutShort),
            ("=== ada", Unreadable::CutShort),
            ("=== ada [~ada@ho", Unreadable::CutShort),
            ("=== ada [~ada@host]  has", Unreadable::CutShort),
            ("=== #room words", Unreadable::NoNick),
            ("[05:5", Unreadable::CutShort),
            ("[25:59] <ada> late", Unreadable::NoTime),
            ("[05:59]", Unreadable::CutShort),
            ("[05:59] <ada", Unreadable::CutShort),
            ("[05:59] <a b> words", Unreadable::NoNick),
            ("[05:59] words", Unreadable::UnknownForm),
        ] {
            assert_eq!(what(line), Line::Unreadable(expected), "{line:.40}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "\\PC{0,60}") {
            let _: Parsed<'_> = parse(&text);
        }

        #[test]
        fn any_mix_of_known_parts_is_read(parts in prop::collection::vec(prop::sample::select(vec![
            "[05:59]", "[", "]", " ", "=== ", "-!- ", "<", ">", "*", "-", "(", "/", ":", "#room", "ada",
            "é", "\u{3}1,2", " has joined ", " has left ", " has quit", " [a@b]", "is now known as",
            " was kicked off ", " by ", "..[topic/", "changed the topic of ", " to: ", "mode/", "Topic ",
        ]), 0..12)) {
            let _: Parsed<'_> = parse(&parts.concat());
        }
    }
}
