//! The first step: the requirements of the other steps, checked before minutes of building.
//!
//! **Invariant:** it installs everything that it can, and names all the rest together.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::step::Stop;
use crate::process;
use crate::repository::Repository;
use crate::tools;

/// A program that starts Node.js or installs it.
const NODE_PROGRAMS: &[&str] = &["node", "nodejs", "npm", "npx", "corepack"];

pub(super) fn requirements(repository: &Repository) -> Result<(), Stop> {
    let mut missing = Vec::new();
    for (name, result) in tools::requirements(repository) {
        match result {
            Ok(place) => println!("{name}: {}", place.display()),
            Err(Stop::Failed(reason) | Stop::Missing(reason)) => {
                println!("{name} is MISSING: {reason}");
                missing.push(name);
            }
        }
    }
    if let Err(reason) = disk_space(repository) {
        println!("disk space is MISSING: {reason}");
        missing.push("disk space");
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(Stop::Missing(format!(
        "missing: {}; the steps that need it are skipped",
        missing.join(", ")
    )))
}

/// Free space that all steps of a build from nothing need, in GiB. In CI they take 4, as measured with `du`; otherwise
/// the incremental records of Cargo come to them.
const FREE_GIB_MIN: u64 = 8;

/// Whether the disk of the build folder has enough free space, unless an earlier run has left the program there.
fn disk_space(repository: &Repository) -> Result<(), String> {
    if repository.binary().exists() {
        return Ok(());
    }
    let mut command = repository.command("df", &["-Pk", "."]);
    let free_gib = free_kib(&process::output(&mut command)?)? >> 20;
    if free_gib >= FREE_GIB_MIN {
        return Ok(());
    }
    Err(format!(
        "{free_gib} GiB are free at {}, and the checks take up to {FREE_GIB_MIN}: remove what is not needed",
        repository.root.display()
    ))
}

/// The free space in an answer of `df -Pk` for one folder, in KiB.
fn free_kib(answer: &str) -> Result<u64, String> {
    let free = answer.lines().nth(1).and_then(|line| line.split_whitespace().nth(3));
    free.and_then(|free| free.parse().ok()).ok_or_else(|| format!("`df` answered {answer:?}"))
}

/// Runs checks that need Node.js without it: this program again, with a search path that hides Node.js.
pub(super) fn without_node(repository: &Repository) -> Result<(), Stop> {
    let folder = repository.scratch("without-node")?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = Vec::new();
    for (index, programs) in std::env::split_paths(&path).enumerate() {
        let hides = NODE_PROGRAMS.iter().any(|name| programs.join(name).exists());
        folders.push(if hides {
            copy_without_node(&programs, &folder.join(index.to_string()))?
        } else {
            programs
        });
    }
    let path =
        std::env::join_paths(folders).map_err(|error| format!("cannot hide Node.js: {error}"))?;
    if let Some(node) = tools::find(&path, "node") {
        return Err(Stop::Failed(format!("{} is not hidden", node.display())));
    }
    let this =
        std::env::current_exe().map_err(|error| format!("cannot find this program: {error}"))?;
    let mut command = repository.command(this, &["test", "requirements", "schema"]);
    process::run(command.env("PATH", path))?;
    let place = repository.target.join("tools/node-bin/node");
    if place.exists() {
        return Ok(());
    }
    Err(Stop::Failed("the checks ran with the Node.js that should be hidden".to_owned()))
}

/// A folder with links to all programs of another one except those of Node.js.
fn copy_without_node(programs: &Path, folder: &Path) -> Result<PathBuf, String> {
    let failed = |error: std::io::Error| format!("cannot fill {}: {error}", folder.display());
    fs::create_dir_all(folder).map_err(failed)?;
    for entry in fs::read_dir(programs).map_err(failed)? {
        let program = entry.map_err(failed)?.path();
        let Some(name) = program.file_name() else { continue };
        if !NODE_PROGRAMS.iter().any(|hidden| *hidden == name) {
            symlink(&program, folder.join(name)).map_err(failed)?;
        }
    }
    Ok(folder.to_owned())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn the_free_space_is_the_fourth_column_of_df() {
        let answer = "Filesystem 1024-blocks Used Available Capacity Mounted on\n\
            /dev/vda 263174212 52428800 41943040 56% /\n";
        assert_eq!(free_kib(answer), Ok(41_943_040));
        assert!(free_kib("Filesystem").is_err());
    }

    #[test]
    fn node_is_hidden_and_all_else_is_there() {
        let outer = tempfile::tempdir().unwrap();
        let from = outer.path().join("from");
        fs::create_dir(&from).unwrap();
        for name in ["node", "npm", "sh"] {
            fs::write(from.join(name), "").unwrap();
        }
        let copy = copy_without_node(&from, &outer.path().join("to")).unwrap();
        let names: Vec<_> =
            fs::read_dir(copy).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["sh"]);
    }
}
