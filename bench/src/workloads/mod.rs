//! The workloads, one in each file.

mod append;
mod choice;
mod consume;
mod halls;
mod memory;
mod rebuild;
mod screens;
mod send;
mod start;

pub(crate) use choice::choose;
