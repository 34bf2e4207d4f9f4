//! The time of a line: the day from the log or its name, the time of day of the line, and the zone of both.
//!
//! **Invariant:** within a file times only grow, by at least a millisecond from line to line.

use jiff::{
    ToSpan as _,
    civil::{Date, DateTime, Time},
    tz::{AmbiguousOffset, Offset, TimeZone},
};

use crate::irc::line::stamp::{Stamp, StampDay, TimeOfDay};

const DAY_MINUTES: u64 = 24 * 60;
const HALF_DAY_MINUTES: u64 = DAY_MINUTES / 2;

/// Largest step back of a clock (the end of summer time), in minutes.
const PUT_BACK_MINUTES_MAX: u64 = 60;

/// Longest plausible silence, in minutes, in a log with a twelve-hour clock.
const HALF_DAY_SILENCE_MINUTES_MAX: u64 = 60;

/// If a file states times without a day for longer than this number of days, its days are not
/// plausible.
const DAYS_MAX: u64 = 366_000;

/// The local time in a line. It identifies the line in any time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stated {
    pub(crate) date: Date,
    pub(crate) time: Option<TimeOfDay>,
}

/// Computes the time of each line of one file, in milliseconds since 1970.
///
/// Some logs state only times of day. A time that is up to an hour earlier than the previous one means that the clock
/// was put back. If the zone put it back, the hour counts for the second time; otherwise time stands still until it has
/// caught up. A still earlier time means that a day has passed. Some logs have a twelve-hour clock without AM or PM
/// (`12:59`, then `01:00`). If no hour after 12 has appeared and half a day more makes the silence shorter than an
/// hour, half a day has passed; otherwise whole days. So intervals are right in both kinds, and a log with twelve hours
/// begins in the morning.
#[derive(Debug)]
pub(super) struct Clock {
    zone: TimeZone,
    /// The day from which minutes are counted.
    base: Option<Date>,
    /// Minutes to add to stated times.
    offset: u64,
    /// The last time in minutes since midnight of the base.
    minutes: Option<u64>,
    time: Option<TimeOfDay>,
    /// The last local time, and whether it is in a repeated hour.
    local: Option<DateTime>,
    again: bool,
    last: u64,
    shows_afternoon: bool,
}

impl Clock {
    /// A clock for a file that begins on `date`, if that is known.
    #[must_use]
    pub(super) const fn new(date: Option<Date>, zone: TimeZone) -> Self {
        Self {
            zone,
            base: date,
            offset: 0,
            minutes: None,
            time: None,
            local: None,
            again: false,
            last: 0,
            shows_afternoon: false,
        }
    }

    /// Whether a line has stated its time already.
    #[must_use]
    pub(super) const fn is_set(&self) -> bool {
        self.minutes.is_some()
    }

    /// Whether the day is known.
    #[must_use]
    pub(super) const fn is_dated(&self) -> bool {
        self.base.is_some()
    }

    /// The last stated local time.
    pub(crate) fn stated(&self) -> Option<Stated> {
        let date = self.local.map(DateTime::date).or(self.base)?;
        Some(Stated { date, time: self.time })
    }

    /// Sets the clock to a day that the log states, and to its time if there is one.
    pub(super) fn set_day(&mut self, date: Date, time: Option<TimeOfDay>) {
        self.move_to(date);
        if let Some(time) = time {
            self.set_time(time);
        }
    }

    /// Sets the clock to the time that a line states.
    pub(super) fn set(&mut self, stamp: &Stamp) {
        match stamp.day.and_then(|day| self.whole(day)) {
            Some(date) => {
                self.move_to(date);
                let minutes = stamp.time.minutes();
                self.show(date, stamp.time, minutes, stamp.offset);
            }
            None => self.set_time(stamp.time),
        }
    }

    /// The time of the next line: the last stated time, or a millisecond after the previous line.
    pub(super) fn tick(&mut self) -> u64 {
        let begins = self.base.map_or(0, |base| self.instant(base.at(0, 0, 0, 0), None));
        self.last = self.last.max(begins.saturating_sub(1)) + 1;
        self.last
    }

