//! The standard error of a program, and its words for people: messages, progress, counts.
//!
//! **Invariant:** nothing here panics, waits or fails, whatever the other end does. A line that
//! cannot be written is dropped and counted.

pub mod counted;
mod lines;
pub mod progress;
mod stderr;

pub use self::stderr::{Stderr, ask, flush, lost_lines, tell};
