//! The time in a line, in the forms of IRC clients.
//!
//! **Invariant:** a stamp is an existing time of day, with or without a day; otherwise the line has
//! none.

use jiff::{
    civil::Date,
    tz::{Offset, TimeZone},
};

use super::date::{day, digits, month};

/// A stamp in brackets ends within this number of bytes.
const BRACKETED_BYTES_MAX: usize = 48;

/// A time of day in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimeOfDay {
    /// From 0 to 23.
    pub hour: u8,
    /// From 0 to 59.
    pub minute: u8,
    /// From 0 to 59; 0 if the line does not state it.
    pub second: u8,
}

impl TimeOfDay {
    /// Reads `HH:MM` or `HH:MM:SS`, with or without AM or PM; `None` if it is no time.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (time, rest) = time_of_day(text)?;
        rest.trim().is_empty().then_some(time)
    }

    /// Minutes since midnight.
    #[must_use]
    pub const fn minutes(self) -> u64 {
        self.hour as u64 * 60 + self.minute as u64
    }
}

/// The day of a stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StampDay {
    /// The whole day.
    Full(Date),
    /// A day of an unstated year.
    Yearless {
        /// From 1 to 12.
        month: i8,
        /// From 1 to 31.
        day: i8,
    },
}

/// The time information of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The day, if lines state it.
    pub day: Option<StampDay>,
    /// The time of day.
    pub time: TimeOfDay,
    /// The offset of that clock from UTC, if lines state it.
    pub offset: Option<Offset>,
}

/// Removes the stamp from the start of a line; `None` if there is none.
pub(crate) fn split(text: &str) -> Option<(Stamp, &str)> {
    let close = match text.as_bytes().first()? {
        b'[' => ']',
        b'(' => ')',
        b'{' => '}',
        _ => {
            let (stamp, rest) = stamp(text)?;
            let apart = !rest.starts_with(|c: char| c.is_alphanumeric() || c == ':');
            return apart.then_some((stamp, rest));
        }
    };
    let end = text.find(close).filter(|end| *end <= BRACKETED_BYTES_MAX)?;
    let (stamp, rest) = stamp(text[1..end].trim())?;
    rest.trim().is_empty().then_some((stamp, &text[end + 1..]))
}

/// Whether a line starts with a bracket and a digit, as stamps do.
pub(crate) fn looks_stamped(text: &str) -> bool {
    let inner = text.trim_start_matches(['[', '(']);
    inner.starts_with(|c: char| c.is_ascii_digit())
}

fn stamp(text: &str) -> Option<(Stamp, &str)> {
    let (date, rest) = match day_in_digits(text) {
        Some((date, rest)) => (Some(StampDay::Full(date)), rest),
        None => match day_in_words(text) {
            Some((date, rest)) => (Some(date), rest),
            None => (None, text),
        },
    };
    let (time, rest) = time_of_day(rest)?;
    // Without a day, a blank and a number could be anything.
    let (offset, rest) = if date.is_some() { offset(rest) } else { (None, rest) };
    // `Mar 03 10:00:00 2013`
    match date {
        Some(StampDay::Yearless { month, day: number }) => match year_behind(rest) {
            Some((year, rest)) => {
                let full = StampDay::Full(day(year, month, number)?);
                Some((Stamp { day: Some(full), time, offset }, rest))
            }
            None => Some((Stamp { day: date, time, offset }, rest)),
        },
        _ => Some((Stamp { day: date, time, offset }, rest)),
    }
}

