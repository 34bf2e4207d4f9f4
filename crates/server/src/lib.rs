//! The parts of the `rookery` program that are more than wiring.

pub mod cli;
pub mod config;
pub mod irc;
pub mod ndjson;
pub mod progress;
