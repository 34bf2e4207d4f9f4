//! Subscribers with equal requests: one execution for all, and the recent answers.
//!
//! **Invariant:** the first subscriber that needs an answer computes it, under the group's lock;
//! others wait for that and take the same bytes. An execution that would have to wait gives no
//! answer, so the lock is never held longer than the work itself.
//! **Invariant:** the answers in memory are bounded, for a group here and for all groups by the
//! [`Shelf`].

use std::{
    collections::VecDeque,
    sync::{Arc, Weak, atomic::Ordering::Relaxed},
};

use parking_lot::Mutex;
use rookery_graphql_documents::text_of;
use rookery_log::Position;
use rookery_schema::context::App;

use super::{
    document::Document,
    execution::{Execution, Template},
    fanout::{Fanout, GroupEntry},
    identity::{Identity, Viewer, shown_alike},
    shelf::{Kept, Shelf},
};
use crate::schema::{Schema, subscription::Draft};

/// How many answers a group keeps, at most.
const KEPT_MAX: usize = 256;

/// Bytes of answers that a group keeps, at most; beyond that, only the latest answer.
const KEPT_BYTES_MAX: usize = 1024 * 1024;

/// The parts of the server that an execution for all needs.
#[derive(Clone, Copy)]
pub(super) struct Parts<'a> {
    pub(super) schema: &'a Schema,
    pub(super) app: &'a App,
    pub(super) fanout: &'a Fanout,
}

pub(super) struct Group {
    pub(super) document: Arc<Document>,
    pub(super) template: Arc<Template>,
    state: Mutex<State>,
    shelf: Arc<Shelf>,
    entry: GroupEntry,
}

#[derive(Default)]
struct State {
    execution: Option<Execution>,
    /// Latest last. The shelf may have evicted any of them.
    known: VecDeque<Known>,
    bytes: usize,
}

/// An answer on the shelf.
struct Known {
    position: Position,
    number: u64,
    bytes: usize,
    kept: Weak<Kept>,
}

impl Group {
    pub(super) fn new(
        document: Arc<Document>,
        template: Arc<Template>,
        shelf: Arc<Shelf>,
        entry: GroupEntry,
    ) -> Self {
        Self { document, template, state: Mutex::default(), shelf, entry }
    }

    /// The JSON of the answer for all viewers to whom this chunk is equal; `None` if this viewer
    /// needs an answer of their own.
    pub(super) fn answer(
        &self,
        parts: Parts<'_>,
        draft: &Draft,
        viewer: &Viewer,
    ) -> Option<Arc<str>> {
        let Parts { app, fanout, .. } = parts;
        // Read before the lock is taken: a holder of a view must not wait for a group.
        let shown = shown_alike(draft, &self.document, viewer, app, &fanout.hasher)?;
        let mut state = self.state.lock();
        let known = state.known.iter().rev().filter(|known| known.position == draft.position);
        let mut kept = known.filter_map(|known| known.kept.upgrade());
        if let Some(kept) = kept.find(|kept| kept.identity.is(draft, shown, &self.document)) {
            return Some(Arc::clone(&kept.answer));
        }
        let answer = self.execute(&mut state, parts, draft)?;
        if draft.commits().next().is_none() {
            // It has little more than a position, so it is cheap to make again and hardly ever
            // equal.
            return Some(answer);
        }
        // The rooms may have changed during the execution. Then it is not an answer for others.
        if shown_alike(draft, &self.document, viewer, app, &fanout.hasher) == Some(shown) {
            let identity = Identity::of(draft, shown, &self.document)?.into();
            self.keep(&mut state, draft, Kept { identity, answer: Arc::clone(&answer) });
        }
        Some(answer)
    }

    fn execute(
        &self,
        state: &mut State,
        Parts { schema, app, fanout }: Parts<'_>,
        draft: &Draft,
    ) -> Option<Arc<str>> {
        let start = || Execution::shared(schema, &self.template);
        let execution = state.execution.get_or_insert_with(start);
        let Some(response) = execution.answer_now(draft.chunk(app)) else {
            state.execution = None;
            fanout.counters.failed.fetch_add(1, Relaxed);
            return None;
        };
        fanout.counters.executed.fetch_add(1, Relaxed);
        Some(Arc::from(text_of(&response)))
    }

    fn keep(&self, state: &mut State, draft: &Draft, kept: Kept) {
        let kept = Arc::new(kept);
        let Some(number) = self.shelf.keep(&kept, draft.commits()) else { return };
        let (bytes, position) = (kept.len_bytes(), draft.position);
        state.bytes += bytes;
        state.known.push_back(Known { position, number, bytes, kept: Arc::downgrade(&kept) });
        let State { known, bytes, .. } = state;
        known.retain(|it| {
            let is_kept = it.kept.strong_count() > 0;
            *bytes -= if is_kept { 0 } else { it.bytes };
            is_kept
        });
        let mut over = Vec::new();
        while known.len() > 1 && (known.len() > KEPT_MAX || *bytes > KEPT_BYTES_MAX) {
            let Some(oldest) = known.pop_front() else { break };
            *bytes -= oldest.bytes;
            over.push(oldest.number);
        }
        self.shelf.remove(over.into_iter());
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.shelf.remove(self.state.get_mut().known.iter().map(|known| known.number));
        self.entry.leave(self);
    }
}
