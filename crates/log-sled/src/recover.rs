//! Finding the end of the log when it is opened.
//!
//! Whatever was acknowledged is there, or the log is refused. What was not is kept as far as it is
//! whole and without a hole; the rest never was, and is removed.
//!
//! **Invariant:** the work is bounded by what came after the last place known to be complete, not
//! by the length of the log.

use std::path::Path;

use rookery_log::{Hash, Position, ReadError, Record};

use crate::{
    OpenError,
    anchor::Mark,
    store::{Store, StoreError},
};

/// Where the log ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    pub(crate) position: Position,
    pub(crate) hash: Hash,
}

/// Finds the end of the log, which is known to have reached `mark`, and completes the indexes.
pub(crate) fn end(dir: &Path, store: &Store, mark: Mark) -> Result<End, OpenError> {
    let recovery = Recovery { dir, store, mark };
    let last = store.last().map_err(|error| recovery.refuse(&error))?.unwrap_or_default();
    let mut end = recovery.start(last)?;
    while end.position < last {
        let Some(record) = recovery.next(end, last)? else { break };
        store.index(&record).map_err(|error| recovery.refuse(&error))?;
        end = End { position: record.position, hash: record.hash };
    }
    recovery.check_reach(end)?;
    let removed = store.cut(end.position).map_err(|error| recovery.refuse(&error))?;
    if removed > 0 {
        let position = end.position.0;
        tracing::warn!(position, removed, "removed commits that were never acknowledged");
    }
    Ok(end)
}

struct Recovery<'a> {
    dir: &'a Path,
    store: &'a Store,
    mark: Mark,
}

impl Recovery<'_> {
    fn damaged(&self, damage: String) -> OpenError {
        OpenError::Damaged { dir: self.dir.to_owned(), damage }
    }

    fn refuse(&self, error: &StoreError) -> OpenError {
        self.damaged(error.text().to_owned())
    }

    fn unreadable(&self, error: &ReadError) -> OpenError {
        match error {
            ReadError::Damaged { position, damage } => {
                self.damaged(format!("the record at position {position}: {damage}"))
            }
            ReadError::Unavailable(unavailable) => self.damaged(unavailable.reason.to_string()),
        }
    }

    /// The place to read on from: where the indexes are known to be complete.
    fn start(&self, last: Position) -> Result<End, OpenError> {
        let position = self.mark.indexed;
        if position == Position::ORIGIN {
            return Ok(End { position, hash: Hash::ORIGIN });
        }
        let record = self.store.record(position).map_err(|error| self.unreadable(&error))?;
        match record {
            Some(record) => self.anchored(&record).map(|()| End { position, hash: record.hash }),
            None => Err(self.missing_at(position, last)),
        }
    }

    /// The record after `end`; `None` if it and what follows never was.
    fn next(&self, end: End, last: Position) -> Result<Option<Record>, OpenError> {
        let position = end.position.next();
        let stored = self.store.stored(position).map_err(|error| self.unreadable(&error))?;
        let Some(stored) = stored else {
            return self.never_was(position, last);
        };
        if self.store.missing_chunk(&stored).map_err(|error| self.unreadable(&error))?.is_some() {
            return self.never_was(position, last);
        }
        let record = self.store.whole(&stored).map_err(|error| self.unreadable(&error))?;
        if record.previous != end.hash {
            let damage =
                format!("the record at position {position} does not follow the one before");
            return Err(self.damaged(damage));
        }
        self.anchored(&record)?;
        Ok(Some(record))
    }

    fn anchored(&self, record: &Record) -> Result<(), OpenError> {
        let position = record.position;
        if position == self.mark.position && record.hash != self.mark.hash {
            let damage =
                format!("the record at position {position} is not the one that is anchored");
            return Err(self.damaged(damage));
        }
        Ok(())
    }

    /// Lets the commit at `position` be incomplete if nobody can have been told of it.
    fn never_was(&self, position: Position, last: Position) -> Result<Option<Record>, OpenError> {
        if position <= self.mark.position {
            return Err(self.missing_at(position, last));
        }
        let mut later = position.next();
        while later <= last {
            let stored = self.store.stored(later).map_err(|error| self.unreadable(&error))?;
            if stored.is_some_and(|stored| stored.durable >= position) {
                return Err(self.damaged(format!("the commit at position {position} is missing")));
            }
            later = later.next();
        }
        Ok(None)
    }

    /// Names the hole at `position`: in the middle, or up to where the log is known to reach.
    fn missing_at(&self, position: Position, last: Position) -> OpenError {
        let mut to = position;
        while to < last && matches!(self.store.stored(to.next()), Ok(None)) {
            to = to.next();
        }
        if to < last {
            return self
                .damaged(format!("the commits at positions {position} to {to} are missing"));
        }
        // Nothing follows: start() may have begun above the true end.
        let from = if last < position { last.next() } else { position };
        OpenError::Missing { dir: self.dir.to_owned(), from, to: self.mark.position }
    }

    fn check_reach(&self, end: End) -> Result<(), OpenError> {
        if end.position >= self.mark.position {
            return Ok(());
        }
        let (from, to) = (end.position.next(), self.mark.position);
        Err(OpenError::Missing { dir: self.dir.to_owned(), from, to })
    }
}
