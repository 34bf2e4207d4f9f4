//! The log of the program: its filter and its format.
//!
//! **Invariant:** neither a failed write of a line nor the report of a panic ever ends a thread.

use std::{backtrace::Backtrace, io, io::IsTerminal as _, panic};

use tracing_subscriber::EnvFilter;

use crate::{
    config::{Config, LogFormat},
    failure::Failure,
    terminal::{self, Stderr},
};

/// The filter for libraries, under any filter of the operator.
const QUIET: [&str; 3] = ["ruma_state_res=warn", "sled=warn", "hyper=warn"];

/// Starts to write the log to standard error, with panics.
///
/// # Errors
/// [`Failure`] if the filter is not valid.
pub(crate) fn start(config: &Config) -> Result<(), Failure> {
    let filter = QUIET.iter().fold(config.log.clone(), |filter, quiet| format!("{quiet},{filter}"));
    let filter = EnvFilter::try_new(&filter).map_err(|error| {
        let filter = &config.log;
        Failure::new(format!(
            "{filter:?} is not a log filter ({error}): use a level such as `info`, or `rookery=debug`"
        ))
    })?;
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| Stderr)
        // The library would report them with a macro that panics if standard error cannot be
        // written.
        .log_internal_errors(false);
    match config.log_format {
        LogFormat::Text => logs.with_ansi(io::stderr().is_terminal()).init(),
        LogFormat::Json => logs.json().init(),
    }
    log_panics();
    Ok(())
}

/// Logs panics like other messages: the standard hook waits for the reader of standard error.
fn log_panics() {
    panic::set_hook(Box::new(|info| {
        let thread = std::thread::current();
        let place = info.location().map_or_else(String::new, |place| format!(" at {place}"));
        let message = info.payload_as_str().unwrap_or("no message");
        let backtrace = Backtrace::capture();
        let backtrace = match backtrace.status() {
            std::backtrace::BacktraceStatus::Captured => format!("\n{backtrace}"),
            _ => String::new(),
        };
        let name = thread.name().unwrap_or("without a name");
        tracing::error!("the thread {name} panicked{place}: {message}{backtrace}");
        if name == "main" {
            terminal::flush();
        }
    }));
}
