//! Rewrites the engine's files, so that they hold no erased content.
//!
//! The engine frees the space of an overwritten value, but overwrites it late or never. So every
//! record is copied into a new folder beside the old one. The new folder replaces it when it is
//! complete: same positions, same hashes, same epoch.
//!
//! **Invariant:** until the copy is on stable storage and was read back, the old files serve.

use std::{fs::File, io, path::Path, time::SystemTime};

use rookery_log::{Hash, PAGE_MAX, Position};

use crate::{
    OpenError, SledOptions,
    engine::{Engine, records::Records as _},
    files::{marker, sealed},
    format::{Draft, Sealed},
    open::{self, Opened, recover::End},
    whole::swap,
};

/// The result of a compaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compacted {
    /// How many commits were copied.
    pub commits: u64,
    /// The size of the engine's files before, in bytes.
    pub bytes_before: u64,
    /// Their size after, in bytes.
    pub bytes_after: u64,
}

/// Since when the files of the log in `dir` may hold erased content; `None` if they hold none.
///
/// # Errors
/// If the folder cannot be read.
pub fn erased_since(dir: &Path) -> io::Result<Option<SystemTime>> {
    marker::since(dir)
}

/// Rewrites the files of the log in `dir`, which no process may have open. It needs as much free
/// space as the size of the log. A crash at any point leaves the old files or the new ones.
///
/// `progress` is called now and then with the copied position and the last one.
///
/// # Errors
/// [`OpenError`] names the obstacle. The log is unchanged then.
pub fn compact(
    dir: &Path,
    options: &SledOptions,
    mut progress: impl FnMut(Position, Position),
) -> Result<Compacted, OpenError> {
    let Opened { store, end, .. } = open::open(dir, options)?;
    let _lock = store.lock().map_err(OpenError::io("lock", dir))?;
    let beside = swap::beside(dir);
    let bytes_before = size(&swap::current(dir)).map_err(OpenError::io("measure", dir))?;
    let copied = copy(dir, options, &store, end, &mut progress);
    drop(store);
    if let Err(error) = copied {
        swap::remove(&beside).map_err(OpenError::io("remove", &beside))?;
        return Err(error);
    }
    let bytes_after = size(&beside).map_err(OpenError::io("measure", &beside))?;
    swap::swap(dir).map_err(OpenError::io("replace the engine's folder in", dir))?;
    marker::clear(dir).map_err(OpenError::io("clear the file `erased` in", dir))?;
    Ok(Compacted { commits: end.position.0, bytes_before, bytes_after })
}

/// Copies all records, brings the copy to stable storage and reads it back.
fn copy(
    dir: &Path,
    options: &SledOptions,
    old: &Engine,
    end: End,
    progress: &mut impl FnMut(Position, Position),
) -> Result<(), OpenError> {
    let damaged = |error: &str| OpenError::damaged(dir, error);
    let beside = swap::beside(dir);
    let (db, file) = open::engine(dir, &beside, options)?;
    let new = Engine::open(db).map_err(|error| damaged(error.text()))?;
    let mut at = Position::ORIGIN;
    while at < end.position {
        let to = Position((at.0 + PAGE_MAX as u64).min(end.position.0));
        while at < to {
            at = at.next();
            copy_record(old, &new, at).map_err(|error| damaged(&error))?;
        }
        progress(at, end.position);
    }
    new.flush().map_err(|error| damaged(error.text()))?;
    sync(options, &beside, &file)?;
    check(&new, end).map_err(|error| damaged(&error))
}

fn copy_record(old: &Engine, new: &Engine, position: Position) -> Result<(), String> {
    let stored = old.stored(position).map_err(|error| error.to_string())?;
    let stored = stored.ok_or_else(|| format!("the record at position {position} is missing"))?;
    let record = old.whole(&stored).map_err(|error| error.to_string())?;
    let mut sealed = Sealed::new(Draft::of(&record.commit), &record, stored.durable);
    let chunks = std::mem::take(&mut sealed.chunks);
    for (chunk, index) in chunks.into_iter().zip(sealed.first..) {
        new.insert_chunk(position, index, chunk).map_err(|error| error.text().to_owned())?;
    }
    new.insert_value(position, sealed).map_err(|error| error.text().to_owned())
}

fn sync(options: &SledOptions, folder: &Path, file: &File) -> Result<(), OpenError> {
    options.disk.sync_data(file).map_err(OpenError::io("sync", folder.join("db")))?;
    for path in [&folder.join("conf"), folder] {
        sealed::sync(path).map_err(OpenError::io("sync", path))?;
    }
    Ok(())
}

/// Checks that the copy is one chain, from the first record to the last one of the log.
fn check(new: &Engine, end: End) -> Result<(), String> {
    let mut last = End { position: Position::ORIGIN, hash: Hash::ORIGIN };
    while last.position < end.position {
        let page = new.page(last.position, end.position, PAGE_MAX);
        for record in page.map_err(|error| error.to_string())? {
            if record.previous != last.hash || !record.is_intact() {
                return Err(format!("the copy of position {} is not right", record.position));
            }
            last = End { position: record.position, hash: record.hash };
        }
    }
    if last.hash == end.hash { Ok(()) } else { Err("the copy ends elsewhere".to_owned()) }
}

/// The bytes of all files in a folder.
fn size(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { size(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}
