use proptest::prelude::*;

use super::*;

/// A stamp in a few characters, and the rest of the line.
fn told(text: &str) -> Option<(String, String)> {
    let (Stamp { day, time, offset }, rest) = split(text)?;
    let day = match day {
        Some(StampDay::Full(date)) => format!("{date} "),
        Some(StampDay::Yearless { month, day }) => format!("{month}-{day} "),
        None => String::new(),
    };
    let clock = format!("{:02}:{:02}:{:02}", time.hour, time.minute, time.second);
    let offset = offset.map(|offset| format!(" {offset}")).unwrap_or_default();
    Some((day + &clock + &offset, rest.to_owned()))
}

#[test]
fn stamps_of_all_clients_are_read() {
    for (text, stamp, rest) in [
        ("[10:00] <ada>", "10:00:00", " <ada>"),
        ("[10:00:01] <ada>", "10:00:01", " <ada>"),
        ("[ 9:59 ] x", "09:59:00", " x"),
        ("(10:00) <ada>", "10:00:00", " <ada>"),
        ("10:00 <ada>", "10:00:00", " <ada>"),
        ("16:59:05< ada>", "16:59:05", "< ada>"),
        ("[09:59 PM] <ada>", "21:59:00", " <ada>"),
        ("[12:05 AM] <ada>", "00:05:00", " <ada>"),
        ("[12:05 PM] <ada>", "12:05:00", " <ada>"),
        ("[9:59:07pm] <ada>", "21:59:07", " <ada>"),
        ("9:59 a.m. <ada>", "09:59:00", " <ada>"),
        ("2013-03-03 10:00:01\tada", "2013-03-03 10:00:01", "\tada"),
        ("[2013-03-03 10:00] <ada>", "2013-03-03 10:00:00", " <ada>"),
        ("[2013/03/03 10:00:01] <ada>", "2013-03-03 10:00:01", " <ada>"),
        ("[03.04.2013 10:00:01] <ada>", "2013-04-03 10:00:01", " <ada>"),
        ("[20130303 10:00:01] <ada>", "2013-03-03 10:00:01", " <ada>"),
        ("2013-03-03T10:00:00 *** x", "2013-03-03 10:00:00", " *** x"),
        ("[2013-03-03T10:00:01+0000] <ada>", "2013-03-03 10:00:01 +00", " <ada>"),
        ("[2013-03-03 10:00:01 -0530] <ada>", "2013-03-03 10:00:01 -05:30", " <ada>"),
        ("[2013-03-03T10:00:01.250Z] <ada>", "2013-03-03 10:00:01 +00", " <ada>"),
        ("Mar 03 10:00:02 <ada>\thi", "3-3 10:00:02", " <ada>\thi"),
        ("Mar  3 10:00:02 <ada>", "3-3 10:00:02", " <ada>"),
        ("03 Mar 10:00:02 <ada>", "3-3 10:00:02", " <ada>"),
        ("Mar 03 10:00:02 2013  <ada>", "2013-03-03 10:00:02", "  <ada>"),
        ("[Sun Mar 03 10:00:02 2013] <ada>", "2013-03-03 10:00:02", " <ada>"),
        ("[3. März 2013 10:00:02] <ada>", "2013-03-03 10:00:02", " <ada>"),
        ("23:59:60 <ada>", "23:59:59", " <ada>"),
    ] {
        assert_eq!(told(text), Some((stamp.to_owned(), rest.to_owned())), "{text}");
    }
}

#[test]
fn what_is_no_stamp_is_none() {
    for text in [
        "",
        "[",
        "[]",
        "[ada] hi",
        "24:00 x",
        "[12:60] x",
        "[12:30:61] x",
        "[12:30:15:1] x",
        "[12:3a] x",
        "[13:00 PM] x",
        "[00:30 AM] x",
        "[+1:00] x",
        "[10:00 extra] x",
        "12",
        "123:00 x",
        "10:00x",
        "[2013-02-30 10:00] x",
        "2013-03-03 ada",
        "Mar 32 10:00:00 x",
        "<ada> 10:00",
        "é10:00",
    ] {
        assert_eq!(told(text), None, "{text}");
    }
}

#[test]
fn days_of_the_log_about_itself_are_read() {
    for (text, date, time) in [
        ("Sun Mar 03 10:00:00 2013", "2013-03-03", Some("10:00")),
        ("Sun Mar  3 10:00:00 2013", "2013-03-03", Some("10:00")),
        ("Mon Mar 04 2013", "2013-03-04", None),
        ("Di Mär 05 2013", "2013-03-05", None),
        ("mar. 05 mars 2013", "2013-03-05", None),
        ("2013-03-04", "2013-03-04", None),
        ("Sunday, 3 March 2013", "2013-03-03", None),
        ("Sun, 03 Mar 2013 10:00:00 +0000", "2013-03-03", Some("10:00")),
    ] {
        let found = day_and_time(text);
        let time = time.and_then(TimeOfDay::parse);
        assert_eq!(
            found.map(|(day, time)| (day.to_string(), time)),
            Some((date.into(), time)),
            "{text}"
        );
    }
    for text in ["", "yesterday", "Sun Mar 03", "Feb 30 2013"] {
        assert_eq!(day_and_time(text), None, "{text}");
    }
}

#[test]
fn zones_have_names_or_offsets() {
    for text in ["UTC", "Europe/Berlin", "America/New_York", "+02:00", "-0530"] {
        assert!(time_zone(text).is_some(), "{text}");
    }
    for text in ["", "Mars/Olympus", "+2", "02:00x"] {
        assert!(time_zone(text).is_none(), "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_looked_at(text in "[\\[\\]0-9: .\\-/TZ+aApPmMé,]{0,40}") {
        if let Some((_, rest)) = split(&text) {
            prop_assert!(text.ends_with(rest));
        }
        day_and_time(&text);
        drop(time_zone(&text));
    }

    #[test]
    fn a_stamp_that_was_written_is_read(
        year in 1990_i16..2100, month in 1_i8..=12, number in 1_i8..=28,
        hour in 0_u8..24, minute in 0_u8..60, second in 0_u8..60,
    ) {
        let date = day(year, month, number).expect("is a day");
        let time = TimeOfDay { hour, minute, second };
        let clock = format!("{hour:02}:{minute:02}:{second:02}");
        let (half, twelve) = (if hour < 12 { "AM" } else { "PM" }, (hour + 11) % 12 + 1);
        for written in [
            format!("[{date} {clock}]"),
            format!("{date}T{clock}Z"),
            format!("[{date} {twelve}:{minute:02}:{second:02} {half}]"),
        ] {
            let (stamp, rest) = split(&written).expect("is a stamp");
            prop_assert_eq!(stamp.day, Some(StampDay::Full(date)));
            prop_assert_eq!((stamp.time, rest), (time, ""));
        }
    }
}
