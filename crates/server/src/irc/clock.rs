//! When a line was: the date in the name of its file, and the time of day that it states.
//!
//! **Invariant:** within a file times only grow, by at least a millisecond from line to line.

use std::fmt;

const DAY_MINUTES: u64 = 24 * 60;
const HALF_DAY_MINUTES: u64 = DAY_MINUTES / 2;

/// Furthest that a clock is put back (the end of summer time), in minutes.
const PUT_BACK_MINUTES_MAX: u64 = 60;

/// Longest silence, in minutes, that a clock with twelve hours is believed to have lasted.
const HALF_DAY_SILENCE_MINUTES_MAX: u64 = 60;

/// A day of the Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// Reads a date; `None` if there is no such day. Years before 1988 had no IRC.
    #[must_use]
    pub const fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => 31,
        };
        if year >= 1988 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 && day <= days {
            Some(Self { year, month, day })
        } else {
            None
        }
    }

    /// The last date in a path: `2004-11-15`, `2004_11_15`, `2004.11.15`, `2004/11/15` or `20041115`.
    #[must_use]
    pub fn find(path: &str) -> Option<Self> {
        let bytes = path.as_bytes();
        (0..bytes.len()).rev().find_map(|start| {
            let before = start.checked_sub(1).map(|at| bytes[at]);
            if before.is_some_and(|byte| byte.is_ascii_digit()) {
                return None;
            }
            Self::at_start(&bytes[start..])
        })
    }

    fn at_start(text: &[u8]) -> Option<Self> {
        let (year, rest) = digits(text, 4)?;
        let separator = rest.first().copied().filter(|byte| b"-_./".contains(byte));
        let skip = |rest: &'_ [u8]| match separator {
            Some(byte) => (rest.first() == Some(&byte)).then_some(1),
            None => Some(0),
        };
        let rest = &rest[skip(rest)?..];
        let (month, rest) = digits(rest, 2)?;
        let rest = &rest[skip(rest)?..];
        let (day, rest) = digits(rest, 2)?;
        if rest.first().is_some_and(u8::is_ascii_digit) {
            return None;
        }
        Self::new(year, u8::try_from(month).ok()?, u8::try_from(day).ok()?)
    }

    /// Days since 1970-01-01.
    ///
    /// Counts years from March, so that the leap day is the last of its year.
    #[must_use]
    pub const fn days_since_1970(self) -> u64 {
        let from_march = (self.month as u64 + 9) % 12;
        let year = self.year as u64 - (from_march >= 10) as u64;
        let day_of_year = (153 * from_march + 2) / 5 + self.day as u64 - 1;
        let days_before_1970 = 719_468;
        year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - days_before_1970
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// The number that the first `count` bytes write, if all are digits, and what follows.
fn digits(text: &[u8], count: usize) -> Option<(u16, &[u8])> {
    let (number, rest) = text.split_at_checked(count)?;
    let number = number.iter().try_fold(0u16, |number, byte| {
        byte.is_ascii_digit().then(|| number * 10 + u16::from(byte - b'0'))
    })?;
    Some((number, rest))
}

/// A time of day as a line states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeOfDay {
    hour: u8,
    minute: u8,
    second: u8,
}

impl TimeOfDay {
    /// Reads `HH:MM` or `HH:MM:SS`; `None` if it is no time.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':').map(|part| match digits(part.as_bytes(), 2)? {
            (number, []) => u8::try_from(number).ok(),
            _ => None,
        });
        let (hour, minute) = (parts.next()??, parts.next()??);
        let second = parts.next().unwrap_or(Some(0))?;
        let exists = hour < 24 && minute < 60 && second < 60 && parts.next().is_none();
        exists.then_some(Self { hour, minute, second })
    }

    const fn minutes(self) -> u64 {
        self.hour as u64 * 60 + self.minute as u64
    }
}

/// Tells the time of each line of one file, in milliseconds since 1970, taken as UTC.
///
/// A time that is up to an hour earlier than the one before means that the clock was put back: time
/// stands still until it has caught up. One still earlier means that it went around. Some logs have a
/// clock of twelve hours without saying which half of the day it is (`12:59`, then `01:00`): where
/// no hour after 12 has been seen and half a day more makes the silence shorter than an hour, the
/// clock went around by half a day; else by whole days. So intervals are right in both kinds, and
/// a log with twelve hours is taken to begin in the morning.
#[derive(Debug)]
pub struct Clock {
    midnight: u64,
    /// What has to be added to stated times, in minutes.
    offset: u64,
    /// The last time in minutes since midnight of the first day.
    minutes: Option<u64>,
    last: u64,
    shows_afternoon: bool,
}

impl Clock {
    /// A clock for a file that begins on `date`.
    #[must_use]
    pub const fn new(date: Date) -> Self {
        let midnight = date.days_since_1970() * DAY_MINUTES * 60_000;
        Self { midnight, offset: 0, minutes: None, last: 0, shows_afternoon: false }
    }

    /// Whether a line has stated its time already.
    #[must_use]
    pub const fn is_set(&self) -> bool {
        self.minutes.is_some()
    }

