//! The definition of a step, and its possible ends.
//!
//! **Invariant:** in CI a missing tool is a failure; no step is left out.

use crate::repository::Repository;

/// When a developer runs a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// After each change: `cargo xtask test quick`.
    Quick,
    /// Before a change is handed in.
    Slow,
}

/// One check.
pub(crate) struct Step {
    /// One word, to name it on the command line.
    pub(crate) name: &'static str,
    /// The fact that it proves.
    pub(crate) about: &'static str,
    pub(crate) lane: Lane,
    /// Steps without whose success this one proves nothing.
    pub(crate) needs: &'static [&'static str],
    pub(crate) run: fn(&Repository) -> Result<(), Stop>,
}

/// Why a step did not pass.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The check found a violation, or could not run.
    Failed(String),
    /// This machine lacks a tool of the check: left out on a developer's machine, a failure in CI.
    Missing(String),
}

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    Failed(String),
    Skipped(String),
}

impl From<String> for Stop {
    fn from(reason: String) -> Self {
        Self::Failed(reason)
    }
}
