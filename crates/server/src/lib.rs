//! The parts of the `rookery` program that are more than wiring.
//!
//! **Invariant:** standard output and standard error are written through `terminal` alone, whose
//! errors never panic.

#![cfg_attr(not(test), warn(clippy::print_stdout, clippy::print_stderr))]

pub mod cli;
mod clock;
mod compaction;
pub mod config;
mod contents;
mod counted;
mod descriptors;
pub mod failure;
mod health;
mod hosts;
mod import;
mod logging;
pub mod ndjson;
mod nearness;
pub mod node;
pub mod operator;
mod password;
pub mod program;
pub mod progress;
mod reconcile;
mod salvage;
mod serve;
mod signing;
mod terminal;
mod unfinished;
mod unnamed_proxy;
