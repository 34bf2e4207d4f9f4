//! Conversions between text and typed values.

use std::{net::IpAddr, ops::RangeInclusive, path::PathBuf, time::Duration};

use rookery_accounts::RegistrationPolicy;
use rookery_domain::ProfileAudience;
use rookery_graphql_edge::Introspection;
use rookery_rates::Pace;
use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, memory::BUDGET_BYTES_MIN};

/// Longest server name, in bytes, so that user IDs of 255 bytes still have room for a name.
const SERVER_NAME_BYTES_MAX: usize = 230;

pub(super) fn path(text: &str) -> Option<PathBuf> {
    (!text.is_empty()).then(|| text.into())
}

pub(super) fn log_format(text: &str) -> Option<LogFormat> {
    match text {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    }
}

pub(super) fn log_filter(text: &str) -> Option<String> {
    EnvFilter::try_new(text).ok().map(|_| text.into())
}

pub(super) fn registration(text: &str) -> Option<RegistrationPolicy> {
    match text {
        "open" => Some(RegistrationPolicy::Open),
        "loopback" => Some(RegistrationPolicy::LoopbackOnly),
        "closed" => Some(RegistrationPolicy::Closed),
        _ => None,
    }
}

pub(super) fn switch(text: &str) -> Option<bool> {
    match text {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

pub(super) fn profiles(text: &str) -> Option<ProfileAudience> {
    match text {
        "users" => Some(ProfileAudience::Users),
        "shared_rooms" => Some(ProfileAudience::SharedRooms),
        _ => None,
    }
}

pub(super) fn introspection(text: &str) -> Option<Introspection> {
    match text {
        "everybody" => Some(Introspection::Everybody),
        "users" => Some(Introspection::Users),
        "admins" => Some(Introspection::Admins),
        "nobody" => Some(Introspection::Nobody),
        _ => None,
    }
}

#[expect(clippy::option_option, reason = "no value is not the value that stands for no limit")]
pub(super) fn rate(text: &str) -> Option<Option<usize>> {
    if text == "none" { Some(None) } else { count(text).map(Some) }
}

/// `100+10/s`: a hundred at once, and ten more each second.
#[expect(clippy::option_option, reason = "no value is not the value that stands for no limit")]
pub(super) fn pace(text: &str) -> Option<Option<Pace>> {
    if text == "none" {
        return Some(None);
    }
    let (burst, rest) = text.split_once('+')?;
    let (back, unit) = rest.split_once('/')?;
    let unit = Duration::from_secs(match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    });
    let positive = |text: &str| text.parse::<u32>().ok().filter(|number| *number > 0);
    Some(Some(Pace { burst: positive(burst)?, interval: unit / positive(back)? }))
}

pub(super) fn count(text: &str) -> Option<usize> {
    text.parse().ok().filter(|count| *count > 0)
}

/// A number of bytes; without a unit, or in KiB, MiB, GiB, KB, MB, GB.
pub(super) fn bytes(text: &str) -> Option<usize> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = match unit.trim_start() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return None,
    };
    number.parse::<usize>().ok()?.checked_mul(unit).filter(|bytes| *bytes > 0)
}

/// The memory of all caches together.
pub(super) fn budget(text: &str) -> Option<usize> {
    bytes(text).filter(|bytes| *bytes >= BUDGET_BYTES_MIN)
}

pub(super) fn duration(text: &str) -> Option<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit_millis = match unit.trim_start() {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    let millis = number.parse::<u64>().ok()?.checked_mul(unit_millis)?;
    (millis > 0).then(|| Duration::from_millis(millis))
}

#[expect(clippy::option_option, reason = "no value is not the value that stands for no limit")]
pub(super) fn lifetime(text: &str) -> Option<Option<Duration>> {
    if text == "none" { Some(None) } else { duration(text).map(Some) }
}

/// A host, with an optional port.
///
/// Source: Matrix specification, appendices, "Server name"; lower case, so that one server has one
/// name.
pub(super) fn server_name(text: &str) -> Option<String> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            address.parse::<std::net::Ipv6Addr>().ok()?;
            (None, port.strip_prefix(':').or(port.is_empty().then_some("0"))?)
        }
        None => match text.split_once(':') {
            Some((host, port)) => (Some(host), port),
            None => (Some(text), "0"),
        },
    };
    let is_host = |host: &str| {
        let valid = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-' || c == b'.';
        host.split('.').all(|label| !label.is_empty()) && host.bytes().all(valid)
    };
    let is_port = (1..=5).contains(&port.len())
        && port.bytes().all(|c| c.is_ascii_digit())
        && port.parse::<u16>().is_ok();
    let upper = text.bytes().any(|c| c.is_ascii_uppercase());
    let fits = text.len() <= SERVER_NAME_BYTES_MAX && !upper && is_port && host.is_none_or(is_host);
    fits.then(|| text.into())
}

