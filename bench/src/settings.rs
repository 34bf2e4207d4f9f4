//! How much is measured, and where. All from environment variables `ROOKERY_BENCH_...`.

use std::{
    env, fs,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use tempfile::TempDir;

use crate::Error;

/// How much to measure, and where.
pub(crate) struct Settings {
    /// `RUNS`: runs whose median is reported.
    pub(crate) runs: usize,
    /// `SECONDS`: how long each timed run of `append` and `send` goes on.
    pub(crate) duration: Duration,
    /// `EVENTS`: events in the log of `rebuild`.
    pub(crate) rebuild_events: u64,
    /// `HISTORY`: events in the data directory of `memory` and `start`.
    pub(crate) history_events: u64,
    /// `ROOMS`: how many rooms the users of `home` have.
    pub(crate) rooms: Vec<usize>,
    /// `DEPTHS`: how many events lie after the pages of `scroll`.
    pub(crate) depths: Vec<usize>,
    /// `LONG`: how many events the rooms of `long` have.
    pub(crate) long: Vec<usize>,
    /// `LISTENERS`: how many listen in `fanout`.
    pub(crate) listeners: Vec<usize>,
    /// `DELIVERIES`: how many deliveries a burst of `fanout` makes.
    pub(crate) deliveries: usize,
    /// `PACE`: how many deliveries a second paced messages make.
    pub(crate) pace: f64,
    /// `PACED`: for how many seconds messages are paced.
    pub(crate) paced: Duration,
    /// `SOCKETS`: idle subscriptions of `memory`.
    pub(crate) sockets: Vec<usize>,
    /// `MIXED`: sockets of `mixed`.
    pub(crate) mixed: usize,
    /// `QUIET`: sockets of `quiet` to which nothing happens.
    pub(crate) quiet: usize,
    /// `STORM`: clients of `storm` that come back at once.
    pub(crate) storm: usize,
    /// `MISSED`: how many messages each of them has missed.
    pub(crate) missed: usize,
    /// `STALLED`: how many listen in `stalled` beside the one that does not.
    pub(crate) stalled: usize,
    /// `PROGRAM`: the program that is measured.
    pub(crate) program: PathBuf,
    /// Where data is kept: on the disk of the build folder, not in memory.
    folder: PathBuf,
}

impl Settings {
    /// What the names of all variables begin with.
    pub(crate) const PREFIX: &str = "ROOKERY_BENCH_";

    /// Reads them.
    ///
    /// # Errors
    /// Names the variable whose value makes no sense, or the program that is not there.
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

    /// A folder that goes when the value does.
    ///
    /// # Errors
    /// If it cannot be made.
    pub(crate) fn scratch(&self) -> Result<TempDir, Error> {
        Ok(tempfile::Builder::new().prefix("scratch-").tempdir_in(&self.folder)?)
    }

    /// Where data that takes long to make is kept for the next time.
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
