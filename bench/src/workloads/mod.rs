//! What is measured: one workload a file.

mod append;
mod choice;
mod fanout;
mod home;
mod memory;
mod rebuild;
mod screen;
mod scroll;
mod send;
mod start;

pub(crate) use choice::choose;
