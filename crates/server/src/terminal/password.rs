//! Passwords and confirmations from the person at the terminal, or from a pipe.
//!
//! **Invariant:** the terminal never shows a typed password.

use std::io::{self, BufRead, IsTerminal};

use crate::{cli::UserCommand, failure::Failure, terminal};

/// Reads the password of a command that sets one: typed twice, or one line of a standard input that is no
/// terminal.
///
/// # Errors
/// [`Failure`] if there is none, or if the operator does not confirm an irreversible operation.
pub(crate) fn read_for(command: &UserCommand) -> Result<Option<String>, Failure> {
    let wanted = matches!(
        command,
        UserCommand::Create { no_password: false, .. } | UserCommand::SetPassword { .. }
    );
    if !wanted {
        return confirm(command).map(|()| None);
    }
    let password = if io::stdin().is_terminal() { typed()? } else { line()? };
    if password.is_empty() {
        return Err(Failure::new(
            "the standard input has no password: write it as one line, or use --no-password",
        ));
    }
    Ok(Some(password))
}

/// Asks for a password at the terminal, which does not show it.
fn typed() -> Result<String, Failure> {
    let ask = |text: &str| {
        terminal::ask(text);
        let read = rpassword::read_password();
        read.map_err(|error| {
            Failure::new(format!("cannot read a password from the terminal: {error}"))
        })
    };
    let password = ask("password (it is not shown): ")?;
    if password.is_empty() || password == ask("the same again: ")? {
        return Ok(password);
    }
    Err(Failure::new("the two passwords differ: nothing was changed"))
}

/// The first line of the standard input.
fn line() -> Result<String, Failure> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// An irreversible operation needs a confirmation.
fn confirm(command: &UserCommand) -> Result<(), Failure> {
    let UserCommand::Deactivate { name, yes: false, .. } = command else { return Ok(()) };
    if !io::stdin().is_terminal() {
        return Err(Failure::new("this cannot be undone: confirm it with --yes"));
    }
    terminal::ask(format_args!("deactivate {name} for good? [y/N] "));
    if line()?.trim().eq_ignore_ascii_case("y") {
        return Ok(());
    }
    Err(Failure::new("nothing was done"))
}
