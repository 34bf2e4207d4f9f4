//! What a line of an IRC log means.
//!
//! **Invariant:** every text is a [`Parsed`]: what has no known form is [`Line::Unreadable`], with
//! the reason.
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

/// Longest line that is read, in bytes. IRC itself allows 512, with tags 8,703.
pub(crate) const LINE_BYTES_MAX: usize = 16 * 1_024;

/// A line, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed<'a> {
    /// When it was, if the line states it.
    pub stamp: Option<Stamp>,
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
    /// Somebody described an action (`/me`).
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
        /// The parting words.
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
    /// The log says which day it is from here on.
    Day {
        /// The day.
        date: Date,
        /// The time, if it says that too.
        time: Option<TimeOfDay>,
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
    /// Who set the topic when.
    TopicOrigin,
    /// Servers that lost or found each other.
    Network,
    /// What the client told its own user: names lists, its own nick, notices that nobody else saw.
    Client,
    /// A request of one client to others (CTCP).
    Ctcp,
}

/// Why a line could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// See the message.
    #[error("longer than {LINE_BYTES_MAX} bytes, which no line of IRC is")]
    TooLong,
    /// See the message.
    #[error("starts like a time, but there is no such time")]
    NoTime,
    /// See the message.
    #[error("states a time, but no message, action or notice follows")]
    UnknownForm,
    /// See the message.
    #[error("says that something happened, in a form that is not known")]
    UnknownEvent,
    /// See the message.
    #[error("has no known form: it does not start with a time")]
    UnknownStart,
    /// See the message.
    #[error("what stands in the place of the name is no nick")]
    NoNick,
    /// See the message.
    #[error(
        "neither it nor the name of the file says of which day it is: put a date like 2013-03-03 into the name"
    )]
    NoDay,
    /// See the message.
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

    /// Whether the line is about something that happened at some time.
    #[must_use]
    pub const fn happens(&self) -> bool {
        !matches!(self.what, Line::Day { .. } | Line::Aside(_) | Line::Empty | Line::Unreadable(_))
    }
}
