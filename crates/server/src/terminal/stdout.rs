//! Standard output: the results of commands.
//!
//! **Invariant:** a result that could not be written whole fails the command.

use std::{
    future::pending,
    io::{self, Write},
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
};
use tokio::sync::oneshot;

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

/// Waits until nobody reads the standard output any more: the other end of its pipe was closed. Somebody reads files and
/// terminals for ever.
pub(crate) async fn reader_gone() {
    let (sender, gone) = oneshot::channel();
    let watch = move || {
        let output = io::stdout();
        // Whatever is asked for, the system tells of errors, and of the other end that was closed.
        let mut watched = [PollFd::new(&output, PollFlags::empty())];
        loop {
            match poll(&mut watched, None) {
                Err(Errno::INTR) => {}
                Ok(1..) => return sender.send(()),
                Ok(0) | Err(_) => return Ok(()),
            }
        }
    };
    // The thread ends with the program.
    let thread = std::thread::Builder::new().name("stdout".into()).spawn(watch);
    if thread.is_err() || gone.await.is_err() {
        pending::<()>().await;
    }
}

/// The standard output, for results that are made piece by piece.
pub(crate) fn stdout() -> impl Write {
    io::BufWriter::new(io::stdout().lock())
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
