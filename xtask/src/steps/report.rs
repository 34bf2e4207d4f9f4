//! The table at the end, and its closing line.

use std::fmt;
use std::time::Duration;

use super::step::{Lane, Outcome};

/// The budget of the quick lane on two cores with warm build products. A longer run is reported and is no failure.
const QUICK_BUDGET: Duration = Duration::from_mins(5);

/// The outcome of one step.
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) lane: Lane,
    pub(super) duration: Duration,
    pub(super) outcome: Outcome,
}

impl Entry {
    /// One line of the table.
    pub(super) fn line(&self) -> String {
        let (word, reason) = match &self.outcome {
            Outcome::Passed => ("passed", ""),
            Outcome::Failed(reason) => ("FAILED", reason.as_str()),
            Outcome::Skipped(reason) => ("skipped", reason.as_str()),
        };
        let reason = reason.lines().next().unwrap_or_default();
        let line =
            format!("{:13} {word:8} {:7.1} s  {reason}", self.name, self.duration.as_secs_f64());
        line.trim_end().to_owned()
    }
}

/// All lines, each ended.
pub(super) fn table(entries: &[Entry]) -> String {
    entries.iter().map(|entry| entry.line() + "\n").collect()
}

/// The time of the quick lane beside its budget.
pub(super) fn quick_lane(entries: &[Entry]) -> String {
    let quick = entries.iter().filter(|entry| entry.lane == Lane::Quick);
    let time: Duration = quick.map(|entry| entry.duration).sum();
    let verdict = if time > QUICK_BUDGET { ": longer than its budget" } else { "" };
    let (time, budget) = (time.as_secs_f64(), QUICK_BUDGET.as_secs());
    format!("quick lane: {time:.1} s of {budget} s{verdict}")
}

/// The number of steps with each outcome; shown as the closing line that CI reads.
pub(super) struct Totals {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) skipped: usize,
}

/// Counts the outcomes.
pub(super) fn totals(entries: &[Entry]) -> Totals {
    let count = |wanted: fn(&Outcome) -> bool| {
        entries.iter().filter(|entry| wanted(&entry.outcome)).count()
    };
    Totals {
        passed: count(|outcome| matches!(outcome, Outcome::Passed)),
        failed: count(|outcome| matches!(outcome, Outcome::Failed(_))),
        skipped: count(|outcome| matches!(outcome, Outcome::Skipped(_))),
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "steps: {} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(formatter, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &'static str, outcome: Outcome) -> Entry {
        Entry { name, lane: Lane::Quick, duration: Duration::from_millis(1_250), outcome }
    }

    #[test]
    fn time_of_the_quick_lane_stands_beside_its_budget() {
        let mut entries = vec![entry("fmt", Outcome::Passed), entry("links", Outcome::Passed)];
        entries[1].lane = Lane::Slow;
        assert_eq!(quick_lane(&entries), "quick lane: 1.2 s of 300 s");
        entries[0].duration = QUICK_BUDGET * 2;
        assert_eq!(quick_lane(&entries), "quick lane: 600.0 s of 300 s: longer than its budget");
    }

    #[test]
    fn closing_line_counts_and_names_skips_only_if_there_are_any() {
        let mut entries = vec![entry("fmt", Outcome::Passed)];
        assert_eq!(totals(&entries).to_string(), "steps: 1 passed, 0 failed");
        entries.push(entry("test", Outcome::Failed("1 failed".to_owned())));
        entries.push(entry("browser", Outcome::Skipped("no browser".to_owned())));
        assert_eq!(totals(&entries).to_string(), "steps: 1 passed, 1 failed, 1 skipped");
    }

    #[test]
    fn line_shows_name_outcome_duration_and_reason() {
        let entry = entry("browser", Outcome::Skipped("no browser\nmore".to_owned()));
        assert_eq!(entry.line(), "browser       skipped      1.2 s  no browser");
    }
}
