//! The thread that writes entries to runs, and merges small runs into large ones.
//!
//! **Invariant:** a merged run replaces its sources only once it is on stable storage.

use std::sync::{Arc, mpsc::Receiver};

use rookery_log::Position;
use rookery_runs::merge;

use super::{
    ENTRY_BYTES, Shared, TABLE_MAX,
    run::{self, Run, Span},
};
use crate::engine::store::StoreError;

/// How many runs of one size are merged into one of the next size.
const FAN_IN: usize = 8;

/// Works until the index is closed.
pub(super) fn run(shared: &Shared, woken: &Receiver<()>) {
    while woken.recv().is_ok() {
        if shared.state.read().table.len() >= TABLE_MAX {
            report(freeze(shared).and_then(|()| merge_runs(shared)));
        }
    }
    report(freeze(shared));
}

fn report(outcome: Result<(), StoreError>) {
    if let Err(error) = outcome {
        tracing::warn!(error = error.text(), "the index stays in memory for now");
    }
}

/// Writes the entries in memory to a run. After a failure the next call tries again.
fn freeze(shared: &Shared) -> Result<(), StoreError> {
    let _turn = shared.changing.lock();
    let (entries, from, (to, hash)) = {
        let mut state = shared.state.write();
        let from = state.runs.last().map_or(Position::ORIGIN, |run| run.span.to);
        if state.frozen.is_empty() {
            state.frozen = Arc::new(std::mem::take(&mut state.table));
            state.frozen_last = state.last;
        }
        (Arc::clone(&state.frozen), from, state.frozen_last)
    };
    if entries.is_empty() {
        return Ok(());
    }
    let count = entries.len() as u64;
    let span = Span { from, to, hash };
    let run = run::write(&shared.dir, span, count, entries.iter().copied().map(Ok))?;
    let mut state = shared.state.write();
    Arc::make_mut(&mut state.runs).push(Arc::new(run));
    state.frozen = Arc::default();
    Ok(())
}

/// Merges the newest runs while there are enough of one size.
fn merge_runs(shared: &Shared) -> Result<(), StoreError> {
    loop {
        let _turn = shared.changing.lock();
        let runs = Arc::clone(&shared.state.read().runs);
        let Some(last) = runs.last() else { return Ok(()) };
        let same = runs.iter().rev().take_while(|run| size(run) <= size(last)).count();
        if same < FAN_IN {
            return Ok(());
        }
        let sources = &runs[runs.len() - same..];
        let span = Span { from: sources[0].span.from, ..last.span };
        let count = sources.iter().map(|run| run.count()).sum();
        let entries = merge(sources.iter().map(|run| run.iter()).collect(), ENTRY_BYTES);
        let merged = run::write(&shared.dir, span, count, entries)?;
        let mut all = runs[..runs.len() - same].to_vec();
        all.push(Arc::new(merged));
        shared.state.write().runs = Arc::new(all);
        for run in sources {
            run.remove();
        }
    }
}

fn size(run: &Run) -> u32 {
    (run.count() / TABLE_MAX as u64).max(1).ilog(FAN_IN as u64)
}
