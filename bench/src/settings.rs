//! The sizes and places of the measurements, all from environment variables `ROOKERY_BENCH_...`.

use std::{
    env, fs,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use tempfile::TempDir;

use crate::Error;

/// The sizes and places of the measurements.
pub(crate) struct Settings {
    /// `RUNS`: runs whose median is reported.
    pub(crate) runs: usize,
    /// `SECONDS`: duration of each timed run of `append` and `send`.
    pub(crate) duration: Duration,
    /// `EVENTS`: events in the log of `rebuild`.
    pub(crate) rebuild_events: u64,
    /// `HISTORY`: events in the data directory of `memory` and `start`.
    pub(crate) history_events: u64,
    /// `ROOMS`: numbers of rooms of the users of `home`.
    pub(crate) rooms: Vec<usize>,
    /// `DEPTHS`: numbers of events after the pages of `scroll`.
    pub(crate) depths: Vec<usize>,
    /// `LONG`: numbers of events in the rooms of `long`.
    pub(crate) long: Vec<usize>,
    /// `LISTENERS`: numbers of listeners of `fanout`.
    pub(crate) listeners: Vec<usize>,
    /// `DELIVERIES`: deliveries of a burst of `fanout`.
    pub(crate) deliveries: usize,
    /// `PACE`: deliveries a second of paced messages.
    pub(crate) pace: f64,
    /// `PACED`: duration of paced messages in seconds.
    pub(crate) paced: Duration,
    /// `SOCKETS`: idle subscriptions of `memory`.
    pub(crate) sockets: Vec<usize>,
    /// `MIXED`: sockets of `mixed`.
    pub(crate) mixed: usize,
    /// `QUIET`: sockets of `quiet` whose rooms have no events.
    pub(crate) quiet: usize,
    /// `STORM`: clients of `storm` that reconnect at once.
    pub(crate) storm: usize,
    /// `MISSED`: messages that each of them has missed.
    pub(crate) missed: usize,
    /// `STALLED`: listeners of `stalled`, besides the one that does not read.
    pub(crate) stalled: usize,
    /// `PROGRAM`: the measured program.
    pub(crate) program: PathBuf,
    /// The place for data: on the disk of the build folder, not in memory.
    folder: PathBuf,
}

impl Settings {
    /// The prefix of all variables.
    pub(crate) const PREFIX: &str = "ROOKERY_BENCH_";

    /// Reads the variables.
    ///
    /// # Errors
    /// Names the variable with an invalid value, or the missing program.
    pub(crate) fn read() -> Result<Self, Error> {
        let built = env::current_exe()?;
        let built = built.parent().ok_or("this program lies in no folder")?;
        let program = env::var_os("ROOKERY_BENCH_PROGRAM");
        let program = program.map_or_else(|| built.join("rookery"), PathBuf::from);
        if !program.exists() {
            let program = program.display();
            return Err(format!("{program} is missing: run `cargo xtask bench`").into());
        }
        let folder = built.with_file_name("bench-data");
        fs::create_dir_all(&folder)?;
        let seconds: f64 = one("SECONDS", 2.0)?;
        Ok(Self {
            runs: one("RUNS", 3)?,
            duration: Duration::try_from_secs_f64(seconds)?,
            rebuild_events: one("EVENTS", 300_000)?,
            history_events: one("HISTORY", 1_000_000)?,
            rooms: list("ROOMS", &[10, 100, 1_000, 10_000])?,
            depths: list("DEPTHS", &[0, 10_000, 19_000])?,
            long: list("LONG", &[10, 10_000, 100_000])?,
            listeners: list("LISTENERS", &[100, 500, 1_000, 5_000])?,
            deliveries: one("DELIVERIES", 200_000)?,
            pace: one("PACE", 50_000.0)?,
            paced: Duration::try_from_secs_f64(one("PACED", 3.0)?)?,
            sockets: list("SOCKETS", &[1_000, 5_000])?,
            mixed: one("MIXED", 1_000)?,
            quiet: one("QUIET", 5_000)?,
            storm: one("STORM", 1_000)?,
            missed: one("MISSED", 200)?,
            stalled: one("STALLED", 1_000)?,
            program,
            folder,
        })
    }

    /// A temporary folder, removed with the value.
    ///
    /// # Errors
    /// If it cannot be created.
    pub(crate) fn scratch(&self) -> Result<TempDir, Error> {
        Ok(tempfile::Builder::new().prefix("scratch-").tempdir_in(&self.folder)?)
    }

    /// The place for data that takes long to create, kept for the next run.
    pub(crate) fn kept(&self) -> &Path {
        &self.folder
    }
}

fn one<T: FromStr>(name: &str, default: T) -> Result<T, Error> {
    match env::var(format!("{}{name}", Settings::PREFIX)) {
        Ok(text) => parse(name, &text),
        Err(_) => Ok(default),
    }
}

fn list(name: &str, default: &[usize]) -> Result<Vec<usize>, Error> {
    match env::var(format!("{}{name}", Settings::PREFIX)) {
        Ok(text) => text.split(',').map(|item| parse(name, item)).collect(),
        Err(_) => Ok(default.to_vec()),
    }
}

fn parse<T: FromStr>(name: &str, text: &str) -> Result<T, Error> {
    let number = text.trim().parse();
    let prefix = Settings::PREFIX;
    number.map_err(|_| format!("{prefix}{name}: expected a number, not {text:?}").into())
}
