//! The meaning of a line of an IRC log.
//!
//! **Invariant:** every text is a [`Parsed`]: a text without a known form is [`Line::Unreadable`],
//! with the reason.
//! **Invariant:** nothing here remembers earlier lines.

pub(crate) mod date;
pub(crate) mod encoding;
pub(crate) mod formatting;
pub(crate) mod nick;
pub(crate) mod stamp;

use jiff::civil::Date;

use self::{
    nick::Nick,
    stamp::{Stamp, TimeOfDay},
};

/// Longest line in bytes. IRC itself allows 512, with tags 8,703.
pub(crate) const LINE_BYTES_MAX: usize = 16 * 1_024;

/// A parsed line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed<'a> {
    /// The time, if the line states it.
    pub stamp: Option<Stamp>,
    /// The channel, if the line names its channel.
    pub channel: Option<&'a str>,
    /// The meaning of the line.
    pub what: Line<'a>,
}

/// The meaning of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// A message.
    Message {
        /// The sender.
        nick: Nick,
        /// The text.
        text: &'a str,
    },
    /// An action (`/me`).
    Emote {
        /// The sender.
        nick: Nick,
        /// The text.
        text: &'a str,
    },
    /// A notice to the channel.
    Notice {
        /// The sender.
        nick: Nick,
        /// The text.
        text: &'a str,
    },
    /// A join.
    Joined {
        /// The nick.
        nick: Nick,
    },
    /// A leave of the channel, or of the network.
    Left {
        /// The nick.
        nick: Nick,
        /// The reason.
        reason: Option<&'a str>,
    },
    /// A kick.
    Kicked {
        /// The kicked nick.
        nick: Nick,
        /// The kicker.
        by: Nick,
        /// The reason.
        reason: Option<&'a str>,
    },
    /// A change of nick.
    Renamed {
        /// The old one.
        from: Nick,
        /// The new one.
        to: Nick,
    },
    /// A topic.
    Topic {
        /// The new topic.
        topic: &'a str,
    },
    /// The log states the day of the following lines.
    Day {
        /// The day.
        date: Date,
        /// The time, if the line states it too.
        time: Option<TimeOfDay>,
    },
    /// Readable, but without a counterpart in a room.
    Aside(Aside),
    /// Blank, or a message without text.
    Empty,
    /// No known form.
    Unreadable(Unreadable),
}

/// A line with a meaning in IRC only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aside {
    /// Modes of the channel, its operators or its ban masks.
    Mode,
    /// The setter and the time of the topic.
    TopicOrigin,
    /// Servers that lost or found each other.
    Network,
    /// Messages of the client to its own user: names lists, its own nick, notices that nobody else
    /// saw.
    Client,
    /// A request of one client to others (CTCP).
    Ctcp,
}

/// Why a line could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// See the error message.
    #[error("longer than {LINE_BYTES_MAX} bytes, the longest line of IRC")]
    TooLong,
    /// See the error message.
    #[error("starts like a time, but there is no such time")]
    NoTime,
    /// See the error message.
    #[error("states a time, but no message, action or notice follows")]
    UnknownForm,
    /// See the error message.
    #[error("states an event in an unknown form")]
    UnknownEvent,
    /// See the error message.
    #[error("has no known form: it does not start with a time")]
    UnknownStart,
    /// See the error message.
    #[error("the text in the place of the nick is not a nick")]
    NoNick,
    /// See the error message.
    #[error(
        "neither the line nor the name of the file states the day: put a date like 2013-03-03 into the name"
    )]
    NoDay,
    /// See the error message.
    #[error("is cut short")]
    CutShort,
}

impl<'a> Parsed<'a> {
    /// A line that is about no other channel than its log.
    pub(crate) const fn of(stamp: Option<Stamp>, what: Line<'a>) -> Self {
        Self { stamp, channel: None, what }
    }

    pub(crate) const fn unreadable(stamp: Option<Stamp>, reason: Unreadable) -> Self {
        Self::of(stamp, Line::Unreadable(reason))
    }

    /// Whether the line could be read.
    #[must_use]
    pub const fn is_readable(&self) -> bool {
        !matches!(self.what, Line::Unreadable(_))
    }

    /// Whether the line is about an event with a time.
    #[must_use]
    pub const fn happens(&self) -> bool {
        !matches!(self.what, Line::Day { .. } | Line::Aside(_) | Line::Empty | Line::Unreadable(_))
    }
}
