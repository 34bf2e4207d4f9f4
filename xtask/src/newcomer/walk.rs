//! Follows the pages twice in a clean clone, with the same data.
//!
//! **Invariant:** only two things differ from a newcomer's experience. The program is already built, so `cargo run` and
//! `cargo install` take no minutes; another check shows that the clone has all files to build it. And the packages of npm and pip
//! are those that the tests have installed or downloaded.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::page::{acts, sections};
use super::script::script;
use crate::repository::Repository;
use crate::steps::Stop;
use crate::{check, process, tools};

/// The pages of a newcomer, in reading order, each with the sections to follow; none means all.
const PAGES: &[(&str, &[&str])] = &[
    ("README.md", &[]),
    ("docs/first-conversation.md", &[]),
    ("docs/webhooks.md", &["From nothing to a message", "Changing and deleting"]),
    (
        "docs/services.md",
        &["From nothing to a bot in five minutes", "From a registration YAML to a bridge in five"],
    ),
];

/// The longest time for a page: a loop on it that waits for a condition ends then.
const PAGE_SECONDS_MAX: &str = "300";

/// Instead of building: starts the built program.
const CARGO: &str = r#"#!/bin/sh
case "$1" in
run)
    shift
    [ "${1-}" != --quiet ] || shift
    [ "${1-}" != --release ] || shift
    [ "${1-}" != -- ] || shift
    exec "$newcomer_program" "$@"
    ;;
install) exec ln -sf "$newcomer_program" "$newcomer_programs/rookery" ;;
esac
echo "the pages say \`cargo $*\`, which nobody expects" >&2
exit 64
"#;

/// Instead of installing: the packages of the tests.
const NPM: &str = r#"#!/bin/sh
[ "$1" = install ] && exec ln -sfn "$newcomer_modules" node_modules
exit 64
"#;

/// Follows the pages twice.
///
/// # Errors
/// A command fails, or its answer is an error.
pub(crate) fn walk(repository: &Repository) -> Result<(), Stop> {
    tools::program("curl")?;
    tools::program("jq")?;
    let modules = tools::npm(repository, tools::TESTS)?;
    let (wheels, bridge) = (tools::wheels(repository)?, tools::heisenbridge(repository)?);
    let folder = repository.scratch("newcomer")?;
    let (clone, programs) = (folder.join("rookery"), folder.join("programs"));
    clone_into(repository, &clone)?;
    let dependencies = fs::read_to_string(repository.binary().with_extension("d"))
        .map_err(|error| format!("cannot read the list of the program's sources: {error}"))?;
    if let Some(lacking) = check::lacking(&dependencies, &repository.root, &clone).first() {
        return Err(Stop::Failed(format!(
            "a clean clone lacks {lacking}, a source of the program"
        )));
    }
    for (name, text) in [("cargo", CARGO), ("npm", NPM)] {
        write_program(&programs.join(name), text)
            .map_err(|error| format!("cannot write the program {name}: {error}"))?;
    }
    let path = tools::before(&programs, &std::env::var_os("PATH").unwrap_or_default());
    let path = repository
        .node_folder()
        .map_or_else(|| path.clone(), |node| tools::before(&programs, &tools::before(node, &path)));
    for round in ["first", "second"] {
        for (page, titles) in PAGES {
            println!("\n-- {page}, the {round} time");
            let text = fs::read_to_string(clone.join(page))
                .map_err(|error| format!("cannot read {page}: {error}"))?;
            let port = free_port().map_err(|error| format!("there is no free port: {error}"))?;
            let other = free_port().map_err(|error| format!("there is no free port: {error}"))?;
            let text = sections(&text, titles)
                .ok_or_else(|| format!("{page} lacks one of the sections {titles:?}"))?;
            let file = folder.join("script");
            fs::write(&file, script(&acts(&text), &format!("127.0.0.1:{port}"), other))
                .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
            let mut shell = repository.command("timeout", &[PAGE_SECONDS_MAX, "bash"]);
            shell.arg(&file).current_dir(&clone).env("PATH", &path);
            for (name, _) in std::env::vars_os() {
                if name.to_string_lossy().starts_with("ROOKERY_") {
                    shell.env_remove(name);
                }
            }
            shell.env("ROOKERY_LISTEN", format!("127.0.0.1:{port}")).env("no_proxy", "127.0.0.1");
            // pip finds the bridge installed, and everything else in the folder of wheels.
            shell.envs(tools::OFFLINE).env("PIP_FIND_LINKS", &wheels).env("PYTHONPATH", &bridge);
            shell.env("newcomer_program", repository.binary()).env("newcomer_programs", &programs);
            shell.env("newcomer_modules", &modules).env("newcomer_logs", &folder);
            process::run(&mut shell)?;
        }
    }
    Ok(())
}

/// Clones the committed files, and copies the others, so that a page can be tried before it is
/// committed.
fn clone_into(repository: &Repository, clone: &Path) -> Result<(), String> {
    let mut git = repository.command("git", &["clone", "--quiet", "--shared"]);
    process::run(git.arg(&repository.root).arg(clone))?;
    let copy = |path: &String| {
        let (from, to) = (repository.root.join(path), clone.join(path));
        let text = fs::read(&from)?;
        if fs::read(&to).is_ok_and(|there| there == text) {
            return Ok(());
        }
        fs::create_dir_all(to.parent().unwrap_or(clone))?;
        fs::write(&to, text)
    };
    for path in &repository.tree()?.paths {
        copy(path).map_err(|error: std::io::Error| format!("cannot copy {path}: {error}"))?;
    }
    Ok(())
}

fn write_program(file: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, text)?;
    fs::set_permissions(file, fs::Permissions::from_mode(0o755))
}

/// An unused port of this machine.
fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
