//! The calls of one room.
//!
//! Active calls are in memory. A past call is a row in a file: the places of its invite and of the
//! event that ended it, which together tell the whole call
//! ([`Call::past`](rookery_domain::Call::past)).
//!
//! **Invariant:** rows refer to the log, so content that is erased there is gone from here. An active
//! call of a redacted invite stays as an empty place until it ends, as in a rebuild.

use std::collections::BTreeMap;

use rookery_domain::{Call, CallChange, CallId, CallStep, Erased, RoomEvent};
use rookery_log::StreamKind;
use serde::{Deserialize, Serialize};

use super::CallIndex;
use crate::{
    Committed, Flags, RowKey, TimelineReader, TimelineRow,
    models::{Fold, Folded, Still, StreamKey, Unfit},
    timeline::{BlockRef, BlockStore, RowList},
};

/// The calls of one room.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct RoomCalls {
    active: BTreeMap<CallId, Active>,
    /// The past calls, by the place of their invite. Each row names the event that ended the call as
    /// the one that it `replaced`.
    past: RowList,
    past_count: u64,
}

/// An active call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Active {
    invite: RowKey,
    /// The sequence of the invite.
    sequence: u64,
    /// `None` if the invite was redacted.
    call: Option<Call>,
}

impl Fold for RoomCalls {
    const NAME: &'static str = "calls";
    const VERSION: u32 = 1;
    const KIND: StreamKind = StreamKind::Room;
    type Shared = CallIndex;

    fn forget(&mut self, erased: &Erased) {
        for active in self.active.values_mut().filter(|active| active.invite.is_of(erased)) {
            active.call = None;
        }
    }

    fn apply(
        &mut self,
        room: StreamKey,
        committed: &Committed,
        index: &mut CallIndex,
    ) -> Result<(), Unfit> {
        for (number, event) in committed.room_events() {
            let key = RowKey::of(&event.pdu, committed.position, number);
            for change in &event.envelope.calls {
                let place = (key, committed.sequence(number));
                self.step(room, change, event, place, index).map_err(|error| Unfit {
                    event_id: Some(event.pdu.event_id.to_string()),
                    reason: format!("the file of the calls failed: {error}"),
                })?;
            }
            for erased in event.erases() {
                index.remove_all(room, self.active().filter(|call| call.invite == erased.event_id));
                self.forget(erased);
            }
        }
        Ok(())
    }

    /// The digest covers the rows in the files, and does not depend on the blocks that hold them.
    fn still(folded: &Folded<Self>) -> Still {
        let (rows, parked) = (folded.rows.clone(), folded.parked.clone());
        let store = folded.shared.store().frozen();
        Still::new(move |digester| {
            for (key, row) in &rows {
                let RoomCalls { active, past, past_count } = &row.value;
                let past = past.reader(&store).after(None, usize::MAX)?;
                digester.add(&(key, row.applied, row.sequence, active, past_count, past));
            }
            digester.add(&parked);
            Ok(())
        })
    }
}

impl RoomCalls {
    /// Folds a step of an event, which is at this place and has this sequence.
    fn step(
        &mut self,
        room: StreamKey,
        change: &CallChange,
        event: &RoomEvent,
        (key, sequence): (RowKey, u64),
        index: &mut CallIndex,
    ) -> std::io::Result<()> {
        let before = self.active.remove(&change.call_id);
        index.remove_all(room, before.iter().filter_map(|active| active.call.as_ref()));
        let after = match (&change.step, before) {
            (CallStep::Placed, _) => {
                Some(Active { invite: key, sequence, call: Call::placed(event) })
            }
            (_, None) => None,
            (CallStep::Answered { .. }, Some(mut active)) => {
                active.call.iter_mut().for_each(|call| call.follow(change, event));
                Some(active)
            }
            (CallStep::Ended { .. }, Some(Active { invite, sequence, .. })) => {
                let (flags, replaced) = (Flags::default(), Some(key));
                let row = TimelineRow { key: invite, sequence, flags, replaced };
                self.past_count += u64::from(self.past.insert(&row, index.store_mut())?);
                None
            }
        };
        if let Some(active) = after {
            active.call.iter().for_each(|call| index.add(room, call));
            self.active.insert(change.call_id.clone(), active);
        }
        Ok(())
    }

    /// The active calls, by ID.
    pub(crate) fn active(&self) -> impl Iterator<Item = &Call> {
        self.active.values().filter_map(|active| active.call.as_ref())
    }

    /// The active call with this ID, with the place of its invite.
    pub(crate) fn get(&self, call: &CallId) -> Option<(&Call, RowKey)> {
        let active = self.active.get(call)?;
        Some((active.call.as_ref()?, active.invite))
    }

    pub(crate) fn past<'a>(&'a self, store: &'a BlockStore) -> TimelineReader<'a> {
        self.past.reader(store)
    }

    pub(crate) fn past_count(&self) -> u64 {
        self.past_count
    }

    pub(super) fn blocks_mut(&mut self) -> impl Iterator<Item = &mut BlockRef> {
        self.past.blocks_mut()
    }
}
