//! One processor core, shared with a busy loop.
//!
//! A test that passes by luck fails when its threads and the server run late. **Invariant:** the loop ends with the run.

use std::process::{Child, Command, Stdio};

/// Starts a program on the first core alone. `taskset` is part of util-linux.
pub(super) const ONE_CORE: &[&str] = &["taskset", "-c", "0"];

/// A program that keeps the first core busy until this is dropped.
pub(super) struct BusyLoop(Child);

impl BusyLoop {
    /// Starts the loop.
    ///
    /// # Errors
    /// There is no `taskset` on this machine.
    pub(super) fn start() -> Result<Self, String> {
        let mut command = Command::new(ONE_CORE[0]);
        command.args(&ONE_CORE[1..]).args(["sh", "-c", "while :; do :; done"]);
        let child = command.stdin(Stdio::null()).spawn();
        child.map(Self).map_err(|error| format!("cannot start `taskset`: {error}"))
    }
}

impl Drop for BusyLoop {
    fn drop(&mut self) {
        // It has no reason to end before, and nothing can be done if it did.
        if self.0.kill().is_ok() {
            self.0.wait().map(drop).unwrap_or_default();
        }
    }
}

/// A selection of `count` tests that depends on `seed` alone.
pub(super) fn slice(mut tests: Vec<String>, count: usize, seed: u64) -> Vec<String> {
    let mut state = seed;
    let mut next = || {
        // SplitMix64, so that neighbouring seeds select different tests.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    let mut selected = Vec::new();
    while selected.len() < count && !tests.is_empty() {
        let index = next() % tests.len() as u64;
        selected.push(tests.swap_remove(usize::try_from(index).unwrap_or(0)));
    }
    selected
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<String> {
        (0..50).map(|number| format!("test{number}")).collect()
    }

    #[test]
    fn a_seed_selects_the_same_tests_and_another_seed_selects_others() {
        let selected = slice(names(), 8, 7);
        assert_eq!(selected, slice(names(), 8, 7));
        assert_ne!(selected, slice(names(), 8, 8));
        assert_eq!(slice(names(), 99, 1).len(), 50);
    }
}
