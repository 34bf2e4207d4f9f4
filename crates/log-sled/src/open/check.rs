//! Checks a data folder before the engine opens it.
//!
//! The engine writes while it opens, even if it then fails, and an opened log may still be refused
//! because commits are missing. So every refusal happens here, before anything is written. That
//! includes data that counts and that the engine would drop.
//!
//! **Invariant:** a refusal leaves every byte of the folder unchanged.
//! **Invariant:** the work is that of the engine's own recovery: the data written since the log was
//! last opened. The whole log is read only if something is damaged.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use rookery_log::{Epoch, Position, Record};

use crate::{
    OpenError,
    engine::{keys, records::Records, store::StoreError},
    files::{
        anchor::{self, Mark},
        head::{self, Head},
        meta,
        sealed::Sealed,
    },
    format::Stored,
    image::{self, Flaw, Image, Loss, Replay, Snapshot},
    open::recover::{self, End},
    whole::swap,
};

/// The content of the engine's file `conf` in every log of this program, without its CRC-32.
const CONF: &str = "segment_size: 524288\nuse_compression: false\nversion: 0.34\n";

/// A folder that may be opened.
#[derive(Debug)]
pub(crate) struct Checked {
    /// The place that the log is known to have reached.
    pub(crate) mark: Mark,
    /// The epoch of the log; `None` for a new one.
    pub(crate) epoch: Option<Epoch>,
    /// Whether the engine drops data that may be answered erasures.
    pub(crate) erasures_in_doubt: bool,
    /// Damaged files that are derived again.
    pub(crate) aside: Vec<PathBuf>,
    /// Whether `meta` has to be written again.
    pub(crate) renew_meta: bool,
    /// Whether `anchor` has to be written again.
    pub(crate) renew_anchor: bool,
}

/// Checks the folder `dir`, which is locked or does not exist. Its log had reached `reached`, and
/// perhaps more.
pub(crate) fn check_reached(
    dir: &Path,
    wanted: Option<Epoch>,
    reached: Mark,
) -> Result<Checked, OpenError> {
    look(dir, wanted, reached, &mut Scope::Recent)
}

/// Checks the folder `dir`, which is locked, and every record.
pub(crate) fn check_all(dir: &Path, mut each: impl FnMut(&Record)) -> Result<(), OpenError> {
    look(dir, None, Mark::ORIGIN, &mut Scope::After(Position::ORIGIN, &mut each)).map(drop)
}

/// Checks the folder `dir`, which is locked, and every record after a position.
pub(crate) fn check_after(
    dir: &Path,
    after: Position,
    mut each: impl FnMut(&Record),
) -> Result<(), OpenError> {
    look(dir, None, Mark::ORIGIN, &mut Scope::After(after, &mut each)).map(drop)
}

/// How much of a log is checked if nothing is damaged.
enum Scope<'a> {
    /// The data written since it was last opened.
    Recent,
    /// Every record after this position; the function is called with each.
    After(Position, &'a mut dyn FnMut(&Record)),
}