/// A web origin: scheme, host and port, nothing else.
pub(super) fn origin(text: &str) -> Option<String> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    server_name(host).map(|_| text.into())
}

/// An address of one machine.
pub(super) fn single_address(text: &str) -> Option<IpAddr> {
    let address = text.parse::<IpAddr>().ok()?.to_canonical();
    (!address.is_unspecified() && !address.is_multicast()).then_some(address)
}

/// `49152-65535`: the first and the last port. Ports below 1024 are for known services.
pub(super) fn ports(text: &str) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once('-')?;
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (1_024 <= first && first <= last).then_some(first..=last)
}

pub(super) fn network(text: &str) -> Option<super::Network> {
    super::Network::parse(text)
}

/// Reads a duration such as `12h`, for flags that are no settings.
///
/// # Errors
/// The expected form, as a sentence.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, &'static str> {
    duration(text).ok_or("expected a time above zero, such as 12h or 30d")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_or_none() {
        assert_eq!(rate("none"), Some(None));
        assert_eq!(rate("5"), Some(Some(5)));
        for bad in ["0", "-1", "off", ""] {
            assert_eq!(rate(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_pace_is_how_many_at_once_and_how_many_come_back() {
        let of =
            |burst, millis| Some(Some(Pace { burst, interval: Duration::from_millis(millis) }));
        assert_eq!(pace("100+10/s"), of(100, 100));
        assert_eq!(pace("5+2/h"), of(5, 1_800_000));
        assert_eq!(pace("none"), Some(None));
        for bad in ["100", "100+10", "0+10/s", "1+0/s", "1+1/w", "+1/s", "-1+1/s", ""] {
            assert_eq!(pace(bad), None, "{bad}");
        }
    }

    #[test]
    fn ports_are_a_range_from_1024_on() {
        assert_eq!(ports("49152-65535"), Some(49_152..=65_535));
        assert_eq!(ports("5000-5000"), Some(5_000..=5_000));
        for bad in ["", "5000", "5001-5000", "1023-5000", "0-9", "5000-65536", "5000-", "a-b"] {
            assert_eq!(ports(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_single_address_is_that_of_one_machine() {
        assert_eq!(single_address("::ffff:192.0.2.1"), "192.0.2.1".parse().ok());
        for bad in ["", "0.0.0.0", "::", "224.0.0.1", "ff02::1", "192.0.2.1:5", "example.org"] {
            assert_eq!(single_address(bad), None, "{bad}");
        }
    }

    #[test]
    fn sizes_have_units() {
        for (text, expected) in [
            ("1", Some(1)),
            ("64KiB", Some(65_536)),
            ("64 KiB", Some(65_536)),
            ("2MB", Some(2_000_000)),
            ("0", None),
            ("0KiB", None),
            ("KiB", None),
            ("-1", None),
            ("64kib", None),
            ("99999999999999999999", None),
            ("18446744073709551615GiB", None),
        ] {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }

    #[test]
    fn times_have_units() {
        for (text, expected) in [
            ("500ms", Some(500)),
            ("10s", Some(10_000)),
            ("5m", Some(300_000)),
            ("12h", Some(43_200_000)),
            ("30d", Some(2_592_000_000)),
            ("0s", None),
            ("10", None),
            ("s", None),
            ("1.5h", None),
            ("18446744073709551615d", None),
        ] {
            assert_eq!(duration(text).map(|time| time.as_millis()), expected, "{text}");
        }
        assert_eq!(lifetime("none"), Some(None));
        assert_eq!(lifetime("never"), None);
    }

    #[test]
    fn server_names_are_hosts_with_or_without_a_port() {
        for good in [
            "localhost",
            "chat.example.org",
            "example.org:8448",
            "192.0.2.1",
            "[::1]:8008",
            "[::1]",
        ] {
            assert_eq!(server_name(good).as_deref(), Some(good));
        }
        let long = "x".repeat(231);
        for bad in [
            "",
            "Example.org",
            "a b",
            "a:b",
            "a:",
            "a:99999",
            "a..b",
            ".",
            "[::1",
            "[x]",
            "[::1]x",
            "ex/ample",
            "@a",
            "[::A]",
            &long,
        ] {
            assert_eq!(server_name(bad), None, "{bad}");
        }
    }

    #[test]
    fn origins_have_a_scheme_and_no_path() {
        assert!(origin("https://chat.example.org").is_some());
        assert!(origin("http://localhost:3000").is_some());
        for bad in ["chat.example.org", "https://a.org/", "https://a.org/x", "*", "null", "ftp://a"]
        {
            assert_eq!(origin(bad), None, "{bad}");
        }
    }
}
