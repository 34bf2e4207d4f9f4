//! Which workloads there are, and running those that were named.
//!
//! **Invariant:** measurements come from a release build, of this program too.

use std::process::ExitCode;

use crate::process;
use crate::repository::Repository;

/// One thing that is measured.
struct Workload {
    name: &'static str,
    run: fn(&Repository) -> Result<(), String>,
}

const WORKLOADS: &[Workload] = &[];

/// Runs the named workloads, or all.
///
/// # Errors
/// A workload is unknown or failed.
pub(crate) fn main(repository: &Repository, names: &[String]) -> Result<ExitCode, String> {
    let chosen = choose(WORKLOADS, names)?;
    if cfg!(debug_assertions) {
        let mut command =
            repository.cargo(&["run", "--quiet", "--release", "--package", "xtask", "--", "bench"]);
        return process::run(command.args(names)).map(|()| ExitCode::SUCCESS);
    }
    for workload in chosen {
        (workload.run)(repository)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn choose<'a>(all: &'a [Workload], names: &[String]) -> Result<Vec<&'a Workload>, String> {
    if names.is_empty() {
        return Ok(all.iter().collect());
    }
    let find = |name: &String| {
        all.iter().find(|workload| workload.name == name).ok_or_else(|| {
            let known = all.iter().map(|workload| workload.name).collect::<Vec<_>>().join(", ");
            let known = if known.is_empty() { "none yet" } else { &known };
            format!("unknown workload `{name}`; known: {known}")
        })
    };
    names.iter().map(find).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &[Workload] =
        &[Workload { name: "append", run: |_| Ok(()) }, Workload { name: "send", run: |_| Ok(()) }];

    #[test]
    fn no_name_means_all_workloads() {
        assert_eq!(choose(SAMPLE, &[]).map(|chosen| chosen.len()), Ok(2));
    }

    #[test]
    fn unknown_workload_is_named_beside_the_known_ones() {
        let refusal = choose(SAMPLE, &["home".to_owned()]).map(|chosen| chosen.len());
        assert_eq!(refusal, Err("unknown workload `home`; known: append, send".to_owned()));
    }
}
