use proptest::prelude::*;

use super::*;
use crate::irc::line::stamp::{split, time_zone};

fn time(text: &str) -> TimeOfDay {
    TimeOfDay::parse(text).expect("a time")
}

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

fn clock(date: &str) -> Clock {
    Clock::new(Some(day(date)), TimeZone::UTC)
}

fn set(clock: &mut Clock, text: &str) -> u64 {
    clock.set(&split(text).expect("a stamp").0);
    clock.tick()
}

/// Minutes after midnight of the first day, for each stated time.
fn minutes(stated: &[&str]) -> Vec<u64> {
    let mut clock = clock("2004-11-15");
    let midnight = 1_100_476_800_000;
    stated.iter().map(|text| (set(&mut clock, text) - midnight) / 60_000).collect()
}

/// UTC times of stamps in a zone.
fn instants(zone: &str, date: &str, stated: &[&str]) -> Vec<String> {
    let mut clock = Clock::new(Some(day(date)), time_zone(zone).expect("a zone"));
    let tell = |text: &&str| {
        let millis = i64::try_from(set(&mut clock, text)).expect("fits");
        let time = jiff::Timestamp::from_millisecond(millis).expect("fits");
        time.strftime("%d %H:%M").to_string()
    };
    stated.iter().map(tell).collect()
}

#[test]
fn midnight_begins_the_next_day() {
    assert_eq!(minutes(&["13:00", "23:59", "00:00", "03:00"]), [780, 1_439, 1_440, 1_620]);
    assert_eq!(minutes(&["09:00", "07:00", "05:00"]), [540, 1_860, 3_180]);
    assert_eq!(minutes(&["[11:59 PM]", "[12:01 AM]", "[12:30 PM]"]), [1_439, 1_441, 2_190]);
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
    let mut clock = clock("2004-11-15");
    let first = set(&mut clock, "10:00");
    let many: Vec<u64> = (0..70_000).map(|_| clock.tick()).collect();
    assert!(many.iter().enumerate().all(|(index, at)| *at == first + index as u64 + 1));
    assert_eq!(set(&mut clock, "10:01:30"), first + 90_000);
}

#[test]
fn without_any_stated_time_the_day_begins_at_midnight() {
    assert_eq!(clock("2004-11-15").tick(), 1_100_476_800_000);
}

#[test]
fn a_zone_puts_times_where_they_were() {
    let berlin = "Europe/Berlin";
    assert_eq!(
        instants(berlin, "2013-07-01", &["10:00", "[23:30]", "00:30"]),
        ["01 08:00", "01 21:30", "01 22:30"]
    );
    assert_eq!(instants("-05:00", "2013-07-01", &["10:00"]), ["01 15:00"]);
    // A stamp with its own offset needs no zone.
    assert_eq!(instants(berlin, "2013-07-01", &["[2013-07-01T10:00:00Z]"]), ["01 10:00"]);
}

#[test]
fn the_hour_that_comes_twice_comes_twice() {
    let stated = ["02:10", "02:50", "02:05", "02:55", "03:05"];
    assert_eq!(
        instants("Europe/Berlin", "2013-10-27", &stated),
        ["27 00:10", "27 00:50", "27 01:05", "27 01:55", "27 02:05"]
    );
    let dated = stated.map(|time| format!("2013-10-27 {time}:00"));
    let dated: Vec<&str> = dated.iter().map(String::as_str).collect();
    assert_eq!(
        instants("Europe/Berlin", "2013-10-27", &dated),
        ["27 00:10", "27 00:50", "27 01:05", "27 01:55", "27 02:05"]
    );
}

#[test]
fn the_hour_that_is_left_out_is_the_next_one() {
    assert_eq!(
        instants("Europe/Berlin", "2013-03-31", &["01:59", "02:30", "03:31"]),
        ["31 00:59", "31 01:30", "31 01:31"]
    );
}

#[test]
fn the_day_that_the_log_states_is_the_day() {
    let mut clock = clock("2013-03-03");
    assert_eq!(set(&mut clock, "23:59"), 1_362_355_140_000);
    clock.set_day(day("2013-03-04"), None);
    assert_eq!(set(&mut clock, "00:01"), 1_362_355_260_000);
    clock.set_day(day("2013-03-05"), Some(time("09:00")));
    assert_eq!(set(&mut clock, "09:01"), 1_362_474_060_000);
    // By the times alone midnight had passed, and then the log states it.
    assert_eq!(set(&mut clock, "00:01"), 1_362_528_060_000);
    clock.set_day(day("2013-03-06"), None);
    assert_eq!(set(&mut clock, "00:02"), 1_362_528_120_000);
}

#[test]
fn a_day_without_a_year_is_in_the_year_closest_to_the_day_before() {
    let told = |date: &str, stated: &[&str]| {
        let mut clock = clock(date);
        let mut days = Vec::new();
        for text in stated {
            set(&mut clock, text);
            days.push(clock.stated().expect("is set").date.to_string());
        }
        days
    };
    assert_eq!(
        told("2013-12-31", &["Dec 31 23:59:00", "Jan 01 00:01:00", "Feb 02 10:00:00"]),
        ["2013-12-31", "2014-01-01", "2014-02-02"]
    );
    assert_eq!(told("2014-01-01", &["Dec 31 23:59:00"]), ["2013-12-31"]);
}

#[test]
fn a_log_that_states_no_day_has_none() {
    let mut clock = Clock::new(None, TimeZone::UTC);
    clock.set(&split("Mar 03 10:00:00 x").expect("a stamp").0);
    assert!(clock.is_set() && !clock.is_dated());
    clock.set_day(day("2013-03-03"), None);
    assert!(clock.is_dated());
}

proptest! {
    #[test]
    fn times_grow_whatever_is_stated(
        stamps in prop::collection::vec("([0-2][0-9]:[0-5][0-9]|2013-10-2[5-8] 0[0-4]:[0-5][0-9]:00)", 1..40),
    ) {
        let mut clock = Clock::new(Some(day("2013-10-26")), time_zone("Europe/Berlin").expect("a zone"));
        let mut last = 0;
        for text in stamps {
            if let Some((stamp, _)) = split(&text) {
                clock.set(&stamp);
                let now = clock.tick();
                prop_assert!(now > last);
                last = now;
            }
        }
    }
}
