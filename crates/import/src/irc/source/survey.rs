//! The properties of a file before it is read: its dialect, its first day, its channel, its
//! encoding.

use std::io;

use jiff::civil::Date;

use super::Lines;
use crate::irc::{
    dialect::{Dialect, Guess},
    line::{
        Aside, Line,
        encoding::Legacy,
        formatting::without_formatting,
        stamp::{Stamp, StampDay},
    },
};

/// Most lines that are read to detect the dialect.
const LINES_MAX: u64 = 20_000;

/// Most non-UTF-8 lines that are kept to guess their encoding.
const LEGACY_LINES_MAX: usize = 500;

/// Number of lines that are enough to guess the format of an unreadable file.
const START_LINES: usize = 20;

/// The properties of a file.
#[derive(Clone, Debug)]
pub(super) struct Survey {
    pub(super) dialect: Option<Dialect>,
    pub(super) legacy: Legacy,
    /// The first stated day.
    pub(super) day: Option<Date>,
    /// The channel of its lines.
    pub(super) channel: Option<String>,
    /// Its first lines.
    pub(super) start: String,
}

/// Reads as many of the first lines of a file as necessary.
///
/// # Errors
/// If the file cannot be read.
pub(super) fn survey(
    mut lines: Lines<'_>,
    dialect: Option<Dialect>,
    legacy: Option<Legacy>,
) -> io::Result<Survey> {
    let (mut guess, mut odd) = (Guess::default(), Vec::new());
    let mut sample = Vec::new();
    let plain = Legacy::default();
    while let Some((number, line)) = lines.read()? {
        if odd.len() < LEGACY_LINES_MAX && str::from_utf8(line).is_err() {
            odd.push(line.to_vec());
        }
        let text = plain.decode(line);
        let text = without_formatting(&text);
        if dialect.is_none() {
            guess.add(&text);
        }
        if sample.len() < LEGACY_LINES_MAX {
            sample.push(text.into_owned());
        }
        if number >= LINES_MAX
            || number >= LEGACY_LINES_MAX as u64 && (dialect.is_some() || guess.is_certain())
        {
            break;
        }
    }
    let dialect = dialect.or_else(|| guess.best());
    let legacy = legacy.unwrap_or_else(|| Legacy::guessed(odd.iter().map(Vec::as_slice)));
    let (mut day, mut channel) = (None, None);
    if let Some(dialect) = dialect {
        for text in &sample {
            let parsed = dialect.read(text);
            day = day.or(match (&parsed.what, &parsed.stamp) {
                (Line::Day { date, .. }, _)
                | (_, Some(Stamp { day: Some(StampDay::Full(date)), .. })) => Some(*date),
                _ => None,
            });
            let about = matches!(
                parsed.what,
                Line::Joined { .. }
                    | Line::Left { .. }
                    | Line::Kicked { .. }
                    | Line::Topic { .. }
                    | Line::Aside(Aside::Client | Aside::Mode)
            );
            channel = channel.or_else(|| parsed.channel.filter(|_| about).map(str::to_lowercase));
        }
    }
    let start = sample.iter().take(START_LINES).cloned().collect::<Vec<_>>().join("\n");
    Ok(Survey { dialect, legacy, day, channel, start })
}