    fn move_to(&mut self, date: Date) {
        if self.base != Some(date) || self.offset > 0 {
            (self.base, self.offset, self.minutes) = (Some(date), 0, None);
        }
    }

    /// The day with the year in which it is closest to the previous day.
    fn whole(&self, day: StampDay) -> Option<Date> {
        let (month, day) = match day {
            StampDay::Full(date) => return Some(date),
            StampDay::Yearless { month, day } => (month, day),
        };
        let near = self.local.map(DateTime::date).or(self.base)?;
        let years = [near.year(), near.year() + 1, near.year() - 1].into_iter();
        let days = years.filter_map(|year| Date::new(year, month, day).ok());
        days.min_by_key(|date| (*date - near).get_days().abs())
    }

    fn set_time(&mut self, stated: TimeOfDay) {
        self.shows_afternoon |= stated.hour > 12;
        let Some(base) = self.base else {
            self.minutes = Some(stated.minutes());
            self.time = Some(stated);
            return;
        };
        let mut minutes = stated.minutes() + self.offset;
        let before = self.minutes.unwrap_or(minutes);
        if minutes < before && before - minutes <= PUT_BACK_MINUTES_MAX {
            if !self.repeats(base, minutes, stated) {
                minutes = before;
            }
        } else if minutes < before {
            let half = minutes + HALF_DAY_MINUTES;
            let went_half = !self.shows_afternoon
                && (before..=before + HALF_DAY_SILENCE_MINUTES_MAX).contains(&half);
            let whole = (before - minutes).div_ceil(DAY_MINUTES) * DAY_MINUTES;
            self.offset += if went_half { HALF_DAY_MINUTES } else { whole };
            minutes = stated.minutes() + self.offset;
        }
        self.show(base, stated, minutes, None);
    }

    /// Whether the zone has this local time twice.
    fn repeats(&self, base: Date, minutes: u64, stated: TimeOfDay) -> bool {
        let local = local(base, minutes, stated);
        matches!(self.zone.to_ambiguous_timestamp(local).offset(), AmbiguousOffset::Fold { .. })
    }

    fn show(&mut self, base: Date, stated: TimeOfDay, minutes: u64, offset: Option<Offset>) {
        let local = local(base, minutes, stated);
        let ambiguous = self.zone.to_ambiguous_timestamp(local).offset();
        let folds = matches!(ambiguous, AmbiguousOffset::Fold { .. });
        let went_back = self.local.is_some_and(|before| {
            local < before && before.duration_since(local).as_secs() < 3 * 3_600
        });
        self.again = folds && (self.again || went_back);
        let millis = self.instant(local, offset);
        self.minutes = Some(minutes);
        self.time = Some(stated);
        self.local = Some(local);
        self.last = self.last.max(millis.saturating_sub(1));
    }

    /// A local time as milliseconds since 1970. A time that a zone skips counts as an hour later.
    fn instant(&self, local: DateTime, offset: Option<Offset>) -> u64 {
        let found = if let Some(offset) = offset {
            offset.to_timestamp(local)
        } else {
            let ambiguous = self.zone.to_ambiguous_timestamp(local);
            if self.again { ambiguous.later() } else { ambiguous.compatible() }
        };
        found.map_or(0, |time| u64::try_from(time.as_millisecond()).unwrap_or(0))
    }
}

/// The local time this number of minutes after the midnight before `base`.
fn local(base: Date, minutes: u64, stated: TimeOfDay) -> DateTime {
    let days = i32::try_from((minutes / DAY_MINUTES).min(DAYS_MAX)).unwrap_or(i32::MAX);
    let date = base.checked_add(days.days()).unwrap_or(Date::MAX);
    let small = |number: u64| i8::try_from(number).unwrap_or(0);
    let (hour, minute) = (small(minutes % DAY_MINUTES / 60), small(minutes % 60));
    let time = Time::new(hour, minute, small(u64::from(stated.second)), 0);
    date.to_datetime(time.unwrap_or(Time::midnight()))
}

#[cfg(test)]
#[path = "clock/tests.rs"]
mod tests;
