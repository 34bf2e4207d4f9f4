//! Steps that run the built program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::step::Stop;
use crate::process;
use crate::repository::Repository;
use crate::server::{Server, TURN_SECRET};
use crate::tools;

pub(super) fn schema(repository: &Repository) -> Result<(), Stop> {
    let served = process::output(&mut repository.command(repository.binary(), &["schema"]))?;
    let committed = fs::read_to_string(repository.root.join("schema.graphql"))
        .map_err(|error| format!("cannot read schema.graphql: {error}"))?;
    same_schema(&committed, &served)?;
    tools::npm(repository, tools::SCHEMA_CHECKS)?;
    for check in ["lint.mjs", "breaking.mjs"] {
        let check = format!("{}/{check}", tools::SCHEMA_CHECKS);
        process::run(&mut repository.command("node", &[&check]))?;
    }
    Ok(())
}

/// Compares verdicts and answers with those of the reference implementation of GraphQL, on random documents.
pub(super) fn graphql(repository: &Repository) -> Result<(), Stop> {
    let controlled = repository.target.join("debug/examples/differential");
    suite(repository, "graphql", &["tests/graphql"], &[("DIFFERENTIAL_SERVER", &controlled)])
}

pub(super) fn browser(repository: &Repository) -> Result<(), Stop> {
    typescript_client(repository)?;
    chat(repository)?;
    let (chromium, coturn, program) = (tools::chromium()?, tools::coturn()?, repository.binary());
    let openssl = tools::program("openssl")?;
    let settings: [(&str, &Path); 4] = [
        ("CHROMIUM", &chromium),
        ("COTURN", &coturn),
        ("OPENSSL", &openssl),
        ("ROOKERY", &program),
    ];
    suite(repository, "browser", &["tests/browser", "tests/browser/chat"], &settings)
}

/// Builds the client library, which tests use as it is published.
fn typescript_client(repository: &Repository) -> Result<(), Stop> {
    let compiler = tools::npm(repository, tools::TYPESCRIPT_CLIENT)?.join(".bin/tsc");
    let generator = format!("{}/generate.mjs", tools::TYPESCRIPT_CLIENT);
    process::run(&mut repository.command("node", &[&generator]))?;
    Ok(process::run(&mut repository.command(compiler, &["--project", tools::TYPESCRIPT_CLIENT]))?)
}

/// Checks the types of the chat. Its tests build its bundle again, and compare it with the committed one.
fn chat(repository: &Repository) -> Result<(), Stop> {
    let compiler = tools::npm(repository, tools::CHAT)?.join(".bin/tsc");
    let generator = format!("{}/generate.mjs", tools::CHAT);
    process::run(&mut repository.command("node", &[&generator]))?;
    Ok(process::run(&mut repository.command(compiler, &["--project", tools::CHAT]))?)
}

pub(super) fn clients(repository: &Repository) -> Result<(), Stop> {
    typescript_client(repository)?;
    let (gql, core_3_2) = (tools::python_client(repository)?, tools::python_core_3_2(repository)?);
    let folders = ["clients/typescript/tests", "tests/clients"];
    let rust = rust_client(repository)?;
    let settings: [(&str, &Path); 3] =
        [("PYTHON_GQL", &gql), ("PYTHON_CORE_3_2", &core_3_2), ("RUST_CLIENT", &rust)];
    suite(repository, "clients", &folders, &settings)
}

/// Builds the wheel of the Python client, installs it in an empty environment, and runs its tests there.
pub(super) fn python(repository: &Repository) -> Result<(), Stop> {
    let (mypy, folder) = (tools::mypy(repository)?, repository.scratch("python")?);
    let python = tools::python_environment(repository, &folder)?;
    let mut types =
        repository.command("python3", &["-m", "mypy", "--strict", "--no-error-summary"]);
    types.arg("--python-executable").arg(&python).arg("--cache-dir").arg(folder.join("types"));
    types.arg("--config-file").arg(format!("{}/pyproject.toml", tools::PYTHON_CLIENT));
    let sources = ["clients/python/src", "clients/python/tests", "examples/archive.py"];
    process::run(types.args(sources).arg("examples/echo-bot/bot.py").env("PYTHONPATH", mypy))?;
    let server = Server::start(&repository.binary(), &folder)?;
    let tests = ["-B", "-W", "error", "-m", "unittest", "discover", "--start-directory"];
    let mut command = repository.command(&python, &tests);
    command.arg(format!("{}/tests", tools::PYTHON_CLIENT));
    command.env("ROOKERY", repository.binary()).env("SERVER_DATA", folder.join("data"));
    run_against(&server, &mut command)
}

