//! Opening a data folder, step by step.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rookery_log::Epoch;

use crate::{
    OpenError, SledOptions, anchor, head, meta, quiet,
    recover::{self, End},
    sealed,
    store::{self, Store},
    swap,
};

/// So long we wait for what was just closed: the engine's threads let go of its file a moment later,
/// and a child process that is being started holds our files until it runs.
const RELEASE_MAX: Duration = Duration::from_secs(2);
const RELEASE_STEP: Duration = Duration::from_millis(5);

/// A log that is open, before its writer runs.
pub(crate) struct Opened {
    pub(crate) epoch: Epoch,
    pub(crate) store: Store,
    pub(crate) end: End,
}

pub(crate) fn open(dir: &Path, options: &SledOptions) -> Result<Opened, OpenError> {
    fs::create_dir_all(dir).map_err(OpenError::io("create", dir))?;
    let lock = lock(dir)?;
    swap::recover(dir).map_err(OpenError::io("clean", dir))?;
    let engine = swap::current(dir);
    let epoch = epoch(dir, &engine, options.epoch)?;
    let anchor = anchor::read(dir)?;
    let mark = anchor.into_iter().chain(head::read(dir)?).max_by_key(|mark| mark.position);
    fs::create_dir_all(&engine).map_err(OpenError::io("create", &engine))?;
    store::remove_half_snapshots(&engine).map_err(OpenError::io("clean", &engine))?;
    let (db, file) = self::engine(dir, &engine, options)?;
    let store = Store::open(dir, db, file, lock)?;
    let end = recover::end(dir, &store, mark.unwrap_or(anchor::Mark::ORIGIN))?;
    // What survived a crash may still be in the page cache only; from now on it is read.
    store.flush().map_err(|error| OpenError::damaged(dir, error.text()))?;
    options.disk.sync_data(&store.file).map_err(OpenError::io("sync", engine.join("db")))?;
    // The engine does not sync its `conf`; a folder is opened and synced like a file.
    for path in [&engine.join("conf"), &engine, dir] {
        sealed::sync(path).map_err(OpenError::io("sync", path))?;
    }
    Ok(Opened { epoch, store, end })
}

fn lock(dir: &Path) -> Result<File, OpenError> {
    let path = dir.join("lock");
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
    let file = file.map_err(OpenError::io("open", &path))?;
    let began = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if began.elapsed() < RELEASE_MAX => {
                thread::sleep(RELEASE_STEP);
            }
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse { dir: dir.to_owned() }),
            Err(TryLockError::Error(error)) => return Err(OpenError::io("lock", path)(error)),
        }
    }
}

fn epoch(dir: &Path, engine: &Path, wanted: Option<Epoch>) -> Result<Epoch, OpenError> {
    let Some(found) = meta::read(dir)? else {
        if engine.join("db").exists() {
            return Err(OpenError::damaged(dir, "the file `meta` is missing"));
        }
        let epoch = wanted.map_or_else(random_epoch, Ok)?;
        meta::create(dir, epoch)?;
        return Ok(epoch);
    };
    match wanted {
        Some(wanted) if wanted != found => {
            Err(OpenError::OtherEpoch { dir: dir.to_owned(), found, wanted })
        }
        _ => Ok(found),
    }
}

fn random_epoch() -> Result<Epoch, OpenError> {
    let number = getrandom::u64().map_err(|error| {
        OpenError::io("draw randomness from", "the operating system")(std::io::Error::other(error))
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
