//! Days in the forms of file names and log lines.

use jiff::civil::Date;

/// The first year with IRC.
const YEAR_MIN: i16 = 1988;

/// The last accepted year.
const YEAR_MAX: i16 = 2200;

/// The beginnings of month names, in the languages in which clients of IRC write them.
const MONTHS: [&[&str]; 12] = [
    &["jan", "ene", "gen", "янв"],
    &["feb", "fév", "fev", "фев"],
    &["mar", "mär", "mrz", "mrt", "maa", "мар"],
    &["apr", "avr", "abr", "апр"],
    &["may", "mai", "maj", "mei", "mag", "мая", "май"],
    &["jun", "juin", "giu", "июн"],
    &["jul", "juil", "lug", "июл"],
    &["aug", "aoû", "aou", "ago", "авг"],
    &["sep", "set", "сен"],
    &["oct", "okt", "ott", "out", "окт"],
    &["nov", "ноя"],
    &["dec", "dez", "déc", "dic", "дек"],
];

/// The day, if it exists and IRC existed then.
pub(crate) fn day(year: i16, month: i8, day: i8) -> Option<Date> {
    let known = (YEAR_MIN..=YEAR_MAX).contains(&year);
    Date::new(year, month, day).ok().filter(|_| known)
}

/// The month with this name, whole or short.
pub(crate) fn month(word: &str) -> Option<i8> {
    let word = word.trim_end_matches('.').to_lowercase();
    if word.chars().count() > 9 || !word.chars().all(char::is_alphabetic) {
        return None;
    }
    let found = MONTHS.iter().position(|names| names.iter().any(|name| word.starts_with(name)))?;
    i8::try_from(found + 1).ok()
}

/// The last day in the path of a file: `2004-11-15`, `2004_11_15`, `2004.11.15`, `2004/11/15`, `20041115` or
/// `15Nov2004`.
pub(crate) fn in_path(path: &str) -> Option<Date> {
    Some(place_in_path(path)?.1)
}

/// The same, with its start index.
pub(crate) fn place_in_path(path: &str) -> Option<(usize, Date)> {
    let bytes = path.as_bytes();
    (0..bytes.len()).rev().find_map(|start| {
        let before = start.checked_sub(1).map(|at| bytes[at]);
        if before.is_some_and(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let found = year_first(&bytes[start..]).or_else(|| day_first(bytes.get(start..start + 9)?));
        Some((start, found?))
    })
}

fn year_first(text: &[u8]) -> Option<Date> {
    let (year, rest) = digits(text, 4)?;
    let separator = rest.first().copied().filter(|byte| b"-_./".contains(byte));
    let skip = |rest: &'_ [u8]| match separator {
        Some(byte) => (rest.first() == Some(&byte)).then_some(1),
        None => Some(0),
    };
    let rest = &rest[skip(rest)?..];
    let (month, rest) = digits(rest, 2)?;
    let rest = &rest[skip(rest)?..];
    let (number, rest) = digits(rest, 2)?;
    if rest.first().is_some_and(u8::is_ascii_digit) {
        return None;
    }
    day(year, i8::try_from(month).ok()?, i8::try_from(number).ok()?)
}

/// `15Nov2004`
fn day_first(text: &[u8]) -> Option<Date> {
    let (number, rest) = digits(text, 2)?;
    let (name, year) = rest.split_at_checked(3)?;
    let (year, _) = digits(year, 4)?;
    day(year, month(str::from_utf8(name).ok()?)?, i8::try_from(number).ok()?)
}

/// The number in the first `count` bytes, if all are digits, and the rest.
pub(crate) fn digits(text: &[u8], count: usize) -> Option<(i16, &[u8])> {
    let (number, rest) = text.split_at_checked(count)?;
    let number = number.iter().try_fold(0_i16, |number, byte| {
        byte.is_ascii_digit().then(|| number * 10 + i16::from(byte - b'0'))
    })?;
    Some((number, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn days_that_never_were_are_refused() {
        for (year, month, number) in [
            (2005, 2, 29),
            (2100, 2, 29),
            (2004, 4, 31),
            (2004, 13, 1),
            (2004, 0, 1),
            (2004, 1, 0),
            (1987, 1, 1),
        ] {
            assert_eq!(day(year, month, number), None, "{year}-{month}-{number}");
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
            ("room.log.15Nov2004", Some("2004-11-15")),
            ("12004-11-15", None),
            ("2004-11-155", None),
            ("2004-11_15", None),
            ("README.md", None),
            ("", None),
        ] {
            assert_eq!(in_path(path).map(|date| date.to_string()).as_deref(), found, "{path}");
        }
    }

    #[test]
    fn months_are_known_in_the_languages_of_clients() {
        for (word, number) in [
            ("Mar", 3),
            ("March", 3),
            ("Mär", 3),
            ("Okt", 10),
            ("août", 8),
            ("Dez.", 12),
            ("июн", 6),
        ] {
            assert_eq!(month(word), Some(number), "{word}");
        }
        for word in ["Sun", "Mon", "so", "2013", "", "Marvellous-", "Mit"] {
            assert_eq!(month(word), None, "{word}");
        }
    }

    proptest! {
        #[test]
        fn any_path_is_searched(path: String) {
            in_path(&path);
            month(&path);
        }
    }
}
