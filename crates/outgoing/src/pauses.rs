//! The pauses between tries of one request.

use std::time::Duration;

/// The pauses between tries.
#[derive(Clone, Copy, Debug)]
pub struct Pauses {
    /// After the first failure.
    pub first: Duration,
    /// Each pause is twice the one before it, up to this.
    pub longest: Duration,
}

impl Default for Pauses {
    fn default() -> Self {
        Self { first: Duration::from_secs(1), longest: Duration::from_mins(5) }
    }
}

impl Pauses {
    /// The pause after this many failures in a row.
    #[must_use]
    pub fn after(self, failures: u32) -> Duration {
        let doubled = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        self.first.saturating_mul(doubled).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_five_minutes() {
        let pauses = Pauses::default();
        let seconds: Vec<u64> =
            [1, 2, 3, 9, 10, 40, u32::MAX].map(|it| pauses.after(it).as_secs()).into();
        assert_eq!(seconds, [1, 2, 4, 256, 300, 300, 300]);
    }
}
