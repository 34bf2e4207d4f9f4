//! The standard output and the standard error of the program.
//!
//! **Invariant:** nothing here panics, whatever the other end does. A result that cannot be written
//! fails the command; everything else is dropped and counted.

pub(crate) mod counted;
mod lines;
pub(crate) mod password;
pub(crate) mod progress;
mod stderr;
mod stdout;

pub(crate) use self::{
    stderr::{Stderr, ask, flush, lost_lines, tell},
    stdout::{print, reader_gone, stdout, unprinted},
};
