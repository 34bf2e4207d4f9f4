//! Standard output: the results of commands.
//!
//! **Invariant:** a result that could not be written whole fails the command.

use std::io::{self, Write};

use crate::failure::Failure;

/// Prints a result.
///
/// # Errors
/// As [`unprinted`] says.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush())
        .map_err(|error| unprinted(&error))
}

/// Why a result was not printed: [`Failure::is_reader_gone`] if nobody reads any more.
pub(crate) fn unprinted(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::reader_gone(),
        _ => Failure::new(format!(
            "cannot write to the standard output: {error}; what was printed is not complete"
        )),
    }
}
