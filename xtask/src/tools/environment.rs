//! A virtual environment with the Python client, from the wheel that is built of it.
//!
//! **Invariant:** it has nothing else, and no network is needed once the wheels are there.

use std::fs;
use std::path::{Path, PathBuf};

use super::{PYTHON_CLIENT, wheels};
use crate::process;
use crate::repository::Repository;
use crate::steps::Stop;

/// With these variables, and `PIP_FIND_LINKS` as a folder of wheels, pip asks no registry.
pub(crate) const OFFLINE: [(&str, &str); 2] =
    [("PIP_NO_INDEX", "1"), ("PIP_DISABLE_PIP_VERSION_CHECK", "1")];

/// Makes an empty virtual environment in `folder`, builds the wheel of the Python client and installs it there;
/// returns the Python of the environment.
///
/// # Errors
/// Python is missing or too old, or the wheel cannot be built or installed.
pub(crate) fn python_environment(repository: &Repository, folder: &Path) -> Result<PathBuf, Stop> {
    let (wheels, environment, built) =
        (wheels(repository)?, folder.join("environment"), folder.join("built"));
    process::run(repository.command("python3", &["-m", "venv"]).arg(&environment))?;
    let python = environment.join("bin/python");
    let pip = |arguments: &[&str]| {
        let mut command = repository.command(&python, &["-m", "pip"]);
        command.args(arguments).envs(OFFLINE).env("PIP_FIND_LINKS", &wheels);
        command
    };
    process::run(
        pip(&["wheel", "--quiet", "--no-deps", PYTHON_CLIENT, "--wheel-dir"]).arg(&built),
    )?;
    process::run(pip(&["install", "--quiet"]).arg(wheel_in(&built)?))?;
    Ok(python)
}

/// The one wheel in a folder.
fn wheel_in(folder: &Path) -> Result<PathBuf, String> {
    let entries = fs::read_dir(folder)
        .map_err(|error| format!("cannot list {}: {error}", folder.display()))?;
    let mut files = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    match (files.next(), files.next()) {
        (Some(wheel), None) => Ok(wheel),
        _ => Err(format!("{} does not have one wheel", folder.display())),
    }
}
