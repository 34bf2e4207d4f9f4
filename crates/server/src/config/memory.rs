//! One budget of memory, and the share of it that each cache takes.
//!
//! **Invariant:** the shares of a budget never exceed the budget. A setting `cache.*` replaces one
//! share and leaves the others unchanged.

use std::fmt;

/// Smallest budget: below it, caches would hold less than the data of one request.
pub(super) const BUDGET_BYTES_MIN: usize = 16 << 20;

/// The number of parts of a budget.
const PARTS: usize = 64;

/// The sizes of the caches, in bytes unless the field says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caches {
    /// `memory.budget`.
    pub budget_bytes: usize,
    /// Pages of the log.
    pub log_bytes: usize,
    /// The latest records of the log.
    pub recent_bytes: usize,
    /// States of rooms with recent writes. States of users and of aliases may each take an eighth
    /// as much, the graphs of rooms that are shared with other servers as much again.
    pub rooms_bytes: usize,
    /// The latest commits, decoded.
    pub ring_bytes: usize,
    /// Older commits that readers asked for.
    pub commits_bytes: usize,
    /// Pages of the log for streams that catch up.
    pub pages_bytes: usize,
    /// Parsed and validated GraphQL documents.
    pub documents_bytes: usize,
    /// Answers of streams that are the same for many subscribers.
    pub answers_bytes: usize,
    /// A number of sessions. They take no share.
    pub sessions: usize,
}

impl Caches {
    /// Divides `budget_bytes` into shares. `log` and `rooms` replace their shares.
    pub(super) fn new(
        budget_bytes: usize,
        log: Option<usize>,
        rooms: Option<usize>,
        sessions: usize,
    ) -> Self {
        let parts = |count| budget_bytes / PARTS * count;
        Self {
            budget_bytes,
            log_bytes: log.unwrap_or(parts(16)),
            recent_bytes: parts(2),
            rooms_bytes: rooms.unwrap_or(parts(8)),
            ring_bytes: parts(4),
            commits_bytes: parts(2),
            pages_bytes: parts(2),
            documents_bytes: parts(4),
            answers_bytes: parts(16),
            sessions,
        }
    }

    /// Each cache with its size in bytes.
    pub(super) fn shares(&self) -> [(&'static str, usize); 11] {
        let beside_rooms = self.rooms_bytes / 8;
        [
            ("pages of the log (cache.log)", self.log_bytes),
            ("latest records of the log", self.recent_bytes),
            ("states of rooms (cache.rooms)", self.rooms_bytes),
            ("states of users", beside_rooms),
            ("states of aliases", beside_rooms),
            ("graphs of rooms of other servers", self.rooms_bytes),
            ("latest commits, decoded", self.ring_bytes),
            ("older commits, decoded", self.commits_bytes),
            ("pages for streams that catch up", self.pages_bytes),
            ("GraphQL documents", self.documents_bytes),
            ("shared answers of streams", self.answers_bytes),
        ]
    }
}

/// The shares as comments of a configuration.
impl fmt::Display for Caches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "# memory.budget is {}; of it, each cache may take:",
            shown(self.budget_bytes)
        )?;
        for (name, bytes) in self.shares() {
            writeln!(f, "#   {name:<36} {:>12}", shown(bytes))?;
        }
        Ok(())
    }
}

/// Bytes in the largest unit that is not too coarse, with at most two decimals.
fn shown(bytes: usize) -> String {
    let (unit, name) = match bytes {
        0x4000_0000.. => (1 << 30, "GiB"),
        0x10_0000.. => (1 << 20, "MiB"),
        0x400.. => (1 << 10, "KiB"),
        _ => return format!("{bytes} B"),
    };
    let hundredths = ((bytes % unit) / (unit / 100)).min(99);
    format!(
        "{} {name}",
        format!("{}.{hundredths:02}", bytes / unit).trim_end_matches('0').trim_end_matches('.')
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn total(caches: &Caches) -> u128 {
        caches.shares().iter().map(|(_, bytes)| *bytes as u128).sum()
    }

    proptest! {
        #[test]
        fn the_shares_are_never_more_than_the_budget(budget in BUDGET_BYTES_MIN..) {
            let caches = Caches::new(budget, None, None, 1);
            prop_assert!(total(&caches) <= budget as u128);
            prop_assert!(total(&caches) + PARTS as u128 > budget as u128, "nothing is left over");
            prop_assert!(caches.shares().iter().all(|(_, bytes)| *bytes > 0));
        }
    }

    #[test]
    fn a_setting_of_its_own_takes_the_place_of_a_share_and_of_no_other() {
        let shared = Caches::new(BUDGET_BYTES_MIN, None, None, 1);
        let chosen = Caches::new(BUDGET_BYTES_MIN, Some(7), None, 1);
        assert_eq!(chosen, Caches { log_bytes: 7, ..shared });
    }

    #[test]
    fn sizes_are_shown_in_their_unit() {
        let cases = [
            (7, "7 B"),
            (65_536, "64 KiB"),
            (3 << 19, "1.5 MiB"),
            (5 << 28, "1.25 GiB"),
            (1_100_000, "1.04 MiB"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(shown(bytes), expected);
        }
    }
}
