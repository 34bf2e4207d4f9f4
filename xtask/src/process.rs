//! Runs other programs in the foreground, and shows their output.
//!
//! **Invariant:** such a program never waits for input.

use std::ffi::OsStr;
use std::process::{Command, Stdio};

/// Runs `command` to its end, after printing it.
///
/// # Errors
/// Names the program that could not start, or its exit status.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    println!("$ {}", shown(command));
    finish(command)
}

fn finish(command: &mut Command) -> Result<(), String> {
    let status = command
        .stdin(Stdio::null())
        .status()
        .map_err(|error| format!("cannot start `{}`: {error}", program(command)))?;
    if status.success() { Ok(()) } else { Err(format!("`{}`: {status}", shown(command))) }
}

/// Runs `command` to its end, with the only access to standard output, which others may parse.
///
/// # Errors
/// Names the program that could not start, or its exit status.
pub(crate) fn run_unannounced(command: &mut Command) -> Result<(), String> {
    eprintln!("$ {}", shown(command));
    finish(command)
}

/// Runs `command` to its end and returns its output.
///
/// # Errors
/// Names the program that could not start, or its exit status, or output that is not
/// UTF-8.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cannot start `{}`: {error}", program(command)))?;
    if !output.status.success() {
        return Err(format!("`{}`: {}", shown(command), output.status));
    }
    String::from_utf8(output.stdout)
        .map_err(|_| format!("`{}` printed text that is not UTF-8", shown(command)))
}

/// Whether `program` can start at all.
pub(crate) fn exists(program: impl AsRef<OsStr>) -> bool {
    Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok()
}

fn program(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}

/// The command line as a user would type it, with the program's bare name.
fn shown(command: &Command) -> String {
    let program = program(command);
    let name = program.rsplit('/').next().unwrap_or(&program).to_owned();
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once(name).chain(arguments).collect::<Vec<_>>().join(" ")
}