fn look(
    dir: &Path,
    wanted: Option<Epoch>,
    reached: Mark,
    scope: &mut Scope<'_>,
) -> Result<Checked, OpenError> {
    let engine = swap::whole(dir);
    let mut checked = marks(dir)?;
    if reached.position > checked.mark.position {
        checked.mark = reached;
    }
    let found = meta::read(dir)?;
    let db = engine.join("db");
    let file = match File::open(&db) {
        Ok(file) => Some(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(OpenError::io("open", db)(error)),
    };
    let last = match &file {
        Some(file) => {
            checked.aside.extend(damaged_conf(&engine)?);
            check_engine(dir, &engine, file, &mut checked, scope)?
        }
        None => None,
    };
    if last.is_none() && checked.mark.position > Position::ORIGIN {
        let to = checked.mark.position;
        return Err(OpenError::Missing { dir: dir.to_owned(), from: Position(1), to });
    }
    checked.renew_meta = !matches!(found, Sealed::Whole(_));
    checked.epoch = match found {
        Sealed::Whole(epoch) => Some(epoch),
        Sealed::Absent => last.as_ref().map(|record| record.epoch),
        Sealed::Damaged(damage) => {
            let path = dir.join(meta::NAME);
            tracing::warn!(path = %path.display(), damage, "this file is damaged");
            checked.aside.push(path);
            last.as_ref().map(|record| record.epoch)
        }
    };
    match (checked.epoch, wanted) {
        (Some(found), Some(wanted)) if found != wanted => {
            Err(OpenError::OtherEpoch { dir: dir.to_owned(), found, wanted })
        }
        _ => Ok(checked),
    }
}

/// The place that the log is known to have reached, from the files `anchor` and `head`.
///
/// A damaged anchor is harmless while `head` is intact, because `head` is written with every group.
fn marks(dir: &Path) -> Result<Checked, OpenError> {
    let (anchor, head) = (anchor::read(dir)?, head::read(dir)?);
    let mut checked = Checked {
        mark: Mark::ORIGIN,
        epoch: None,
        erasures_in_doubt: false,
        aside: Vec::new(),
        renew_meta: false,
        renew_anchor: false,
    };
    let anchored = match anchor {
        Sealed::Whole(mark) => Some(mark),
        Sealed::Absent => None,
        Sealed::Damaged(damage) => {
            if !matches!(head, Head::Reached(_)) {
                return Err(OpenError::damaged(
                    dir,
                    format!(
                        "the file `anchor`: {damage}, and the file `head` does not tell either \
                         how far the log had come. If no acknowledged commit can be missing, \
                         delete both"
                    ),
                ));
            }
            let path = dir.join(anchor::NAME);
            tracing::warn!(path = %path.display(), damage, "this file is damaged");
            checked.aside.push(path);
            checked.renew_anchor = true;
            None
        }
    };
    let reached = match head {
        Head::Reached(mark) => Some(mark),
        Head::Absent => None,
        Head::Damaged => {
            let path = dir.join(head::NAME);
            tracing::warn!(path = %path.display(), "this file is damaged: the anchor counts");
            None
        }
    };
    let mark = anchored.into_iter().chain(reached).max_by_key(|mark| mark.position);
    checked.mark = mark.unwrap_or(Mark::ORIGIN);
    Ok(checked)
}

/// The file `conf` of the engine, if it is damaged.
fn damaged_conf(engine: &Path) -> Result<Option<PathBuf>, OpenError> {
    let path = engine.join("conf");
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(OpenError::io("read", path)(error)),
    };
    let written = |text: &[u8]| [text, &crc32fast::hash(text).to_le_bytes()].concat();
    let text = bytes.len().checked_sub(4).map_or(bytes.as_slice(), |length| &bytes[..length]);
    // A file of another version of the engine is for that version to read.
    if bytes == written(CONF.as_bytes()) || bytes == written(text) {
        return Ok(None);
    }
    tracing::warn!(path = %path.display(), "this file of the engine is damaged");
    Ok(Some(path))
}

