//! Work that follows from commits and has to be done, whatever happens: how far all of it is.
//!
//! A checkpoint in a file says up to which commit all work was done. What is under way holds it
//! back, and so does what failed, until the next start does it again.
//!
//! **Invariant:** the checkpoint never passes a commit whose work is not done.

use std::{collections::BTreeSet, fs, io, path::PathBuf, sync::Arc};

use parking_lot::Mutex;
use rookery_log::Position;

/// Work of one kind.
#[derive(Clone)]
pub(crate) struct Unfinished {
    file: Option<PathBuf>,
    under_way: Arc<Mutex<UnderWay>>,
}

#[derive(Default)]
struct UnderWay {
    begun: u64,
    tickets: BTreeSet<(Position, u64)>,
}

/// One piece of work. Dropped without [`Self::done`] it stays unfinished.
pub(crate) struct Ticket {
    under_way: Arc<Mutex<UnderWay>>,
    key: (Position, u64),
}

impl Ticket {
    pub(crate) fn done(self) {
        self.under_way.lock().tickets.remove(&self.key);
    }
}

impl Unfinished {
    /// Work whose checkpoint is in `file`; without one, nothing outlives the process.
    pub(crate) fn new(file: Option<PathBuf>) -> Self {
        Self { file, under_way: Arc::default() }
    }

    /// Up to where all was done before the last start.
    pub(crate) fn checkpoint(&self) -> Position {
        let text = self.file.as_ref().and_then(|file| fs::read_to_string(file).ok());
        Position(text.and_then(|text| text.trim().parse().ok()).unwrap_or_default())
    }

    /// Begins what follows from the commit at `position`, or from a later one.
    pub(crate) fn begin(&self, position: Position) -> Ticket {
        let mut under_way = self.under_way.lock();
        under_way.begun += 1;
        let key = (position, under_way.begun);
        under_way.tickets.insert(key);
        Ticket { under_way: Arc::clone(&self.under_way), key }
    }

    /// Notes that all up to `tail` is done, but for what is under way.
    pub(crate) fn save(&self, tail: Position) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let oldest = self.under_way.lock().tickets.first().map(|(position, _)| *position);
        let done = oldest.map_or(tail, |oldest| Position(oldest.0 - 1).min(tail));
        let draft = file.with_extension("new");
        fs::write(&draft, done.to_string())?;
        fs::rename(draft, file)
    }
}
