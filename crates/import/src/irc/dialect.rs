//! The line formats of clients and bots, one module for each.
//!
//! **Invariant:** a file is read in one dialect: the one that can read most of it.
//! **Invariant:** a line without a form in the dialect is unreadable, and is never read as
//! something else.

mod bots;
mod clients;
mod form;
mod likely;
mod star;

#[cfg(test)]
mod tests;

use std::fmt;

pub(crate) use self::likely::likely;
use self::{
    bots::{eggdrop, limnoria, ubuntu, znc},
    clients::{hexchat, irssi, lounge, mirc, textual, weechat},
};
use super::line::{LINE_BYTES_MAX, Line, Parsed, Unreadable};

/// Number of events that identify a dialect for certain.
const EVENTS_ENOUGH: u64 = 32;

/// A dialect of IRC logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// `WeeChat`.
    Weechat,
    /// irssi.
    Irssi,
    /// Textual.
    Textual,
    /// The Lounge.
    Lounge,
    /// Limnoria and Supybot.
    Limnoria,
    /// ZNC and energymech.
    Znc,
    /// eggdrop.
    Eggdrop,
    /// The logs of the Ubuntu channels.
    Ubuntu,
    /// `HexChat` and X-Chat.
    Hexchat,
    /// mIRC.
    Mirc,
}

impl Dialect {
    /// All dialects. If several can read a file equally well, the first one wins.
    pub const ALL: [Self; 10] = [
        Self::Weechat,
        Self::Irssi,
        Self::Textual,
        Self::Lounge,
        Self::Limnoria,
        Self::Znc,
        Self::Eggdrop,
        Self::Ubuntu,
        Self::Hexchat,
        Self::Mirc,
    ];

    /// The name for `--format`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Weechat => "weechat",
            Self::Hexchat => "hexchat",
            Self::Irssi => "irssi",
            Self::Textual => "textual",
            Self::Lounge => "thelounge",
            Self::Limnoria => "limnoria",
            Self::Znc => "znc",
            Self::Eggdrop => "eggdrop",
            Self::Ubuntu => "ubuntu",
            Self::Mirc => "mirc",
        }
    }

    /// The dialect of this name, or of another client that writes it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let name = name.to_lowercase();
        let known = Self::ALL.into_iter().find(|dialect| dialect.name() == name);
        known.or(match name.as_str() {
            "energymech" => Some(Self::Znc),
            "xchat" => Some(Self::Hexchat),
            "supybot" => Some(Self::Limnoria),
            "lounge" | "the-lounge" => Some(Self::Lounge),
            _ => None,
        })
    }

    /// Parses a line without formatting codes.
    #[must_use]
    pub fn read(self, text: &str) -> Parsed<'_> {
        if text.len() > LINE_BYTES_MAX {
            return Parsed::unreadable(None, Unreadable::TooLong);
        }
        if text.trim().is_empty() {
            return Parsed::of(None, Line::Empty);
        }
        match self {
            Self::Weechat => weechat::read(text),
            Self::Hexchat => hexchat::read(text),
            Self::Irssi => irssi::read(text),
            Self::Textual => textual::read(text),
            Self::Lounge => lounge::read(text),
            Self::Limnoria => limnoria::read(text),
            Self::Znc => znc::read(text),
            Self::Eggdrop => eggdrop::read(text),
            Self::Ubuntu => ubuntu::read(text),
            Self::Mirc => mirc::read(text),
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Detects the dialect of a log by trying all of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guess {
    scores: [Score; Dialect::ALL.len()],
}

#[derive(Clone, Copy, Debug, Default)]
struct Score {
    /// Lines that can be read in the dialect.
    readable: u64,
    /// Those of them that are neither messages nor actions. Other dialects write such lines
    /// differently.
    events: u64,
}

impl Guess {
    /// Tries a line.
    pub(crate) fn add(&mut self, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        for (score, dialect) in self.scores.iter_mut().zip(Dialect::ALL) {
            let parsed = dialect.read(text);
            score.readable += u64::from(parsed.is_readable());
            let common = matches!(
                parsed.what,
                Line::Message { .. } | Line::Emote { .. } | Line::Empty | Line::Unreadable(_)
            );
            score.events += u64::from(!common);
        }
    }

    /// The dialect that can read most lines; `None` if no dialect can read any.
    pub(crate) fn best(&self) -> Option<Dialect> {
        let all = self.scores.iter().zip(Dialect::ALL).rev();
        let (score, dialect) = all.max_by_key(|(score, _)| (score.readable, score.events))?;
        (score.readable > 0).then_some(dialect)
    }

    /// Whether further lines would hardly change the answer.
    pub(crate) fn is_certain(&self) -> bool {
        let Some(best) = self.best() else { return false };
        let best = self.scores[best as usize];
        let others = self.scores.iter().filter(|score| score.readable == best.readable).count();
        best.events >= EVENTS_ENOUGH && others == 1
    }
}