    /// Moves the clock to the time that a line states.
    pub fn set(&mut self, stated: TimeOfDay) {
        self.shows_afternoon |= stated.hour > 12;
        let mut minutes = stated.minutes() + self.offset;
        let before = self.minutes.unwrap_or(minutes);
        if minutes < before && before - minutes <= PUT_BACK_MINUTES_MAX {
            minutes = before;
        } else if minutes < before {
            let half = minutes + HALF_DAY_MINUTES;
            let went_half = !self.shows_afternoon
                && (before..=before + HALF_DAY_SILENCE_MINUTES_MAX).contains(&half);
            let whole = (before - minutes).div_ceil(DAY_MINUTES) * DAY_MINUTES;
            self.offset += if went_half { HALF_DAY_MINUTES } else { whole };
            minutes = stated.minutes() + self.offset;
        }
        self.minutes = Some(minutes);
        let millis = self.midnight + minutes * 60_000 + u64::from(stated.second) * 1_000;
        self.last = self.last.max(millis.saturating_sub(1));
    }

    /// The time of the next line: the time last stated, or a millisecond after the line before.
    pub fn tick(&mut self) -> u64 {
        self.last = self.last.max(self.midnight.saturating_sub(1)) + 1;
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400_000;

    fn date(path: &str) -> Option<String> {
        Date::find(path).map(|date| date.to_string())
    }

    /// Minutes after midnight of the first day, for each stated time.
    fn minutes(stated: &[&str]) -> Vec<u64> {
        let day = Date::new(2004, 11, 15).expect("a day");
        let mut clock = Clock::new(day);
        stated
            .iter()
            .map(|text| {
                clock.set(TimeOfDay::parse(text).expect("a time"));
                (clock.tick() - day.days_since_1970() * DAY) / 60_000
            })
            .collect()
    }

    #[test]
    fn days_are_counted_from_1970() {
        for ((year, month, day), days) in [
            ((2000, 3, 1), 11_017),
            ((2004, 2, 29), 12_477),
            ((2018, 12, 31), 17_896),
            ((1988, 1, 1), 6_574),
        ] {
            let date = Date::new(year, month, day).expect("a day");
            assert_eq!(date.days_since_1970(), days, "{date}");
        }
    }

    #[test]
    fn each_day_follows_the_day_before() {
        let mut expected = Date::new(1988, 1, 1).expect("a day").days_since_1970();
        for year in 1988..2110 {
            for date in (1..=12).flat_map(|m| (1..=31).filter_map(move |d| Date::new(year, m, d))) {
                assert_eq!(date.days_since_1970(), expected, "{date}");
                expected += 1;
            }
        }
    }

    #[test]
    fn days_that_never_were_are_refused() {
        for (year, month, day) in [
            (2005, 2, 29),
            (2100, 2, 29),
            (2004, 4, 31),
            (2004, 13, 1),
            (2004, 0, 1),
            (2004, 1, 0),
            (1987, 1, 1),
        ] {
            assert_eq!(Date::new(year, month, day), None, "{year}-{month}-{day}");
        }
    }

    #[test]
    fn the_last_date_of_a_path_is_found() {
        for (path, found) in [
            ("2008-04-27.part.txt", Some("2008-04-27")),
            ("logs/2004-11-15_03.txt", Some("2004-11-15")),
            ("2004/11/15/#room.txt", Some("2004-11-15")),
            ("#room_20041115.log", Some("2004-11-15")),
            ("2001-01-01/2004.11.15.log", Some("2004-11-15")),
            ("12004-11-15", None),
            ("2004-11-155", None),
            ("2004-11_15", None),
            ("README.md", None),
            ("", None),
        ] {
            assert_eq!(date(path).as_deref(), found, "{path}");
        }
    }

    #[test]
    fn times_that_do_not_exist_are_refused() {
        for text in ["24:00", "12:60", "1:00", "12", "12:30:60", "12:30:15:1", "12:3a", "+1:00", ""]
        {
            assert_eq!(TimeOfDay::parse(text), None, "{text}");
        }
    }

    #[test]
    fn midnight_begins_the_next_day() {
        assert_eq!(minutes(&["13:00", "23:59", "00:00", "03:00"]), [780, 1_439, 1_440, 1_620]);
        assert_eq!(minutes(&["09:00", "07:00", "05:00"]), [540, 1_860, 3_180]);
    }

    #[test]
    fn time_stands_still_while_the_clock_is_put_back() {
        assert_eq!(minutes(&["02:59", "02:00", "02:58", "03:01"]), [179, 179, 179, 181]);
    }

    #[test]
    fn a_clock_of_twelve_hours_goes_on_after_noon_and_midnight() {
        assert_eq!(minutes(&["12:59", "01:00", "04:51"]), [779, 780, 1_011]);
        assert_eq!(minutes(&["11:58", "00:01", "12:59", "01:00"]), [718, 721, 1_499, 1_500]);
    }

    #[test]
    fn lines_of_one_minute_keep_their_order() {
        let mut clock = Clock::new(Date::new(2004, 11, 15).expect("a day"));
        clock.set(TimeOfDay::parse("10:00").expect("a time"));
        let first = clock.tick();
        let many: Vec<u64> = (0..70_000).map(|_| clock.tick()).collect();
        assert!(many.iter().enumerate().all(|(index, at)| *at == first + index as u64 + 1));
        clock.set(TimeOfDay::parse("10:01:30").expect("a time"));
        assert_eq!(clock.tick(), first + 90_000);
    }

    #[test]
    fn without_any_stated_time_the_day_begins_at_midnight() {
        let day = Date::new(2004, 11, 15).expect("a day");
        assert_eq!(Clock::new(day).tick(), day.days_since_1970() * DAY);
    }
}
