//! The definition of a rig, and one run of it.
//!
//! **Invariant:** a rig without any test to run has failed.

use std::process::Command;
use std::time::Duration;

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
    /// The target of the package: `--lib`, or `--test` and a name.
    pub(super) target: &'static [&'static str],
    /// The filters for names of tests; all tests of the target if this is empty.
    pub(super) filters: &'static [&'static str],
    /// More environment variables, which override those above.
    pub(super) settings: &'static [(&'static str, &'static str)],
}

impl Rig {
    /// Compiles the tests and checks that there are any.
    ///
    /// # Errors
    /// They do not compile, or the filters match none.
    pub(super) fn prepare(&self, repository: &Repository) -> Result<(), String> {
        let listed = process::output(self.command(repository, &[]).arg("--list"))?;
        if listed.lines().any(|line| line.ends_with(": test")) {
            return Ok(());
        }
        let (package, filters) = (self.package, self.filters.join("`, `"));
        Err(format!("`{package}` has no test whose name contains `{filters}`"))
    }

    /// Runs all of its tests once.
    ///
    /// # Errors
    /// The exit status.
    pub(super) fn run(
        &self,
        repository: &Repository,
        seed: u64,
        left: Duration,
    ) -> Result<(), String> {
        let mut command = self.command(repository, &["--no-fail-fast"]);
        command
            .env("ROOKERY_TORTURE_SEED", seed.to_string())
            .env("PROPTEST_RNG_SEED", seed.to_string())
            .env("ROOKERY_TORTURE_MINUTES", (left.as_secs_f64() / 60.0).to_string())
            .envs(self.settings.iter().copied());
        process::run(&mut command)
    }

    fn command(&self, repository: &Repository, more: &[&str]) -> Command {
        let mut command = repository.cargo(&["test", "--package", self.package]);
        command.args(self.target).args(more).arg("--").args(self.filters);
        command
    }
}
