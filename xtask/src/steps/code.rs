//! Steps that run cargo.
//!
//! **Invariant:** all use one profile and the whole workspace, so that each dependency is compiled
//! once.

use super::side_by_side;
use super::step::Stop;
use crate::binaries::Binaries;
use crate::repository::{Repository, in_ci};
use crate::{process, tools};

pub(super) fn format(repository: &Repository) -> Result<(), Stop> {
    process::run(&mut repository.cargo(&["fmt", "--all", "--check"]))?;
    let client = ["fmt", "--check", "--manifest-path", "tests/clients/rust/Cargo.toml"];
    Ok(process::run(&mut repository.cargo(&client))?)
}

pub(super) fn clippy(repository: &Repository) -> Result<(), Stop> {
    let arguments = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    Ok(process::run(&mut repository.cargo(&arguments))?)
}

/// Compiles the tests and, for the end-to-end tests, the program that later steps start.
pub(super) fn build(repository: &Repository) -> Result<(), Stop> {
    // As `cargo test --no-run`, which does not list the sources of the program. Excludes the running program.
    let parts = ["--lib", "--bins", "--tests", "--examples"];
    let arguments = [&["build", "--workspace", "--exclude=xtask"], &parts[..]].concat();
    Ok(process::run(&mut repository.cargo(&arguments))?)
}

/// The tests in the crates' sources, which start no program.
pub(super) fn unit(repository: &Repository) -> Result<(), Stop> {
    let binaries = Binaries::compile(repository, &["--lib", "--bins"])?;
    Ok(side_by_side::run(repository, binaries.all())?)
}

/// The tests in the crates' `tests` folders.
pub(super) fn test(repository: &Repository) -> Result<(), Stop> {
    match tools::strace() {
        Ok(_) => {}
        // Tests with strace skip themselves without it, and say so; CI has to run them.
        Err(Stop::Missing(reason)) if !in_ci() => eprintln!("{reason}"),
        Err(stop) => return Err(stop),
    }
    let binaries = Binaries::compile(repository, &["--test", "*"])?;
    Ok(side_by_side::run(repository, binaries.all())?)
}

pub(super) fn document(repository: &Repository) -> Result<(), Stop> {
    let mut command = repository.cargo(&["doc", "--workspace", "--no-deps"]);
    Ok(process::run(command.env("RUSTDOCFLAGS", "-D warnings"))?)
}
