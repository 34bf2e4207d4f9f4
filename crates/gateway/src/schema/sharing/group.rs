//! Subscribers who ask in the same words: one execution for all, and the answers of late.
//!
//! **Invariant:** an answer is computed by the first who asks for it, under the group's lock; who
//! comes meanwhile waits for that and takes the same bytes. An execution that would have to wait
//! does not count as an answer, so the lock is never held for longer than the work itself.
//! **Invariant:** what is kept is bounded, for a group and for all groups together.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use parking_lot::Mutex;

use super::{
    document::Document,
    execution::{Execution, Template},
    fanout::Fanout,
    identity::{Identity, Viewer, shown_alike},
};
use crate::schema::{Schema, context::App, stream::Draft};

/// Answers that a group keeps, at most.
const KEPT_MAX: usize = 256;

/// Bytes of answers that a group keeps, at most; beyond, only the latest answer.
const KEPT_BYTES_MAX: usize = 1024 * 1024;

/// The same for all groups together.
const KEPT_BYTES_OF_ALL_MAX: usize = 64 * 1024 * 1024;

pub(super) struct Group {
    pub(super) document: Arc<Document>,
    pub(super) template: Template,
    state: Mutex<State>,
    /// Bytes that all groups keep.
    kept_by_all: Arc<AtomicUsize>,
}

#[derive(Default)]
struct State {
    execution: Option<Execution>,
    /// The latest ones last.
    kept: VecDeque<Kept>,
    kept_bytes: usize,
}

struct Kept {
    identity: Identity,
    answer: Arc<str>,
}

impl Kept {
    fn len_bytes(&self) -> usize {
        self.identity.len_bytes() + self.answer.len()
    }
}

impl Group {
    pub(super) fn new(
        document: Arc<Document>,
        template: Template,
        kept_by_all: Arc<AtomicUsize>,
    ) -> Self {
        Self { document, template, state: Mutex::default(), kept_by_all }
    }

    /// The JSON of the answer that all who see this chunk alike get; none if this viewer needs an
    /// answer of his own.
    pub(super) fn answer(
        &self,
        schema: &Schema,
        app: &App,
        draft: &Draft,
        viewer: &Viewer,
    ) -> Option<Arc<str>> {
        let fanout = &app.fanout;
        // Looked at before the lock is taken: whoever holds a view must not wait for a group.
        let shown = shown_alike(draft, &self.document, viewer, app, &fanout.hasher)?;
        let mut state = self.state.lock();
        let mut kept = state.kept.iter().rev();
        if let Some(kept) = kept.find(|kept| kept.identity.is(draft, shown, &self.document)) {
            return Some(Arc::clone(&kept.answer));
        }
        let answer = self.execute(&mut state, schema, app, draft, fanout)?;
        // What rooms show may have changed while it was executed: then it is no answer for others.
        if shown_alike(draft, &self.document, viewer, app, &fanout.hasher) == Some(shown) {
            let identity = Identity::of(draft, shown, &self.document)?;
            self.keep(&mut state, Kept { identity, answer: Arc::clone(&answer) });
        }
        Some(answer)
    }

    fn execute(
        &self,
        state: &mut State,
        schema: &Schema,
        app: &App,
        draft: &Draft,
        fanout: &Fanout,
    ) -> Option<Arc<str>> {
        let start = || Execution::shared(schema, &self.template);
        let execution = state.execution.get_or_insert_with(start);
        let Some(response) = execution.answer_now(draft.chunk(app)) else {
            state.execution = None;
            fanout.counters.failed.fetch_add(1, Relaxed);
            return None;
        };
        let answer = serde_json::to_string(&response);
        let answer = answer.inspect_err(|error| tracing::error!(%error, "failed to serialise"));
        fanout.counters.executed.fetch_add(1, Relaxed);
        answer.ok().map(Arc::from)
    }

    fn keep(&self, state: &mut State, kept: Kept) {
        let bytes = kept.len_bytes();
        state.kept_bytes += bytes;
        self.kept_by_all.fetch_add(bytes, Relaxed);
        state.kept.push_back(kept);
        while state.kept.len() > 1
            && (state.kept.len() > KEPT_MAX
                || state.kept_bytes > KEPT_BYTES_MAX
                || self.kept_by_all.load(Relaxed) > KEPT_BYTES_OF_ALL_MAX)
        {
            let Some(oldest) = state.kept.pop_front() else { break };
            state.kept_bytes -= oldest.len_bytes();
            self.kept_by_all.fetch_sub(oldest.len_bytes(), Relaxed);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kept_by_all.fetch_sub(self.state.get_mut().kept_bytes, Relaxed);
    }
}