/// Runs the programs in `examples/` as their users would.
pub(super) fn examples(repository: &Repository) -> Result<(), Stop> {
    let python = tools::python_environment(repository, &repository.scratch("examples")?)?;
    let mut command = repository.command(python, &["-B", "tests/examples/check.py"]);
    Ok(process::run(command.arg(repository.binary()))?)
}

/// Bridges an IRC server with heisenbridge, while all three are killed. It takes a minute, or as many as
/// `ROOKERY_TORTURE_MINUTES` says.
pub(super) fn bridge(repository: &Repository) -> Result<(), Stop> {
    let (packages, ngircd) = (tools::heisenbridge(repository)?, tools::ngircd()?);
    let mut command = repository.command("python3", &["-B", "tests/bridge/check.py"]);
    command.arg(repository.binary()).arg(packages).arg(ngircd);
    for (variable, option) in
        [("ROOKERY_TORTURE_MINUTES", "--minutes"), ("ROOKERY_TORTURE_SEED", "--seed")]
    {
        if let Some(value) = std::env::var_os(variable) {
            command.arg(option).arg(value);
        }
    }
    Ok(process::run(&mut command)?)
}

/// Users of Synapse and users of Rookery talk, through outages and forks. All servers have TLS.
pub(super) fn federation(repository: &Repository) -> Result<(), Stop> {
    let packages = tools::synapse(repository)?;
    let client = tools::python_environment(repository, &repository.scratch("federation")?)?;
    let mut command = repository.command("python3", &["-B", "tests/federation/check.py"]);
    command.arg(repository.binary()).arg("--client").arg(client);
    Ok(process::run(command.env("PYTHONPATH", packages))?)
}

/// Builds the client in Rust, a workspace of its own; returns its program.
fn rust_client(repository: &Repository) -> Result<PathBuf, Stop> {
    let target = repository.target.join("clients-rust");
    let arguments =
        ["build", "--quiet", "--locked", "--manifest-path", "tests/clients/rust/Cargo.toml"];
    process::run(repository.cargo(&arguments).arg("--target-dir").arg(&target))?;
    Ok(target.join("debug/rookery-client-of-tests"))
}

/// Sends a server valid and invalid requests from its schema.
pub(super) fn schemathesis(repository: &Repository) -> Result<(), Stop> {
    let packages = tools::schemathesis(repository)?;
    let server = Server::start(&repository.binary(), &repository.scratch("schemathesis")?)?;
    let mut command = repository.command("python3", &["-B", "tests/schemathesis/run.py"]);
    run_against(&server, command.env("PYTHONPATH", packages))
}

/// Runs the Node tests of some folders against a server with empty data.
fn suite(
    repository: &Repository,
    name: &str,
    folders: &[&str],
    settings: &[(&str, &Path)],
) -> Result<(), Stop> {
    tools::npm(repository, tools::TESTS)?;
    let mut files = Vec::new();
    for folder in folders {
        files.extend(test_files(&repository.root.join(folder))?);
    }
    let server = Server::start(&repository.binary(), &repository.scratch(name)?)?;
    // It counts for a whole file of tests too. A busy machine needs minutes for some of them.
    let mut command = repository.command("node", &["--test", "--test-timeout=300000"]);
    command.args(files).envs(settings.iter().copied());
    run_against(&server, &mut command)
}

/// Runs a command that knows the server as `ROOKERY_URL`, and the secret of its relay as `TURN_SECRET`.
fn run_against(server: &Server, command: &mut Command) -> Result<(), Stop> {
    command.env("ROOKERY_URL", server.url()).env("TURN_SECRET", TURN_SECRET);
    process::run(command).map_err(|reason| {
        println!("log of the server: {}", server.log().display());
        Stop::Failed(reason)
    })
}

/// The tests in `folder`, sorted.
fn test_files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder)
        .map_err(|error| format!("cannot list {}: {error}", folder.display()))?;
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let mut tests: Vec<_> =
        paths.filter(|path| path.to_string_lossy().ends_with(".test.mjs")).collect();
    tests.sort();
    if tests.is_empty() { Err(format!("no test in {}", folder.display())) } else { Ok(tests) }
}

fn same_schema(committed: &str, served: &str) -> Result<(), String> {
    if committed == served {
        return Ok(());
    }
    let (left, right) = (committed.lines(), served.lines());
    let line = 1 + left.zip(right).take_while(|(left, right)| left == right).count();
    Err(format!(
        "schema.graphql differs from line {line} on; \
         `cargo run -- schema > schema.graphql` writes it again"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_line_that_differs_is_named() {
        assert!(same_schema("type A\n", "type A\n").is_ok());
        let refusal = same_schema("type A\ntype B\n", "type A\ntype C\n").expect_err("they differ");
        assert!(refusal.starts_with("schema.graphql differs from line 2 on"), "{refusal}");
        assert!(same_schema("type A\n", "type A\ntype B\n").is_err());
    }
}
