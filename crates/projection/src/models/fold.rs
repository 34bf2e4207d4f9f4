//! The row of one stream in a model, and how a commit changes it.
//!
//! **Invariant:** a commit has its effect exactly once: each row stores the position of its last
//! commit, and an older commit changes nothing.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rookery_domain::Erased;
use rookery_log::{Position, StreamKind};
use serde::{Serialize, de::DeserializeOwned};

use super::{Digester, Folded, Still, StreamKey, shared::Shared};
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

    /// The rows of the model, for a digest. A model whose rows are partly in files overrides it.
    fn still(folded: &Folded<Self>) -> Still {
        let mut digester = Digester::default();
        for row in &folded.rows {
            digester.add(&row);
        }
        digester.add(&folded.parked);
        Still::new(move |whole| {
            *whole = digester;
            Ok(())
        })
    }
}

/// A row of a model, with the last applied commit of its stream.
#[derive(Clone, Debug, Default, Serialize, serde::Deserialize)]
pub(crate) struct Row<F> {
    pub(crate) applied: Position,
    pub(crate) sequence: u64,
    pub(crate) value: F,
}

/// Applies a commit to a row once, and catches panics.
pub(super) fn step<F: Fold>(
    row: &mut Row<F>,
    key: StreamKey,
    committed: &Committed,
    shared: &mut F::Shared,
) -> Result<(), Unfit> {
    if committed.position <= row.applied {
        return Ok(());
    }
    let (expected, found) = (row.sequence + 1, committed.first_sequence);
    if found != expected {
        let reason = format!("expected sequence {expected} of the stream, found {found}");
        return Err(Unfit::new(reason));
    }
    if let Some(unreadable) = committed.facts.iter().find_map(|fact| fact.as_ref().err()) {
        let event_id = Some(unreadable.event_id.clone());
        return Err(Unfit { event_id, reason: unreadable.reason.clone() });
    }
    rookery_work::unless_refused(committed.stream.as_str()).map_err(Unfit::new)?;
    let applied = catch_unwind(AssertUnwindSafe(|| {
        #[cfg(test)]
        crate::tests::trip(F::NAME, committed);
        row.value.apply(key, committed, shared)
    }));
    match applied {
        Ok(Ok(())) => {
            (row.applied, row.sequence) = (committed.position, committed.last_sequence());
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