/// `2013-03-03`, `2013/03/03`, `2013.03.03`, `20130303` or `03.03.2013`, and the separator before the time.
fn day_in_digits(text: &str) -> Option<(Date, &str)> {
    let bytes = text.as_bytes();
    let separator = |byte: Option<&u8>| byte.copied().filter(|byte| b"-/.".contains(byte));
    let number = |at: usize, count| Some(digits(bytes.get(at..)?, count)?.0);
    let small = |at| i8::try_from(number(at, 2)?).ok();
    let (date, length) = if let Some(mark) = separator(bytes.get(4)) {
        (bytes.get(7) == Some(&mark)).then_some(())?;
        (day(number(0, 4)?, small(5)?, small(8)?)?, 10)
    } else if bytes.get(2) == Some(&b'.') && bytes.get(5) == Some(&b'.') {
        (day(number(6, 4)?, small(3)?, small(0)?)?, 10)
    } else {
        (day(number(0, 4)?, small(4)?, small(6)?)?, 8)
    };
    let rest = &text[length..];
    let time = rest.trim_start_matches([' ', '\t', 'T', ',', '_']);
    (time.len() < rest.len()).then_some((date, time))
}

/// `Mar 03`, `03 Mar`, `Sun Mar 03`, `3 March 2013`, and the rest.
fn day_in_words(text: &str) -> Option<(StampDay, &str)> {
    let (mut named, mut number, mut year, mut rest) = (None, None, None, text);
    for _ in 0..4 {
        let Some((word, behind)) = rest.split_once([' ', '\t']) else { break };
        let bare = word.trim_end_matches([',', '.']);
        if word.contains(':') {
            break;
        } else if let Ok(count) = bare.parse::<i16>() {
            match bare.len() {
                1 | 2 if number.is_none() => number = i8::try_from(count).ok(),
                4 if year.is_none() => year = Some(count),
                _ => return None,
            }
        } else if let (None, Some(found)) = (named, month(bare)) {
            named = Some(found);
        } else if named.is_some() || number.is_some() || !bare.chars().all(char::is_alphabetic) {
            return None;
        }
        rest = behind.trim_start();
    }
    let (month, number) = (named?, number?);
    let found = match year {
        Some(year) => StampDay::Full(day(year, month, number)?),
        // Some year has such a day.
        None => day(2000, month, number).map(|_| StampDay::Yearless { month, day: number })?,
    };
    Some((found, rest))
}

/// `10:00`, `10:00:01`, `10:00:01.250`, `9:59 PM`, and the rest.
fn time_of_day(text: &str) -> Option<(TimeOfDay, &str)> {
    let (hour, rest) = text.split_once(':').filter(|(hour, _)| (1..=2).contains(&hour.len()))?;
    let (hour, _) = digits(hour.as_bytes(), hour.len())?;
    let two = |text: &str| i8::try_from(digits(text.as_bytes(), 2)?.0).ok();
    let minute = two(rest)?;
    let mut rest = &rest[2..];
    let mut second = 0;
    if let Some(found) = rest.strip_prefix(':') {
        second = two(found)?;
        rest = &found[2..];
        if let Some(fraction) = rest.strip_prefix(['.', ',']) {
            let count = fraction.bytes().take_while(u8::is_ascii_digit).count();
            rest = if count > 0 { &fraction[count..] } else { rest };
        }
    }
    if rest.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let (half, rest) = half_of_day(rest);
    let hour = match (half, hour) {
        (None, 0..24) => hour,
        (Some(Half::Am), 1..=12) => hour % 12,
        (Some(Half::Pm), 1..=12) => hour % 12 + 12,
        _ => return None,
    };
    // A leap second still belongs to the minute before.
    let second = if second == 60 { 59 } else { second };
    let exists = minute < 60 && second < 60;
    let [hour, minute, second] =
        [u8::try_from(hour).ok()?, u8::try_from(minute).ok()?, u8::try_from(second).ok()?];
    exists.then_some((TimeOfDay { hour, minute, second }, rest))
}

#[derive(Clone, Copy)]
enum Half {
    Am,
    Pm,
}

