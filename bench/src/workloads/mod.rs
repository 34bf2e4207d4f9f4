//! The workloads, one in each file.

mod append;
mod choice;
mod fanout;
mod hall;
mod home;
mod long;
mod memory;
mod mixed;
mod quiet;
mod rebuild;
mod screen;
mod scroll;
mod send;
mod stalled;
mod start;
mod storm;

pub(crate) use choice::choose;
