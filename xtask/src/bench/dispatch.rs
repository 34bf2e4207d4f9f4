//! Builds the measured program and the benchmark, and runs it.
//!
//! **Invariant:** both programs are release builds.
//! **Invariant:** only measurements go to standard output.

use std::process::ExitCode;

use crate::process;
use crate::repository::Repository;

/// The workloads. `bench/src/workloads` describes them.
const WORKLOADS: &[&str] = &[
    "append", "send", "fanout", "mixed", "quiet", "stalled", "storm", "consume", "home", "scroll",
    "long", "rebuild", "memory", "start",
];

/// Runs the named workloads, or all.
///
/// # Errors
/// A workload is unknown or failed.
pub(crate) fn main(repository: &Repository, names: &[String]) -> Result<ExitCode, String> {
    // A wrong name should not cost the time of a build.
    check(names)?;
    let packages = ["--package", "rookery-server", "--package", "rookery-bench"];
    let mut build = repository.cargo(&["build", "--release"]);
    process::run_unannounced(build.args(packages))?;
    let program = repository.target.join("release/rookery-bench");
    let mut bench = repository.command(program, &[]);
    process::run_unannounced(bench.args(names)).map(|()| ExitCode::SUCCESS)
}

fn check(names: &[String]) -> Result<(), String> {
    match names.iter().find(|name| !WORKLOADS.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(format!("unknown workload `{name}`; known: {}", WORKLOADS.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_and_known_names_pass() {
        assert_eq!(check(&[]), Ok(()));
        assert_eq!(check(&["append".to_owned(), "start".to_owned()]), Ok(()));
    }

    #[test]
    fn unknown_workload_is_named_beside_the_known_ones() {
        let known = "append, send, fanout, mixed, quiet, stalled, storm, consume, home, \
                     scroll, long, rebuild, memory, start";
        let expected = format!("unknown workload `sing`; known: {known}");
        assert_eq!(check(&["append".to_owned(), "sing".to_owned()]), Err(expected));
    }
}
