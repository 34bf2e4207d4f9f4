//! The parts of the `rookery` program that are more than wiring.
//!
//! **Invariant:** only `terminal` writes to standard output and standard error, and its errors
//! never panic.

#![cfg_attr(not(test), warn(clippy::print_stdout, clippy::print_stderr))]

pub mod cli;
pub mod config;
mod data_directory;
pub mod failure;
pub mod federation;
mod import;
pub mod node;
pub mod operator;
pub mod program;
mod serve;
mod terminal;
pub mod turn;
