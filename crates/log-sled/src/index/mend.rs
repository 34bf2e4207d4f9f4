//! Derives damaged runs again from the log.
//!
//! **Invariant:** a damaged run answers no request. It stays in its place until its replacement is
//! on stable storage.

use std::sync::Arc;

use rookery_log::{Hash, Position, Record};

use super::{
    Entry, Index, Subject,
    run::{self, Run, Span},
};
use crate::engine::store::StoreError;

/// How many entries a derived run holds at most, which bounds the memory for it.
const ENTRIES_MAX: usize = 1 << 20;

impl Index {
    /// Whether a run is known to be damaged.
    pub(crate) fn is_damaged(&self) -> bool {
        self.shared.state.read().runs.iter().any(|run| run.is_damaged())
    }

    /// Derives the damaged runs again. `page` reads records between two positions.
    pub(crate) fn mend(
        &self,
        page: impl Fn(Position, Position) -> Result<Vec<Arc<Record>>, StoreError>,
    ) -> Result<(), StoreError> {
        let _turn = self.shared.changing.lock();
        // Another thread may have done it meanwhile.
        let runs = Arc::clone(&self.shared.state.read().runs);
        for damaged in runs.iter().filter(|run| run.is_damaged()) {
            let Span { from, to, .. } = damaged.span;
            tracing::warn!(%from, %to, "an index file is damaged; it is derived again from the log");
            let pieces = self.derive(damaged.span, &page)?;
            let mut state = self.shared.state.write();
            let mut all = Vec::with_capacity(state.runs.len() + pieces.len());
            for run in state.runs.iter() {
                if Arc::ptr_eq(run, damaged) {
                    all.extend(pieces.iter().cloned());
                } else {
                    all.push(Arc::clone(run));
                }
            }
            state.runs = Arc::new(all);
            drop(state);
            if !pieces.iter().any(|piece| piece.has_name_of(damaged)) {
                damaged.remove();
            }
        }
        Ok(())
    }

    /// Writes runs of the records that `span` covers.
    fn derive(
        &self,
        span: Span,
        page: &impl Fn(Position, Position) -> Result<Vec<Arc<Record>>, StoreError>,
    ) -> Result<Vec<Arc<Run>>, StoreError> {
        let mut pieces = Vec::new();
        let mut entries: Vec<Entry> = Vec::new();
        let mut begun = span.from;
        let mut reached = (span.from, Hash::ORIGIN);
        while reached.0 < span.to {
            for record in page(reached.0, span.to)? {
                let position = record.position;
                entries.push(Subject::stream(&record.commit.stream).at(position));
                entries.extend(record.commit.command.map(|it| Subject::command(it).at(position)));
                reached = (position, record.hash);
            }
            if entries.len() >= ENTRIES_MAX || reached.0 >= span.to {
                entries.sort_unstable();
                let covered = Span { from: begun, to: reached.0, hash: reached.1 };
                let count = entries.len() as u64;
                let sorted = entries.drain(..).map(Ok);
                pieces.push(Arc::new(run::write(&self.shared.dir, covered, count, sorted)?));
                begun = reached.0;
            }
        }
        Ok(pieces)
    }
}
