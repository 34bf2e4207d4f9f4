//! The timeline of one room.
//!
//! **Invariant:** each event has one row.
//! **Invariant:** rows only refer to the log: content that is erased there is gone from here.

use rookery_log::StreamKind;
use serde::{Deserialize, Serialize};

use super::{
    BlockStore, Flags, RowKey, RowList, TimelineReader, TimelineRow,
    slots::{Resolved, Slots},
    store::BlockRef,
};
use crate::{
    Committed,
    models::{Fold, Folded, Still, StreamKey, Unfit},
};

/// The rows of one room, and the holders of its state.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct RoomTimeline {
    slots: Slots,
    rows: RowList,
    /// The last visible row. An event that arrives before it in the timeline is late.
    last_shown: Option<RowKey>,
    count: u64,
}

impl Fold for RoomTimeline {
    const NAME: &'static str = "timelines";
    const VERSION: u32 = 3;
    const KIND: StreamKind = StreamKind::Room;
    type Shared = BlockStore;

    fn apply(
        &mut self,
        _: StreamKey,
        committed: &Committed,
        store: &mut BlockStore,
    ) -> Result<(), Unfit> {
        for (index, event) in committed.room_events() {
            let key = RowKey::of(&event.pdu, committed.position, index);
            let flags = Flags::of(event);
            // History was asked for, so it is not late.
            let flags = flags.late_if(!flags.is_past() && self.last_shown > Some(key));
            let sequence = committed.sequence(index);
            let mut row = TimelineRow { key, sequence, flags, replaced: None };
            for change in event.state_changes() {
                let holder = change.holder;
                let holder = holder.map(|holder| RowKey::of_holder(&holder, committed, index));
                let before = self.slots.put(&change.kind, change.state_key, holder);
                if holder == Some(key) {
                    row.replaced = before;
                } else {
                    let at = (key.position, key.index);
                    self.slots.note(&change.kind, change.state_key, Resolved { at, before });
                }
            }
            if !row.flags.is_hidden() && !row.flags.is_past() {
                self.last_shown = self.last_shown.max(Some(key));
            }
            let inserted = self.rows.insert(&row, store).map_err(|error| Unfit {
                event_id: Some(event.pdu.event_id.to_string()),
                reason: format!("the file of the timelines failed: {error}"),
            })?;
            self.count += u64::from(inserted);
        }
        Ok(())
    }

    /// The digest covers the rows in the files, and does not depend on the blocks that hold them.
    fn still(folded: &Folded<Self>) -> Still {
        let (rows, parked) = (folded.rows.clone(), folded.parked.clone());
        let store = folded.shared.frozen();
        Still::new(move |digester| {
            for (key, row) in &rows {
                let timeline = &row.value;
                let rows = timeline.reader(&store).after(None, usize::MAX)?;
                let (slots, count) = (timeline.slots(), timeline.count());
                digester.add(&(key, row.applied, row.sequence, slots, count, rows));
            }
            digester.add(&parked);
            Ok(())
        })
    }
}

impl RoomTimeline {
    pub(crate) fn slots(&self) -> &Slots {
        &self.slots
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn blocks_mut(&mut self) -> impl Iterator<Item = &mut BlockRef> {
        self.rows.blocks_mut()
    }

    pub(crate) fn reader<'a>(&'a self, store: &'a BlockStore) -> TimelineReader<'a> {
        self.rows.reader(store)
    }
}
