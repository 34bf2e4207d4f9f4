//! The definition of a rig, and one run of it.
//!
//! **Invariant:** a rig without any test to run has failed.

use std::process::Command;
use std::time::Duration;

use super::busy::{self, BusyLoop, ONE_CORE};
use crate::binaries::{Binaries, Binary};
use crate::process;
use crate::repository::Repository;

/// Randomised tests: with another seed, or at another moment, they try other cases.
///
/// Each run gets `ROOKERY_TORTURE_SEED` and `PROPTEST_RNG_SEED`, and `ROOKERY_TORTURE_MINUTES`, the remaining time of the
/// rig. Tests that read these variables (`rookery_log::Rounds`) use up the time in one run. The rig repeats all other tests,
/// each time with another seed, until the time is over.
pub(super) struct Rig {
    /// One word, to name it on the command line.
    pub(super) name: &'static str,
    /// The tried cases, and the property that has to hold.
    pub(super) about: &'static str,
    /// The package of the tests.
    pub(super) package: &'static str,
    /// The target of the package: `lib`, or the name of a test target.
    pub(super) target: &'static str,
    /// The filters for names of tests; all tests of the target if this is empty.
    pub(super) filters: &'static [&'static str],
    /// More environment variables, which override those above.
    pub(super) settings: &'static [(&'static str, &'static str)],
    /// How many of the tests one run takes, on one core beside a busy loop; `None` runs all, as usual.
    pub(super) slice: Option<usize>,
}

impl Rig {
    /// Finds the compiled tests and checks that there are any.
    ///
    /// # Errors
    /// The filters match none.
    pub(super) fn prepare<'a>(
        &self,
        repository: &Repository,
        binaries: &'a Binaries,
    ) -> Result<&'a Binary, String> {
        let binary = binaries.find(repository, self.package, self.target)?;
        if !binary.tests(repository, self.filters)?.is_empty() {
            return Ok(binary);
        }
        let (package, filters) = (self.package, self.filters.join("`, `"));
        Err(format!("`{package}` has no test whose name contains `{filters}`"))
    }

    /// Runs all of its tests once, or a slice of them.
    ///
    /// # Errors
    /// The exit status.
    pub(super) fn run(
        &self,
        repository: &Repository,
        binary: &Binary,
        seed: u64,
        left: Duration,
    ) -> Result<(), String> {
        let Some(count) = self.slice else {
            let mut command = binary.command(repository);
            return self.finish(command.args(self.filters), seed, left);
        };
        let tests = busy::slice(binary.tests(repository, self.filters)?, count, seed);
        let _busy = BusyLoop::start()?;
        let mut command = binary.below(repository, ONE_CORE);
        self.finish(command.arg("--exact").args(tests), seed, left)
    }

    fn finish(&self, command: &mut Command, seed: u64, left: Duration) -> Result<(), String> {
        command
            .env("ROOKERY_TORTURE_SEED", seed.to_string())
            .env("PROPTEST_RNG_SEED", seed.to_string())
            .env("ROOKERY_TORTURE_MINUTES", (left.as_secs_f64() / 60.0).to_string())
            .envs(self.settings.iter().copied());
        process::run(command)
    }
}
