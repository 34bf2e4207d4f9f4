//! The events that envelopes name as holders of slots, fetched from the log.
//!
//! State resolution may give a slot back to an older event. The envelope names that event and its
//! place; a reader that folds the commit needs the event itself. Nearly all commits have no such
//! names and pay only for a search in their bytes.
//!
//! **Invariant:** every commit that is folded or delivered is decoded here, so all readers see it
//! alike.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use rookery_domain::{Envelope, Fact, Holder, Pdu, Subject};
use rookery_log::{EventLog, PAGE_MAX, Position, ReadError, Record, StreamKind};

use super::Committed;

/// A text in every envelope that names a holder, and in hardly any other.
const MARK: &[u8] = b"\"holder\"";

/// The place of an event in the log: its commit, and the index there.
type At = (Position, u16);

/// Events by their places in the log.
#[derive(Default)]
pub(crate) struct Restated(HashMap<At, Arc<Pdu>>);

impl Restated {
    /// Fetches the events that the envelopes of `records` name.
    ///
    /// # Errors
    /// [`ReadError`] if the log cannot be read.
    pub(crate) async fn fetch(
        log: &dyn EventLog,
        records: &[Arc<Record>],
    ) -> Result<Self, ReadError> {
        let mut wanted: BTreeMap<Position, BTreeSet<u16>> = BTreeMap::new();
        for (position, index) in records.iter().flat_map(|record| places(record)) {
            wanted.entry(position).or_default().insert(index);
        }
        let positions: Vec<_> = wanted.keys().copied().collect();
        let mut found = HashMap::new();
        for page in positions.chunks(PAGE_MAX) {
            for record in log.get(page).await? {
                for index in wanted.get(&record.position).into_iter().flatten() {
                    let pdu = read(&record, *index);
                    found.extend(pdu.map(|pdu| ((record.position, *index), pdu)));
                }
            }
        }
        Ok(Self(found))
    }

    /// The event that `holder` names, unless another event is at that place.
    pub(crate) fn get(&self, holder: &Holder) -> Option<&Arc<Pdu>> {
        let pdu = self.0.get(&(Position(holder.position?), holder.index))?;
        (pdu.event_id == holder.event_id).then_some(pdu)
    }
}

/// Decodes records, with the events that their envelopes name.
///
/// # Errors
/// [`ReadError`] if the log cannot be read.
pub async fn decode(
    log: &dyn EventLog,
    records: &[Arc<Record>],
) -> Result<Vec<Committed>, ReadError> {
    let restated = Restated::fetch(log, records).await?;
    Ok(records.iter().map(|record| Committed::decode(record, &restated)).collect())
}

/// The places in other commits that the envelopes of a record name.
fn places(record: &Record) -> Vec<At> {
    let commit = &record.commit;
    let is_room = commit.stream.split().is_some_and(|(kind, _)| kind == StreamKind::Room);
    if !is_room {
        return Vec::new();
    }
    let marked = commit.events.iter().map(|event| &event.envelope);
    let marked = marked.filter(|envelope| envelope.windows(MARK.len()).any(|part| part == MARK));
    // An unreadable envelope is reported when the commit is decoded.
    let envelopes = marked.filter_map(|envelope| serde_json::from_slice::<Envelope>(envelope).ok());
    let slots = envelopes.flat_map(|envelope| envelope.state.unwrap_or_default());
    let holders = slots.filter_map(|slot| slot.holder);
    holders.filter_map(|holder| Some((Position(holder.position?), holder.index))).collect()
}

fn read(record: &Record, index: u16) -> Option<Arc<Pdu>> {
    let event = record.commit.events.get(usize::from(index))?;
    match Fact::read(Subject::Room, &event.id, &event.envelope, &event.content) {
        Ok(Fact::Room(event)) => Some(event.pdu),
        _ => None,
    }
}
