//! Opening a data folder, step by step.

pub(crate) mod check;
pub(crate) mod options;
pub(crate) mod recover;

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use rookery_log::Epoch;

use crate::{
    OpenError, SledOptions,
    engine::{
        quiet,
        store::{self, Store},
    },
    files::{anchor, cached, meta, sealed, stopped},
    open::{check::Checked, recover::End},
    whole::swap,
};

/// How long to wait for a folder that was just closed. The engine's threads release its file a
/// moment later, and a child process holds our files until it runs.
const RELEASE_MAX: Duration = Duration::from_secs(2);
const RELEASE_STEP: Duration = Duration::from_millis(5);

/// An open log, before its writer runs.
pub(crate) struct Opened {
    pub(crate) epoch: Epoch,
    pub(crate) store: Store,
    pub(crate) end: End,
}

/// A locked data folder that may be opened. No file in it was changed so far.
pub(crate) struct Prepared {
    /// `None` if the folder does not exist yet.
    lock: Option<Lock>,
    checked: Checked,
}

/// Locks the data folder and checks whether it may be opened, as the disk returns it. After a clean
/// stop the memory of the system has the same.
pub(crate) fn prepare(dir: &Path, options: &SledOptions) -> Result<Prepared, OpenError> {
    let lock = if dir.exists() { Some(Lock::of(dir)?) } else { None };
    if lock.is_some() && !stopped::is_set(dir) {
        cached::forget(dir).map_err(OpenError::io("read", dir))?;
    }
    let checked = check::check_reached(dir, options.epoch, anchor::Mark::ORIGIN)?;
    Ok(Prepared { lock, checked })
}

/// Checks whether a folder may be opened that this process has locked and opened before. The log
/// had reached `reached`.
pub(crate) fn prepare_again(
    dir: &Path,
    options: &SledOptions,
    lock: Option<File>,
    reached: anchor::Mark,
) -> Result<Prepared, OpenError> {
    let checked = check::check_reached(dir, options.epoch, reached)?;
    Ok(Prepared { lock: lock.map(|file| Lock { file, made: None }), checked })
}

pub(crate) fn open(dir: &Path, options: &SledOptions) -> Result<Opened, OpenError> {
    prepare(dir, options)?.open(dir, options)
}

impl Prepared {
    /// Whether opening may undo erasures that were answered.
    pub(crate) const fn erasures_in_doubt(&self) -> bool {
        self.checked.erasures_in_doubt
    }

    pub(crate) fn open(self, dir: &Path, options: &SledOptions) -> Result<Opened, OpenError> {
        let Self { lock, checked } = self;
        fs::create_dir_all(dir).map_err(OpenError::io("create", dir))?;
        let lock = lock.map_or_else(|| Lock::of(dir), Ok)?.keep();
        let lock = lock.map_err(OpenError::io("lock", dir))?;
        stopped::clear(dir).map_err(OpenError::io("clean", dir))?;
        swap::recover(dir).map_err(OpenError::io("clean", dir))?;
        let engine = swap::current(dir);
        let epoch = checked.epoch.or(options.epoch).map_or_else(random_epoch, Ok)?;
        set_aside(dir, &checked.aside)?;
        if checked.renew_meta {
            meta::create(dir, epoch)?;
        }
        fs::create_dir_all(&engine).map_err(OpenError::io("create", &engine))?;
        store::remove_half_snapshots(&engine).map_err(OpenError::io("clean", &engine))?;
        let (db, file) = self::engine(dir, &engine, options)?;
        let store = Store::open(dir, db, file, lock, Arc::clone(&options.on_panic))?;
        let end = recover::end(dir, &store, checked.mark)?;
        // Data that survived a crash may still be only in the page cache, and readers see it from
        // now on.
        store.flush().map_err(|error| OpenError::damaged(dir, error.text()))?;
        options.disk.sync_data(&store.file).map_err(OpenError::io("sync", engine.join("db")))?;
        // The engine does not sync its `conf`; a folder is opened and synced like a file.
        for path in [&engine.join("conf"), &engine, dir] {
            sealed::sync(path).map_err(OpenError::io("sync", path))?;
        }
        if checked.renew_anchor {
            let mark = anchor::Mark { position: end.position, hash: end.hash };
            anchor::write(dir, mark).map_err(OpenError::io("write", dir.join(anchor::NAME)))?;
        }
        Ok(Opened { epoch, store, end })
    }
}

/// Moves damaged files away: into the data folder, where the engine does not look, with `.damaged`
/// behind their names.
fn set_aside(dir: &Path, files: &[PathBuf]) -> Result<(), OpenError> {
    for path in files {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let aside = dir.join(format!("{name}.damaged"));
        fs::rename(path, &aside).map_err(OpenError::io("rename", path))?;
        let (path, aside) = (path.display(), aside.display());
        tracing::warn!(%path, %aside, "a damaged file was set aside; it is derived again");
    }
    Ok(())
}

/// The lock of a data folder. If the folder is refused, a newly created file is removed.
pub(crate) struct Lock {
    file: File,
    /// The path of the file, if it is new.
    made: Option<PathBuf>,
}

impl Lock {
    pub(crate) fn of(dir: &Path) -> Result<Self, OpenError> {
        let path = dir.join("lock");
        let made = (!path.exists()).then(|| path.clone());
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(OpenError::io("open", &path))?;
        let began = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { file, made }),
                Err(TryLockError::WouldBlock) if began.elapsed() < RELEASE_MAX => {
                    thread::sleep(RELEASE_STEP);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(OpenError::InUse { dir: dir.to_owned() });
                }
                Err(TryLockError::Error(error)) => {
                    return Err(OpenError::io("lock", path)(error));
                }
            }
        }
    }

    fn keep(mut self) -> io::Result<File> {
        self.made = None;
        self.file.try_clone()
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(path) = &self.made {
            // The file is empty, so it does no harm if it stays.
            fs::remove_file(path).unwrap_or_default();
        }
    }
}

fn random_epoch() -> Result<Epoch, OpenError> {
    let number = getrandom::u64().map_err(|error| {
        OpenError::io("draw randomness from", "the operating system")(io::Error::other(error))
    });
    number.map(Epoch)
}

/// Opens the engine, and our own handle of its file.
pub(crate) fn engine(
    dir: &Path,
    engine: &Path,
    options: &SledOptions,
) -> Result<(sled::Db, File), OpenError> {
    let config = || {
        sled::Config::new().path(engine).cache_capacity(options.cache_bytes).flush_every_ms(None)
    };
    let began = Instant::now();
    let db = loop {
        match quiet::catch(|| config().open()) {
            Ok(Ok(db)) => break db,
            Ok(Err(sled::Error::Io(error)))
                if error.to_string().contains("could not acquire lock") =>
            {
                if began.elapsed() > RELEASE_MAX {
                    return Err(OpenError::InUse { dir: dir.to_owned() });
                }
                thread::sleep(RELEASE_STEP);
            }
            Ok(Err(sled::Error::Io(error))) => return Err(OpenError::io("open", engine)(error)),
            Ok(Err(error)) => {
                return Err(OpenError::damaged(dir, format!("the engine reports: {error}")));
            }
            Err(panic) => {
                return Err(OpenError::damaged(dir, format!("the engine gave up: {panic}")));
            }
        }
    };
    let path = engine.join("db");
    let file = OpenOptions::new().read(true).write(true).open(&path);
    Ok((db, file.map_err(OpenError::io("open", path))?))
}
