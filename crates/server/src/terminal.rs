//! The standard output and the standard error of the program.
//!
//! **Invariant:** nothing here panics, whatever the other end does. A result that cannot be written
//! fails the command; everything else is dropped and counted.

pub(crate) mod password;
mod stdout;

pub(crate) use rookery_terminal::{Stderr, ask, counted, flush, lost_lines, progress, tell};

pub(crate) use self::stdout::{print, reader_gone, stdout, unprinted};
