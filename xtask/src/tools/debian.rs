//! Debian's signed packages, installed as root.
//!
//! **Invariant:** an existing program is not installed again.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use super::node::find;
use crate::process;
use crate::steps::Stop;

const CHROMIUM: &str = "/usr/bin/chromium";
const COTURN: &str = "/usr/bin/turnserver";
const STRACE: &str = "/usr/bin/strace";
const NGIRCD: &str = "/usr/sbin/ngircd";

/// The browser; the variable `CHROMIUM` may name another one.
///
/// # Errors
/// There is none, and it cannot be installed.
pub(crate) fn chromium() -> Result<PathBuf, Stop> {
    if let Some(program) = std::env::var_os("CHROMIUM") {
        return Ok(program.into());
    }
    if !process::exists(CHROMIUM) {
        debian("chromium")?;
    }
    Ok(CHROMIUM.into())
}

/// A relay for calls, other than our own.
///
/// # Errors
/// There is none, and it cannot be installed.
pub(crate) fn coturn() -> Result<PathBuf, Stop> {
    silent_server("coturn", COTURN)
}

/// A server for IRC.
///
/// # Errors
/// There is none, and it cannot be installed.
pub(crate) fn ngircd() -> Result<PathBuf, Stop> {
    silent_server("ngircd", NGIRCD)
}

/// A server from a package of the same name as its unit, which is not started.
fn silent_server(package: &str, program: &str) -> Result<PathBuf, Stop> {
    if !process::exists(program) {
        if process::exists("systemctl") {
            // Otherwise the package starts a server that listens on all addresses.
            let unit = format!("{package}.service");
            process::run(Command::new("systemctl").args(["mask", &unit]))?;
        }
        debian(package)?;
    }
    Ok(program.into())
}

/// The tracer with which tests count system calls.
///
/// # Errors
/// There is none, and it cannot be installed.
pub(crate) fn strace() -> Result<PathBuf, Stop> {
    if !process::exists(STRACE) {
        debian("strace")?;
    }
    Ok(STRACE.into())
}

/// A program from a package of the same name, such as `curl`.
///
/// # Errors
/// There is none, and it cannot be installed.
pub(crate) fn program(name: &str) -> Result<PathBuf, Stop> {
    let path = || find(&std::env::var_os("PATH").unwrap_or_default(), name);
    if let Some(program) = path() {
        return Ok(program);
    }
    debian(name)?;
    path().ok_or_else(|| Stop::Missing(format!("the package {name} contains no {name}")))
}

/// The Python that installs packages and runs some of the tests, at least 3.11, with pip and venv.
///
/// # Errors
/// It is missing or too old, or has no pip, and cannot be installed.
pub(crate) fn python3() -> Result<PathBuf, Stop> {
    let answers = |arguments: &[&str]| {
        process::output(Command::new("python3").args(arguments).stderr(std::process::Stdio::null()))
    };
    if find(&std::env::var_os("PATH").unwrap_or_default(), "python3").is_none() {
        debian("python3")?;
    }
    let is_fit = "import sys; print(sys.executable if sys.version_info >= (3, 11) else '')";
    let program = answers(&["-c", is_fit]).unwrap_or_default();
    if program.trim().is_empty() {
        return Err(Stop::Missing(
            "`python3` is missing or older than 3.11: install a newer one".to_owned(),
        ));
    }
    let has_pip = || answers(&["-m", "pip", "--version"]).is_ok();
    if !has_pip() {
        debian("python3-pip")?;
    }
    // Debian has the part of `venv` that installs pip in a package of its own.
    let has_venv = || answers(&["-c", "import ensurepip, venv"]).is_ok();
    if has_pip() && !has_venv() {
        debian("python3-venv")?;
    }
    if has_pip() && has_venv() {
        return Ok(program.trim().into());
    }
    Err(Stop::Missing(
        "`python3` has no pip or no venv: install them for it, or put another python3 first in PATH"
            .to_owned(),
    ))
}

/// Installs a Debian package, as root.
fn debian(package: &str) -> Result<(), Stop> {
    /// The lists of packages are fetched once.
    static UPDATED: OnceLock<Result<(), String>> = OnceLock::new();
    let user = process::output(Command::new("id").arg("--user")).unwrap_or_default();
    if user.trim() != "0" || !process::exists("apt-get") {
        return Err(Stop::Missing(format!(
            "{package} is not installed: `apt-get install {package}`, or run this as root on Debian"
        )));
    }
    let install = ["install", "--yes", "--quiet", "--no-install-recommends", package];
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        process::run(command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    let updated = UPDATED.get_or_init(|| apt(&["update", "--quiet"])).clone();
    updated.and_then(|()| apt(&install)).map_err(Stop::Missing)
}