/// Checks the result of the engine's recovery. Returns the last record.
fn check_engine(
    dir: &Path,
    engine: &Path,
    file: &File,
    checked: &mut Checked,
    scope: &mut Scope<'_>,
) -> Result<Option<Record>, OpenError> {
    let refuse = |flaw: Flaw| match flaw {
        Flaw::Damaged(text) => OpenError::damaged(dir, format!("the file `sled/db`: {text}")),
        Flaw::Io(error) => OpenError::io("read", engine.join("db"))(error),
    };
    let (snapshot, damaged) = snapshot(engine)?;
    let mut replay = Replay::of(file, snapshot).map_err(refuse)?;
    let mut loss = replay.loss(file).map_err(refuse)?;
    if !damaged.is_empty() {
        checked.aside.extend(damaged);
        loss = Loss::PerhapsNothing;
    }
    checked.erasures_in_doubt =
        loss == Loss::PerhapsNothing || replay.is_torn(file).map_err(refuse)?;
    let records = ImageRecords(Image::of(file, &replay).map_err(refuse)?);
    let mut last = None;
    let from = match (loss, &scope) {
        (Loss::Nothing, Scope::Recent) => checked.mark.position,
        (Loss::Nothing, Scope::After(after, _)) => checked.mark.position.min(*after),
        (Loss::PerhapsNothing, _) => Position::ORIGIN,
    };
    let end = recover::find_end(dir, &records, checked.mark, from, |record| {
        last = Some(record.position);
        if let Scope::After(after, each) = scope
            && record.position > *after
        {
            each(record);
        }
    })?;
    check_dropped(dir, file, &replay, end).map_err(|error| match error {
        Dropped::Acknowledged(error) => error,
        Dropped::Io(error) => OpenError::io("read", engine.join("db"))(error),
    })?;
    last = last.or(Some(end.position)).filter(|position| *position > Position::ORIGIN);
    let record = last.map(|position| records.record(position)).transpose();
    Ok(record.map_err(|error| OpenError::damaged(dir, error.to_string()))?.flatten())
}

/// The snapshot for the engine, and the damaged ones.
fn snapshot(engine: &Path) -> Result<(Snapshot, Vec<PathBuf>), OpenError> {
    let mut damaged = Vec::new();
    loop {
        let newest = image::newest(engine, &damaged).map_err(OpenError::io("read", engine))?;
        match newest {
            None => return Ok((Snapshot::default(), damaged)),
            Some(Ok(snapshot)) => return Ok((snapshot, damaged)),
            Some(Err(path)) => {
                tracing::warn!(path = %path.display(), "this snapshot of the engine is damaged");
                damaged.push(path);
            }
        }
    }
}

enum Dropped {
    Acknowledged(OpenError),
    Io(io::Error),
}

/// Checks that data which the engine would drop behind the end was never acknowledged. Each record
/// holds the end of the log on stable storage when it was written.
fn check_dropped(dir: &Path, file: &File, replay: &Replay, end: End) -> Result<(), Dropped> {
    let mut durable = Position::ORIGIN;
    for residue in replay.dropped() {
        let values = residue.values(file, |value| {
            if let Some(stored) = Stored::recognise(Bytes::copy_from_slice(value)) {
                durable = durable.max(stored.durable);
            }
        });
        values.map_err(Dropped::Io)?;
    }
    if durable <= end.position {
        return Ok(());
    }
    let (from, last) = (end.position.next(), durable);
    Err(Dropped::Acknowledged(OpenError::damaged(
        dir,
        format!(
            "the commits at positions {from} to {last} were acknowledged and cannot be reached"
        ),
    )))
}

/// The records of an image.
pub(crate) struct ImageRecords<'a>(pub(crate) Image<'a>);

impl Records for ImageRecords<'_> {
    fn last(&self) -> Result<Option<Position>, StoreError> {
        let last = self.0.last(keys::COMMITS).map_err(store_error)?;
        Ok(last.and_then(|key| keys::read_position(&key)))
    }

    fn value(&self, position: Position) -> Result<Option<Bytes>, StoreError> {
        self.0.get(keys::COMMITS, &keys::position(position)).map_err(store_error)
    }

    fn chunk(&self, position: Position, index: u32) -> Result<Option<Bytes>, StoreError> {
        self.0.get(keys::CHUNKS, &keys::chunk(position, index)).map_err(store_error)
    }
}

fn store_error(flaw: Flaw) -> StoreError {
    match flaw {
        Flaw::Damaged(text) => StoreError::Damaged(format!("the file `sled/db`: {text}").into()),
        Flaw::Io(error) => StoreError::Refused(format!("the file `sled/db`: {error}").into()),
    }
}
