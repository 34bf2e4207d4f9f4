//! Redactions: the events that have lost their content, and their redactions.
//!
//! The log erases the content a moment after the redaction is appended, and other models hold some
//! of it: each of them forgets it at the redaction. Commits that are read from the log in that
//! moment are redacted here ([`Models::without_redacted`]), so that no user gets the content once
//! this model knows.
//!
//! **Invariant:** after a redaction, the row of a fold is as if the event never had the redacted
//! content. So a rebuild, which reads the log without it, makes the same row.

use std::{collections::BTreeMap, sync::Arc};

use rookery_domain::{Erased, Fact, Pdu, RoomVersionId};
use rookery_log::{Position, StreamKind};
use serde::{Deserialize, Serialize};

use crate::models::{Fold, Models, StreamKey, Unfit};
use crate::{Committed, RowKey};

/// The redacted events of one room, by commit and index there, each with its redaction.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Redactions(BTreeMap<(Position, u16), RowKey>);

impl Fold for Redactions {
    const NAME: &'static str = "redactions";
    const VERSION: u32 = 1;
    const KIND: StreamKind = StreamKind::Room;
    type Shared = ();

    fn apply(&mut self, _: StreamKey, committed: &Committed, (): &mut ()) -> Result<(), Unfit> {
        for (index, event) in committed.room_events() {
            let key = RowKey::of(&event.pdu, committed.position, index);
            for erased in event.erases() {
                self.0.entry((Position(erased.position), erased.index)).or_insert(key);
            }
        }
        Ok(())
    }
}

impl Redactions {
    /// The redaction of the event at `index` of the commit at `position`, if it was redacted.
    pub(crate) fn of(&self, position: Position, index: u16) -> Option<RowKey> {
        self.0.get(&(position, index)).copied()
    }

    /// How many events have been redacted.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The indexes of the redacted events of a commit.
    fn in_commit(&self, position: Position) -> impl Iterator<Item = u16> {
        let range = self.0.range((position, 0)..=(position, u16::MAX));
        range.map(|((_, index), _)| *index)
    }
}

impl RowKey {
    /// Whether this place holds an erased event.
    pub(crate) fn is_of(&self, erased: &Erased) -> bool {
        (self.position.0, self.index) == (erased.position, erased.index)
    }
}

impl Models {
    /// The commit without redacted content, whether or not the log still has it. `None` if the
    /// commit has no redacted event.
    pub(crate) fn without_redacted(&self, committed: &Committed) -> Option<Committed> {
        self.without_redacted_at(self.directory.key_of(&committed.stream)?, committed)
    }

    /// Like [`Self::without_redacted`], for a stream with a known key.
    pub(crate) fn without_redacted_at(
        &self,
        key: StreamKey,
        committed: &Committed,
    ) -> Option<Committed> {
        let redactions = self.redactions.get(key)?;
        let indexes: Vec<_> = redactions.in_commit(committed.position).map(usize::from).collect();
        let restated = restated(committed, redactions);
        if indexes.is_empty() && !restated {
            return None;
        }
        let version = self.version(key);
        let mut clean = committed.clone();
        for (index, fact) in clean.facts.iter_mut().enumerate() {
            let Ok(Fact::Room(event)) = fact else { continue };
            if indexes.contains(&index) {
                redact(&mut event.pdu, &version);
            }
            let holders: Vec<_> = event.restated_holders().cloned().collect();
            for holder in holders {
                let position = holder.position.map_or(committed.position, Position);
                if redactions.of(position, holder.index).is_some() {
                    let pdus = event.restated.iter_mut();
                    pdus.filter(|pdu| pdu.event_id == holder.event_id)
                        .for_each(|pdu| redact(pdu, &version));
                }
            }
        }
        Some(clean)
    }

    /// The version of a room for redaction. A room without a version gets the rules that keep
    /// least.
    fn version(&self, key: StreamKey) -> RoomVersionId {
        let version = self.summaries.get(key).and_then(|room| room.version.as_deref());
        let version = version.and_then(|version| RoomVersionId::try_from(version).ok());
        version.filter(|version| version.rules().is_some()).unwrap_or(RoomVersionId::V11)
    }
}

/// Whether the commit gives a slot back to a redacted event.
fn restated(committed: &Committed, redactions: &Redactions) -> bool {
    committed.room_events().any(|(_, event)| {
        event.restated_holders().any(|holder| {
            let position = holder.position.map_or(committed.position, Position);
            redactions.of(position, holder.index).is_some()
        })
    })
}

fn redact(pdu: &mut Arc<Pdu>, version: &RoomVersionId) {
    match pdu.redacted(version) {
        Ok(redacted) => *pdu = Arc::new(redacted),
        Err(error) => tracing::error!("a redacted event is shown with its content: {error}"),
    }
}
