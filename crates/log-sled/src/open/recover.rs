//! Finds the end of the log when it is opened.
//!
//! Every acknowledged commit is present, or the log is refused. Unacknowledged commits are kept up
//! to the first gap; the rest is discarded.
//!
//! **Invariant:** the work is bounded by the data after the last place known to be complete, not by
//! the length of the log.

use std::{path::Path, sync::Arc};

use rookery_log::{Hash, PAGE_MAX, Position, ReadError, Record};

use crate::{
    OpenError,
    engine::{
        records::Records,
        store::{Store, StoreError},
    },
    files::anchor::Mark,
};

/// The end of the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    pub(crate) position: Position,
    pub(crate) hash: Hash,
}

/// Finds the end of the log, which is known to have reached `mark`, and completes the indexes.
pub(crate) fn end(dir: &Path, store: &Store, mark: Mark) -> Result<End, OpenError> {
    let from = mark.position.min(store.index.last());
    let end = find_end(dir, &**store, mark, from, |record| {
        if record.position > store.index.last() {
            store.index.add([record]);
        }
    })?;
    let refuse = |error: &StoreError| OpenError::damaged(dir, error.text());
    let removed = store.cut(end.position).map_err(|error| refuse(&error))?;
    if removed > 0 {
        let position = end.position.0;
        tracing::warn!(position, removed, "removed commits that were never acknowledged");
    }
    complete_index(dir, store, end)?;
    Ok(end)
}

/// Finds the end of the log, which is known to have reached `mark` and to be complete up to `from`.
/// Calls `each` with every record behind `from`.
pub(crate) fn find_end<R: Records>(
    dir: &Path,
    records: &R,
    mark: Mark,
    from: Position,
    mut each: impl FnMut(&Record),
) -> Result<End, OpenError> {
    let recovery = Recovery { dir, records, mark };
    let last = records.last().map_err(|error| OpenError::damaged(dir, error.text()))?;
    let last = last.unwrap_or_default();
    let mut end = recovery.start(from, last)?;
    while end.position < last {
        let Some(record) = recovery.next(end, last)? else { break };
        each(&record);
        end = End { position: record.position, hash: record.hash };
    }
    recovery.check_reach(end)?;
    Ok(end)
}

/// Derives the entries again that the indexes lose if they are ahead of the log.
fn complete_index(dir: &Path, store: &Store, end: End) -> Result<(), OpenError> {
    let index = &store.index;
    if index.last() > end.position {
        index.cut(end.position);
    }
    while index.last() < end.position {
        let page = store.page(index.last(), end.position, PAGE_MAX);
        let page = page.map_err(|error| unreadable(dir, &error))?;
        index.add(page.iter().map(Arc::as_ref));
    }
    Ok(())
}

fn unreadable(dir: &Path, error: &ReadError) -> OpenError {
    match error {
        ReadError::Damaged { position, damage } => {
            OpenError::damaged(dir, format!("the record at position {position}: {damage}"))
        }
        ReadError::Unavailable(unavailable) => OpenError::damaged(dir, &*unavailable.reason),
    }
}

struct Recovery<'a, R> {
    dir: &'a Path,
    records: &'a R,
    mark: Mark,
}

impl<R: Records> Recovery<'_, R> {
    fn damaged(&self, damage: impl Into<String>) -> OpenError {
        OpenError::damaged(self.dir, damage)
    }

    /// The place to read on from: known to have been reached, with all earlier commits in the
    /// indexes.
    fn start(&self, position: Position, last: Position) -> Result<End, OpenError> {
        if position == Position::ORIGIN {
            return Ok(End { position, hash: Hash::ORIGIN });
        }
        match self.complete(position)? {
            Some(record) => self.anchored(&record).map(|()| End { position, hash: record.hash }),
            None => Err(self.missing_at(position, last)),
        }
    }

    /// The record at `position`, if it is complete.
    fn complete(&self, position: Position) -> Result<Option<Record>, OpenError> {
        let read = || {
            let Some(stored) = self.records.stored(position)? else { return Ok(None) };
            if self.records.missing_chunk(&stored)?.is_some() {
                return Ok(None);
            }
            self.records.whole(&stored).map(Some)
        };
        read().map_err(|error| unreadable(self.dir, &error))
    }

    /// The record after `end`; `None` if neither it nor a later one was acknowledged.
    fn next(&self, end: End, last: Position) -> Result<Option<Record>, OpenError> {
        let position = end.position.next();
        let Some(record) = self.complete(position)? else {
            return self.never_was(position, last);
        };
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

    /// Accepts an incomplete commit at `position` if it cannot have been acknowledged.
    fn never_was(&self, position: Position, last: Position) -> Result<Option<Record>, OpenError> {
        if position <= self.mark.position {
            return Err(self.missing_at(position, last));
        }
        let mut later = position.next();
        while later <= last {
            let stored =
                self.records.stored(later).map_err(|error| unreadable(self.dir, &error))?;
            if stored.is_some_and(|stored| stored.durable >= position) {
                return Err(self.damaged(format!("the commit at position {position} is missing")));
            }
            later = later.next();
        }
        Ok(None)
    }

    /// The error for the gap at `position`: in the middle, or up to the place that the log is known
    /// to have reached.
    fn missing_at(&self, position: Position, last: Position) -> OpenError {
        let mut to = position;
        while to < last && matches!(self.records.stored(to.next()), Ok(None)) {
            to = to.next();
        }
        if to < last {
            return self
                .damaged(format!("the commits at positions {position} to {to} are missing"));
        }
        // No record follows: start() may have begun above the true end.
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
