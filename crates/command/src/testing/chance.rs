//! Randomness that follows from a seed, for tests that have to repeat a run exactly.
//!
//! **Invariant:** outside of tests that use it, randomness is that of the operating system.

use std::cell::RefCell;

use super::Rng;

thread_local! {
    static CHANCE: RefCell<Option<Rng>> = const { RefCell::new(None) };
}

/// Makes the write sides of this thread draw random numbers from `seed`, until this is dropped.
#[must_use]
pub struct Seeded(());

impl Seeded {
    /// Starts.
    pub fn new(seed: u64) -> Self {
        CHANCE.set(Some(Rng::new(seed)));
        Self(())
    }
}

impl Drop for Seeded {
    fn drop(&mut self) {
        CHANCE.set(None);
    }
}

/// Sixteen bytes, if this thread has a seed.
pub(crate) fn bytes() -> Option<[u8; 16]> {
    CHANCE.with_borrow_mut(|chance| {
        let chance = chance.as_mut()?;
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&chance.number().to_le_bytes());
        bytes[8..].copy_from_slice(&chance.number().to_le_bytes());
        Some(bytes)
    })
}
