//! Measures Rookery, and beside it the bare reference of the same work in the same run.
//!
//! `cargo xtask bench` builds this program and the server, and runs it. Each measurement is one
//! JSON line on standard output; progress goes to standard error.
//!
//! **Invariant:** no code here compares a figure with a limit: machines differ, and people judge.
//! **Invariant:** servers listen on the loopback address only, and end with the value that started
//! them.

mod clients;
mod measures;
mod settings;
mod stage;
mod workloads;

use std::process::ExitCode;

use clients::{audience, broadcast, frame, http, raw, socket, speaker};
use measures::{phase, report, stamp, stats};
use settings::Settings;
use stage::{dataset, files, seed, server};

/// Why a measurement failed, in words.
pub(crate) type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let names: Vec<String> = std::env::args().skip(1).collect();
    if names.first().is_some_and(|name| name == broadcast::ARGUMENT) {
        return ended(broadcast::serve_lines());
    }
    ended(Settings::read().and_then(|settings| {
        files::raise_limit()?;
        server::end_on_signal()?;
        for workload in workloads::choose(&names)? {
            eprintln!("measuring {} ...", workload.name);
            (workload.run)(&settings)
                .map_err(|error| format!("workload {}: {error}", workload.name))?;
        }
        Ok(())
    }))
}

fn ended(outcome: Result<(), Error>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}