/// `AM`, `pm`, `a.m.` or `p`, with or without a blank before it.
fn half_of_day(text: &str) -> (Option<Half>, &str) {
    let found = text.strip_prefix(' ').unwrap_or(text);
    let mut letters = found.char_indices();
    let half = match letters.next().map(|(_, letter)| letter.to_ascii_lowercase()) {
        Some('a') => Half::Am,
        Some('p') => Half::Pm,
        _ => return (None, text),
    };
    let rest = found[1..].strip_prefix('.').unwrap_or(&found[1..]);
    let Some(rest) = rest.strip_prefix(['m', 'M']) else { return (None, text) };
    let rest = rest.strip_prefix('.').unwrap_or(rest);
    if rest.starts_with(char::is_alphanumeric) { (None, text) } else { (Some(half), rest) }
}

/// `Z`, `+0000`, `-05:00` or ` UTC`, and the rest.
fn offset(text: &str) -> (Option<Offset>, &str) {
    let spaced = text.strip_prefix(' ').unwrap_or(text);
    for name in ["UTC", "GMT"] {
        if let Some(rest) = spaced.strip_prefix(name).filter(|rest| !starts_a_word(rest)) {
            return (Some(Offset::UTC), rest);
        }
    }
    if let Some(rest) = text.strip_prefix('Z').filter(|rest| !starts_a_word(rest)) {
        return (Some(Offset::UTC), rest);
    }
    let parsed = spaced.strip_prefix(['+', '-']).and_then(|number| {
        let (hours, rest) = digits(number.as_bytes(), 2)?;
        let rest = if rest.first() == Some(&b':') { &rest[1..] } else { rest };
        let (minutes, rest) = digits(rest, 2)?;
        let seconds = (i32::from(hours) * 60 + i32::from(minutes)) * 60;
        let signed = if spaced.starts_with('-') { -seconds } else { seconds };
        let text = &spaced[spaced.len() - rest.len()..];
        Some((Offset::from_seconds(signed).ok()?, text)).filter(|(_, rest)| !starts_a_word(rest))
    });
    match parsed {
        Some((offset, rest)) => (Some(offset), rest),
        None => (None, text),
    }
}

fn starts_a_word(text: &str) -> bool {
    text.starts_with(char::is_alphanumeric)
}

fn year_behind(text: &str) -> Option<(i16, &str)> {
    let text = text.strip_prefix(' ')?;
    let (year, rest) = digits(text.as_bytes(), 4)?;
    let rest = &text[text.len() - rest.len()..];
    (day(year, 1, 1).is_some() && !starts_a_word(rest)).then_some((year, rest))
}

/// A day, with or without a time, in lines of the log about the log: `Sun Mar 03 10:00:00 2013`.
pub(crate) fn day_and_time(text: &str) -> Option<(Date, Option<TimeOfDay>)> {
    if let Some((Stamp { day: Some(StampDay::Full(date)), time, .. }, _)) = stamp(text.trim()) {
        return Some((date, Some(time)));
    }
    let (mut named, mut number, mut year, mut time) = (None, None, None, None);
    for word in text.split_whitespace().take(8) {
        let bare = word.trim_matches(|c| ",.()[]".contains(c));
        if let Some((date, _)) = day_in_digits(&format!("{bare} ")) {
            return Some((date, time));
        }
        match bare.parse::<i16>() {
            Ok(count) if bare.len() <= 2 && number.is_none() => number = i8::try_from(count).ok(),
            Ok(count) if bare.len() == 4 && year.is_none() => year = Some(count),
            Ok(_) => {}
            Err(_) if bare.contains(':') => time = time.or_else(|| TimeOfDay::parse(bare)),
            Err(_) => named = named.or_else(|| month(bare)),
        }
    }
    Some((day(year?, named?, number?)?, time))
}

/// A zone by its name in the time-zone database (`Europe/Berlin`), or by its offset from UTC (`+02:00`).
#[must_use]
pub fn time_zone(text: &str) -> Option<TimeZone> {
    let text = text.trim();
    if let (Some(offset), "") = offset(text) {
        return Some(TimeZone::fixed(offset));
    }
    TimeZone::get(text).ok()
}

#[cfg(test)]
#[path = "stamp/tests.rs"]
mod tests;
