//! The common part of models that are folded stream by stream.
//!
//! **Invariant:** a commit has its effect exactly once: each row stores the position of its last
//! commit, and an older commit changes nothing.
//! **Invariant:** a commit that cannot be applied parks its own stream in its own model, and
//! nothing else.

use std::{
    collections::BTreeMap,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
};

use rookery_domain::Erased;
use rookery_log::{Position, StreamId, StreamKind};
use serde::{Serialize, de::DeserializeOwned};

use super::{StreamKey, shared::Shared};
use crate::Committed;

/// The reason why a fold refuses a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unfit {
    pub(crate) event_id: Option<String>,
    pub(crate) reason: String,
}

impl Unfit {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Self { event_id: None, reason: reason.into() }
    }
}

/// The row of one stream in one model.
pub(crate) trait Fold: Default + Serialize + DeserializeOwned + Send + Sync {
    const NAME: &'static str;
    /// Part of the stored format: a change of the rows or of their meaning needs a new version.
    const VERSION: u32;
    const KIND: StreamKind;
    type Shared: Shared<Self>;

    /// Whether streams of this kind have rows here. A model of several kinds overrides it.
    fn concerns(kind: StreamKind) -> bool {
        kind == Self::KIND
    }

    /// Makes the row independent of the redactable content of an event, whether or not the event
    /// was folded. [`Self::apply`] does this at the redaction; this method is for parked streams.
    fn forget(&mut self, _: &Erased) {}

    /// Folds a commit of the stream `key`.
    fn apply(
        &mut self,
        key: StreamKey,
        committed: &Committed,
        shared: &mut Self::Shared,
    ) -> Result<(), Unfit>;
}

/// A row of a model, with the last applied commit of its stream.
#[derive(Clone, Debug, Default, Serialize, serde::Deserialize)]
pub(crate) struct Row<F> {
    pub(crate) applied: Position,
    pub(crate) sequence: u64,
    pub(crate) value: F,
}

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
}

impl<F: Fold> Folded<F> {
    pub(crate) fn new(shared: F::Shared) -> Self {
        Self {
            rows: BTreeMap::new(),
            parked: BTreeMap::new(),
            checkpoint: Position::ORIGIN,
            shared,
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

    /// Applies `committed`, and moves the checkpoint of the model past it.
    pub(crate) fn apply(&mut self, key: StreamKey, committed: &Committed) {
        if committed.position <= self.checkpoint {
            return;
        }
        self.checkpoint = committed.position;
        if !committed.kind.is_some_and(F::concerns) {
            return;
        }
        let row = self.rows.entry(key).or_default();
        if !self.parked.contains_key(&key) {
            let Err(unfit) = step(row, key, committed, &mut self.shared) else { return };
            self.park(key, committed, unfit);
        }
        // A parked row is still shown, and it is folded again from a log without the erased
        // content.
        if let Some(row) = self.rows.get_mut(&key) {
            let erased = committed.room_events().flat_map(|(_, event)| event.erases());
            erased.for_each(|erased| row.value.forget(erased));
        }
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

    /// Folds the next commit of a stream into a separate row. Returns `false` if the stream parks.
    pub(crate) fn refold(&mut self, row: &mut Row<F>, key: StreamKey, commit: &Committed) -> bool {
        match step(row, key, commit, &mut self.shared) {
            Ok(()) => true,
            Err(unfit) => {
                self.park(key, commit, unfit);
                false
            }
        }
    }

    #[expect(clippy::unused_self, reason = "so that the type need not be named")]
    pub(crate) fn name(&self) -> &'static str {
        F::NAME
    }

    /// Removes a row and its entries in the indexes.
    pub(crate) fn uninstall(&mut self, key: StreamKey) {
        let row = self.rows.remove(&key);
        self.shared.removed(key, row.as_ref().map(|row| &row.value));
    }

    /// Installs a row that was folded separately.
    pub(crate) fn install(&mut self, key: StreamKey, row: Row<F>) {
        self.shared.added(key, &row.value);
        self.rows.insert(key, Box::new(row));
    }

    /// Takes over the rows of `other`, which holds other streams.
    pub(crate) fn merge(&mut self, mut other: Self) {
        self.shared.merge(other.shared, &mut other.rows);
        self.rows.append(&mut other.rows);
        self.parked.append(&mut other.parked);
        self.checkpoint = self.checkpoint.max(other.checkpoint);
    }

    /// The body of a snapshot.
    pub(crate) fn save(&self) -> io::Result<Vec<u8>> {
        let saved = (self.shared.save()?, &self.rows, &self.parked);
        postcard::to_stdvec(&saved).map_err(io::Error::other)
    }

    /// Parses the output of [`Self::save`].
    pub(crate) fn load(
        body: &[u8],
        checkpoint: Position,
        open: impl FnOnce(<F::Shared as Shared<F>>::Saved) -> io::Result<F::Shared>,
    ) -> io::Result<Self> {
        type Saved<F> =
            (<<F as Fold>::Shared as Shared<F>>::Saved, Rows<F>, BTreeMap<StreamKey, Parked>);
        let (saved, rows, parked): Saved<F> =
            postcard::from_bytes(body).map_err(io::Error::other)?;
        let mut shared = open(saved)?;
        for (key, row) in &rows {
            shared.added(*key, &row.value);
        }
        Ok(Self { rows, parked, checkpoint, shared })
    }
}

/// Applies a commit to a row once, and catches panics.
fn step<F: Fold>(
    row: &mut Row<F>,
    key: StreamKey,
    committed: &Committed,
    shared: &mut F::Shared,
) -> Result<(), Unfit> {
    if committed.position <= row.applied {
        return Ok(());
    }
    let expected = row.sequence + 1;
    if committed.first_sequence != expected {
        let found = committed.first_sequence;
        let reason = format!("expected sequence {expected} of the stream, found {found}");
        return Err(Unfit::new(reason));
    }
    if let Some(unreadable) = committed.facts.iter().find_map(|fact| fact.as_ref().err()) {
        let event_id = Some(unreadable.event_id.clone());
        return Err(Unfit { event_id, reason: unreadable.reason.clone() });
    }
    let applied = catch_unwind(AssertUnwindSafe(|| {
        #[cfg(test)]
        crate::tests::trip(F::NAME, committed);
        row.value.apply(key, committed, shared)
    }));
    match applied {
        Ok(Ok(())) => {
            row.applied = committed.position;
            row.sequence = committed.last_sequence();
            Ok(())
        }
        Ok(Err(unfit)) => Err(unfit),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(Unfit::new(format!("panicked: {}", text.unwrap_or("no message"))))
        }
    }
}
