//! A model that is folded stream by stream: one row for each stream, and what the rows share.
//!
//! **Invariant:** a commit that cannot be applied parks its own stream in its own model, and
//! nothing else.

use std::{collections::BTreeMap, io, path::Path};

use rookery_log::{Position, StreamId};
use serde::Serialize;

use super::{
    AnyModel, Draft, Finished, Fold, Model, Row, RowFile, RowLog, Shared, Still, StreamKey, Unfit,
    fold::step,
};
use crate::Committed;

/// A stream that a model has parked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Parked {
    /// The model's name.
    pub model: String,
    /// The stream.
    pub stream: StreamId,
    /// The commit that could not be applied.
    pub position: Position,
    /// The event, if it is known.
    pub event_id: Option<String>,
    /// The reason, for operators.
    pub reason: String,
}

/// The rows of a model.
pub(crate) type Rows<F> = BTreeMap<StreamKey, Box<Row<F>>>;

/// All rows of a model, and its position.
pub(crate) struct Folded<F: Fold> {
    // Boxed, because the nodes of such a map are half empty.
    pub(crate) rows: Rows<F>,
    pub(crate) parked: BTreeMap<StreamKey, Parked>,
    pub(crate) checkpoint: Position,
    pub(crate) shared: F::Shared,
    log: RowLog,
}

impl<F: Fold> Folded<F> {
    fn new(shared: F::Shared) -> Self {
        Self {
            rows: BTreeMap::new(),
            parked: BTreeMap::new(),
            checkpoint: Position::ORIGIN,
            shared,
            log: RowLog::default(),
        }
    }

    pub(crate) fn get(&self, key: StreamKey) -> Option<&F> {
        self.rows.get(&key).map(|row| &row.value)
    }

    /// The last applied sequence of a parked stream; `None` if the stream is not parked.
    pub(crate) fn horizon(&self, key: StreamKey) -> Option<u64> {
        self.parked.get(&key)?;
        Some(self.rows.get(&key).map_or(0, |row| row.sequence))
    }

    fn park(&mut self, key: StreamKey, committed: &Committed, unfit: Unfit) {
        tracing::error!(
            model = F::NAME,
            stream = %committed.stream,
            position = %committed.position,
            event = unfit.event_id.as_deref(),
            "a model parks a stream: {}",
            unfit.reason.escape_debug(),
        );
        self.parked.insert(
            key,
            Parked {
                model: F::NAME.into(),
                stream: committed.stream.clone(),
                position: committed.position,
                event_id: unfit.event_id,
                reason: unfit.reason,
            },
        );
    }
}

impl<F: Fold> Model for Folded<F> {
    const NAME: &'static str = F::NAME;
    const VERSION: u32 = F::VERSION;

    fn create(dir: &Path, part: usize) -> io::Result<Self> {
        Ok(Self::new(F::Shared::create(dir, part)?))
    }

    fn load(dir: &Path, body: &[u8], checkpoint: Position) -> io::Result<Self> {
        type Saved<F> =
            (<<F as Fold>::Shared as Shared<F>>::Saved, RowFile, BTreeMap<StreamKey, Parked>);
        let (saved, file, parked): Saved<F> =
            postcard::from_bytes(body).map_err(io::Error::other)?;
        let mut shared = F::Shared::open(dir, saved)?;
        let (log, rows): (_, Rows<F>) = RowLog::open(dir, F::NAME, file, checkpoint)?;
        for (key, row) in &rows {
            shared.added(*key, &row.value);
        }
        Ok(Self { rows, parked, checkpoint, shared, log })
    }

    fn apply(&mut self, key: StreamKey, committed: &Committed) {
        if committed.position <= self.checkpoint {
            return;
        }
        self.checkpoint = committed.position;
        if !committed.kind.is_some_and(F::concerns) {
            return;
        }
        if committed.room_events().any(|(_, event)| !event.erases().is_empty()) {
            self.log.erases();
        }
        let row = self.rows.entry(key).or_default();
        self.log.changes(key, row.applied);
        if !self.parked.contains_key(&key) {
            let Err(unfit) = step(row, key, committed, &mut self.shared) else { return };
            self.park(key, committed, unfit);
        }
        // A parked row is still shown, and it is folded again from a log without the erased
        // content.
        self.log.changes_anyway(key);
        if let Some(row) = self.rows.get_mut(&key) {
            let erased = committed.room_events().flat_map(|(_, event)| event.erases());
            erased.for_each(|erased| row.value.forget(erased));
        }
    }

    fn merge(&mut self, mut other: Self) {
        self.shared.merge(other.shared, &mut other.rows);
        self.rows.append(&mut other.rows);
        self.parked.append(&mut other.parked);
        self.checkpoint = self.checkpoint.max(other.checkpoint);
    }
}

impl<F: Fold> AnyModel for Folded<F> {
    fn name(&self) -> &'static str {
        F::NAME
    }

    fn version(&self) -> u32 {
        F::VERSION
    }

    fn checkpoint(&self) -> Position {
        self.checkpoint
    }

    fn reach(&mut self, position: Position) {
        self.checkpoint = self.checkpoint.max(position);
    }

    fn begin_save(&mut self) -> Option<Draft> {
        Some(self.log.begin(self.checkpoint, self.parked.clone()))
    }

    fn next_piece(&self, draft: &mut Draft) -> io::Result<Option<Vec<u8>>> {
        draft.piece(&self.rows)
    }

    fn end_save(&mut self, draft: Option<&Draft>) -> io::Result<Finished> {
        let draft = draft.ok_or(io::ErrorKind::InvalidInput)?;
        // The files hold what the rows refer to only now: later rows refer to more.
        let saved = (self.shared.save()?, self.log.end(draft), &draft.parked);
        let body = postcard::to_stdvec(&saved).map_err(io::Error::other)?;
        let (from, reached) = (draft.from, self.checkpoint);
        Ok(Finished { from, reached, body, files: self.shared.files() })
    }

    fn still(&self) -> Still {
        F::still(self)
    }

    fn parked(&self) -> Vec<Parked> {
        self.parked.values().cloned().collect()
    }

    fn retry(&mut self, key: StreamKey, commits: &[Committed]) -> Option<bool> {
        self.parked.remove(&key)?;
        self.log.changes_anyway(key);
        // The old row leaves the indexes before the new one enters them.
        let old = self.rows.remove(&key);
        self.shared.removed(key, old.as_ref().map(|row| &row.value));
        let mut row = Row::default();
        let whole = commits.iter().all(|commit| {
            let stepped = step(&mut row, key, commit, &mut self.shared);
            stepped.map_err(|unfit| self.park(key, commit, unfit)).is_ok()
        });
        self.shared.added(key, &row.value);
        self.rows.insert(key, Box::new(row));
        Some(whole)
    }
}
