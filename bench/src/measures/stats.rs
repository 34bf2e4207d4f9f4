//! Medians and percentiles.

use std::time::Duration;

/// The middle and the slow end of many durations, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(clippy::struct_field_names, reason = "units are in the name")]
pub(crate) struct Latency {
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// `None` with fewer than a thousand samples, where it would be the slowest.
    pub(crate) p999_ms: Option<f64>,
}

/// Measured durations.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples(Vec<Duration>);

impl Samples {
    pub(crate) fn push(&mut self, sample: Duration) {
        self.0.push(sample);
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// `None` without samples.
    pub(crate) fn latency(mut self) -> Option<Latency> {
        self.0.sort_unstable();
        let at = |permille| Some(self.0.get(rank(self.0.len(), permille)?)?.as_secs_f64() * 1e3);
        let p999_ms = at(999).filter(|_| self.0.len() >= 1_000);
        Some(Latency { p50_ms: at(500)?, p99_ms: at(990)?, p999_ms })
    }
}

/// The index of the nearest rank of a percentile, in thousandths, among `len` sorted values.
fn rank(len: usize, permille: usize) -> Option<usize> {
    (len * permille).div_ceil(1_000).max(1).checked_sub(1).filter(|index| *index < len)
}

/// The middle value; for an even number, the mean of the two in the middle. `None` without values.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_unstable_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = *values.get((values.len() - 1) / 2)?;
    Some(f64::midpoint(lower, upper))
}

/// As a number for calculations.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
pub(crate) fn float(count: impl TryInto<u64>) -> f64 {
    count.try_into().unwrap_or(u64::MAX) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_is_in_the_middle_whatever_the_order() {
        assert_eq!(median([3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median([]), None);
    }

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let mut samples = Samples::default();
        for milliseconds in (1..=200).rev() {
            samples.push(Duration::from_millis(milliseconds));
        }
        let expected = Latency { p50_ms: 100.0, p99_ms: 198.0, p999_ms: None };
        assert_eq!(samples.latency(), Some(expected));
    }

    #[test]
    fn slowest_of_a_thousand_is_told_of_a_thousand_samples() {
        let mut samples = Samples::default();
        for milliseconds in 1..=2_000 {
            samples.push(Duration::from_millis(milliseconds));
        }
        let expected = Latency { p50_ms: 1_000.0, p99_ms: 1_980.0, p999_ms: Some(1_998.0) };
        assert_eq!(samples.latency(), Some(expected));
    }

    #[test]
    fn one_sample_is_every_percentile() {
        let mut samples = Samples::default();
        samples.push(Duration::from_millis(7));
        assert_eq!(samples.latency(), Some(Latency { p50_ms: 7.0, p99_ms: 7.0, p999_ms: None }));
    }

    #[test]
    fn nothing_has_no_percentile() {
        assert_eq!(Samples::default().latency(), None);
    }
}
