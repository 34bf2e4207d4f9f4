//! Rounds of a randomised test: how many there are, and the seed of each.
//!
//! **Invariant:** without a setting the seeds are the same in every run.

use std::time::{Duration, Instant};

/// The seed of the first round: a whole number.
const SEED: &str = "ROOKERY_TORTURE_SEED";

/// How long to continue, in minutes: a decimal number.
const MINUTES: &str = "ROOKERY_TORTURE_MINUTES";

/// The seeds of a test's rounds, one after the other.
///
/// A plain test run takes a fixed number of rounds. `cargo xtask torture` sets
/// `ROOKERY_TORTURE_MINUTES` and `ROOKERY_TORTURE_SEED`. Then rounds continue until the time is
/// over, and there is at least one.
///
/// ```ignore
/// for seed in Rounds::of(8, 0x5eed) {
///     survives(seed); // Name the seed when it does not.
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Rounds {
    next: u64,
    done: u64,
    plain: u64,
    until: Option<Instant>,
}

impl Rounds {
    /// Takes `plain` rounds from `seed`, unless the environment sets another length.
    ///
    /// # Panics
    /// If a variable is set and is not a number.
    #[must_use]
    pub fn of(plain: u64, seed: u64) -> Self {
        let set = |name: &str| std::env::var(name).ok();
        Self::with(plain, seed, set(SEED).as_deref(), set(MINUTES).as_deref())
    }

    fn with(plain: u64, seed: u64, seed_set: Option<&str>, minutes_set: Option<&str>) -> Self {
        let next = seed_set.map_or(seed, |text| {
            text.parse().unwrap_or_else(|_| panic!("{SEED} is {text:?}: give a whole number"))
        });
        let until = minutes_set.map(|text| {
            let minutes: Option<Duration> = text
                .parse()
                .ok()
                .and_then(|minutes: f64| Duration::try_from_secs_f64(minutes * 60.0).ok());
            let minutes = minutes
                .unwrap_or_else(|| panic!("{MINUTES} is {text:?}: give a number of minutes"));
            Instant::now() + minutes
        });
        Self { next, done: 0, plain, until }
    }
}

impl Iterator for Rounds {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let goes_on = match self.until {
            None => self.done < self.plain,
            Some(until) => self.done == 0 || Instant::now() < until,
        };
        if !goes_on {
            return None;
        }
        self.done += 1;
        let seed = self.next;
        self.next = following(seed);
        Some(seed)
    }
}

/// The seed after `seed`. Source: Vigna, "splitmix64".
fn following(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_run_has_its_rounds_and_always_the_same_seeds() {
        let seeds = || Rounds::with(3, 7, None, None).collect::<Vec<_>>();
        assert_eq!(seeds().len(), 3);
        assert_eq!(seeds()[0], 7);
        assert_eq!(seeds(), seeds());
    }

    #[test]
    fn a_given_seed_is_that_of_the_first_round() {
        let mut rounds = Rounds::with(3, 7, Some("11"), None);
        assert_eq!(rounds.next(), Some(11));
    }

    #[test]
    fn without_time_there_is_one_round_and_with_time_there_are_more() {
        assert_eq!(Rounds::with(9, 7, None, Some("0")).count(), 1);
        let many = Rounds::with(1, 7, None, Some("60")).take(1_000);
        assert_eq!(many.count(), 1_000);
    }
}
