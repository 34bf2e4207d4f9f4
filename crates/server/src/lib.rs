//! The parts of the `rookery` program that are more than wiring.

pub mod cli;
mod clock;
mod compaction;
pub mod config;
mod contents;
pub mod failure;
mod import;
pub mod irc;
pub mod ndjson;
pub mod node;
pub mod operator;
pub mod program;
pub mod progress;
mod serve;
