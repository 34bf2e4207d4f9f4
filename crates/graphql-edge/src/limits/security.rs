//! The log of refusals that matter for security: the client, its address and the reason.
//!
//! **Invariant:** a stranger cannot fill the log: the lines about one address, and all lines, are
//! bounded in each minute. Omitted lines are counted, and the log reports their number.
//! **Invariant:** text of a client is quoted, and cut if it is long: no client writes a whole line
//! of the log.

use std::{
    collections::HashMap,
    fmt,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use rookery_rates::Network;

/// The time over which lines are counted.
const INTERVAL: Duration = Duration::from_mins(1);

/// Lines about one address in that time.
const ADDRESS_LINES_MAX: u32 = 10;

/// Lines in that time in all.
const LINES_MAX: u32 = 100;

/// Characters of a client's text in a line.
const TEXT_CHARS_MAX: usize = 64;

/// A refusal.
#[derive(Clone, Copy, Debug)]
pub struct Refused<'a> {
    /// The request of the client, such as `a login`.
    pub what: &'static str,
    /// The reason: the code that the client gets.
    pub reason: &'a str,
    /// The user that the client named, or the logged-in one.
    pub user: Option<&'a str>,
    /// Another name in the request, such as the host.
    pub named: Option<&'a str>,
    /// The client.
    pub address: IpAddr,
}

/// Writes refusals to the log. Clones count together.
#[derive(Clone, Default)]
pub struct SecurityLog(Arc<Mutex<Option<Count>>>);

/// The lines since the interval began.
struct Count {
    since: Instant,
    lines: u32,
    left_out: u64,
    /// At most as many as there are lines.
    of_addresses: HashMap<Network, u32>,
}

impl SecurityLog {
    /// Writes a refusal, if the limits of lines allow it.
    pub fn refused(&self, refused: &Refused<'_>) {
        let (is_written, left_out) = self.count(refused.address, Instant::now());
        if let Some(count) = left_out {
            tracing::info!(
                target: "rookery::security",
                count,
                "more refusals than the log has lines for: these are omitted"
            );
        }
        if !is_written {
            return;
        }
        let Refused { what, reason, user, named, address } = refused;
        let (user, named) = (user.map(short), named.map(short));
        tracing::info!(target: "rookery::security", reason, user, %address, named, "refused {what}");
    }

    /// Whether a line about `address` is allowed, and how many lines a finished interval omitted.
    fn count(&self, address: IpAddr, now: Instant) -> (bool, Option<u64>) {
        let mut state = self.0.lock();
        let over = state.take_if(|count| now.duration_since(count.since) >= INTERVAL);
        let left_out = over.map(|count| count.left_out).filter(|count| *count > 0);
        let count = state.get_or_insert_with(|| Count {
            since: now,
            lines: 0,
            left_out: 0,
            of_addresses: HashMap::new(),
        });
        let network = Network::of(address);
        let of_address = count.of_addresses.get(&network).copied().unwrap_or(0);
        let is_written = count.lines < LINES_MAX && of_address < ADDRESS_LINES_MAX;
        if is_written {
            count.lines += 1;
            count.of_addresses.insert(network, of_address + 1);
        } else {
            count.left_out += 1;
        }
        (is_written, left_out)
    }
}

/// The beginning of a text. The log quotes it, and escapes its control characters.
fn short(text: &str) -> &str {
    text.char_indices().nth(TEXT_CHARS_MAX).map_or(text, |(end, _)| &text[..end])
}

impl fmt::Debug for SecurityLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecurityLog")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_has_room_for_some_lines_of_each_address_and_says_how_many_it_left_out() {
        let (log, now) = (SecurityLog::default(), Instant::now());
        let address = |n: u8| IpAddr::from([192, 0, 2, n]);
        let written =
            |n: u8, times: u32| (0..times).filter(|_| log.count(address(n), now).0).count();
        assert_eq!(written(0, 1_000), ADDRESS_LINES_MAX as usize);
        assert_eq!(written(1, 1), 1, "another address has lines of its own");
        let all: usize = (2..=255).map(|n| written(n, 1)).sum();
        assert_eq!(all + 11, LINES_MAX as usize);
        let later = now + INTERVAL;
        let left_out = 990 + 254 - all as u64;
        assert_eq!(log.count(address(0), later), (true, Some(left_out)));
        assert_eq!(log.count(address(0), later), (true, None), "it is said once");
    }

    #[test]
    fn a_line_has_only_the_beginning_of_a_long_text() {
        assert_eq!(short("ada"), "ada");
        assert_eq!(short(&"\u{e4}".repeat(1_000)), "\u{e4}".repeat(TEXT_CHARS_MAX));
    }
}
