//! How much is measured, and where. All from environment variables `ROOKERY_BENCH_...`.

use std::{
    env, fs,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use tempfile::TempDir;

use crate::Error;

const PREFIX: &str = "ROOKERY_BENCH_";

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
    /// `LISTENERS`: how many listen in `fanout`.
    pub(crate) listeners: Vec<usize>,
    /// `DELIVERIES`: how many deliveries a burst of `fanout` makes.
    pub(crate) deliveries: usize,
    /// `SOCKETS`: idle subscriptions of `memory`.
    pub(crate) sockets: usize,
    /// The program that is measured.
    pub(crate) program: PathBuf,
    /// Where data is kept: on the disk of the build folder, not in memory.
    folder: PathBuf,
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// Names the variable whose value makes no sense, or the program that is not there.
    pub(crate) fn read() -> Result<Self, Error> {
        let built = env::current_exe()?;
        let built = built.parent().ok_or("this program lies in no folder")?;
        let program = built.join("rookery");
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
            listeners: list("LISTENERS", &[100, 500])?,
            deliveries: one("DELIVERIES", 200_000)?,
            sockets: one("SOCKETS", 1_000)?,
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
    match env::var(format!("{PREFIX}{name}")) {
        Ok(text) => parse(name, &text),
        Err(_) => Ok(default),
    }
}

fn list(name: &str, default: &[usize]) -> Result<Vec<usize>, Error> {
    match env::var(format!("{PREFIX}{name}")) {
        Ok(text) => text.split(',').map(|item| parse(name, item)).collect(),
        Err(_) => Ok(default.to_vec()),
    }
}

fn parse<T: FromStr>(name: &str, text: &str) -> Result<T, Error> {
    let number = text.trim().parse();
    number.map_err(|_| format!("{PREFIX}{name}: expected a number, not {text:?}").into())
}
