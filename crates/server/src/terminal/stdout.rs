//! Standard output: the results of commands.
//!
//! **Invariant:** an incompletely written result fails the command.

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

/// Waits until the reader of the standard output has gone: the other end of its pipe is closed. Files and terminals
/// always have a reader.
pub(crate) async fn reader_gone() {
    let (sender, gone) = oneshot::channel();
    let watch = move || {
        let output = io::stdout();
        // With any request, the system reports errors and a closed other end.
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

/// The standard output, for results that come piece by piece.
pub(crate) fn stdout() -> impl Write {
    io::BufWriter::new(io::stdout().lock())
}

/// Why a result was not printed: [`Failure::is_reader_gone`] if the reader has gone.
pub(crate) fn unprinted(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::reader_gone(),
        _ => Failure::new(format!(
            "cannot write to the standard output: {error}; the output is incomplete"
        )),
    }
}
