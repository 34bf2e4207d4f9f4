//! The items of one batch, as they are read.
//!
//! **Invariant:** items that were read and not sent stay here, whatever the stream waits for.

use std::sync::Arc;

use rookery_delivery::{BatchEnd, COMMITS_PASSED_MAX, ConsumerRecord, Delivery, FollowError};
use rookery_domain::{Filter, OwnedUserId};
use rookery_graphql_edge::Untaken;
use rookery_log::Position;
use rookery_schema::{context::App, types::errors::fault::Fault};

use super::chunk::{ConsumerChunk, Sent};
use crate::schema::subscription::{
    draft::Drafted,
    reader::{Piece, Reader, fault},
    skipped::SkipReason,
    space::ChunkSpace,
};

/// The events of a consumer: those that its owner may see and its filter wants.
pub(super) struct Source {
    pub(super) user: OwnedUserId,
    pub(super) filter: Arc<Filter>,
    pub(super) untaken: Untaken,
}

/// A batch with as many items is made at once, whatever other consumers of its owner do.
pub(super) const LIVE_ITEMS: usize = 16;

/// A batch in the making.
pub(super) struct Gathering {
    pub(super) reader: Reader,
    pub(super) begin: Position,
    items: Vec<Drafted>,
    max: usize,
    space: ChunkSpace,
}

impl Gathering {
    /// A new batch of at most `max` items, and those of its last commit.
    pub(super) fn new(app: &Arc<App>, source: &Source, begin: Position, max: usize) -> Self {
        let mut gathering = Self::between(app, source, begin);
        (gathering.max, gathering.space) = (max, ChunkSpace::of(max));
        gathering
    }

    /// A batch whose end is known.
    pub(super) fn between(app: &Arc<App>, source: &Source, begin: Position) -> Self {
        let subscription = app.feeds.subscribe_after(&source.user, begin);
        let of = (&source.user, &source.filter, &source.untaken);
        let reader = Reader::of_consumer(app, subscription, of);
        let (items, space) = (Vec::new(), ChunkSpace::boundless());
        Self { reader, begin, items, max: usize::MAX, space }
    }

    /// Whether making the batch takes long.
    pub(super) fn is_long(&self) -> bool {
        self.items.len() > LIVE_ITEMS
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// How the batch is known again if it ends at `end`.
    pub(super) fn end(&self, end: Position) -> BatchEnd {
        self.space.end(end)
    }

    /// Whether the batch ends here. One without items ends after some thousand commits, so that a cut does not let the
    /// consumer read all of them again.
    pub(super) fn is_full(&self) -> bool {
        let passed = self.reader.position().0.saturating_sub(self.begin.0);
        let has_passed_much = self.items.is_empty() && passed >= COMMITS_PASSED_MAX;
        has_passed_much || self.space.is_full(&self.reader.skips)
    }

    /// Takes a live commit.
    pub(super) async fn take(&mut self, delivery: &Delivery) -> Result<(), Fault> {
        let items = self.reader.items(delivery).await?;
        self.space.take(&items, &delivery.committed);
        self.items.extend(items);
        Ok(())
    }

    /// Reads a piece of the missing commits. Call it only in turn.
    pub(super) async fn read(&mut self) -> Result<Piece<()>, Fault> {
        let page = self.reader.subscription.piece().await;
        self.take_page(page).await
    }

    /// The same up to `end`.
    pub(super) async fn read_to(&mut self, end: Position) -> Result<Piece<()>, Fault> {
        let page = self.reader.subscription.piece_to(end).await;
        self.take_page(page).await
    }

    async fn take_page(
        &mut self,
        page: Result<Option<rookery_delivery::CommitPage>, FollowError>,
    ) -> Result<Piece<()>, Fault> {
        let page = match page {
            Ok(Some(page)) => page,
            Ok(None) => return Ok(Piece::End),
            Err(FollowError::Closed) => return Ok(Piece::Over),
            Err(error) => return Err(fault(&error)),
        };
        let items = self.reader.page(page, &mut self.space).await?;
        self.items.extend(items);
        Ok(Piece::Told(()))
    }

    /// The chunk of the batch, which ends at `end`, without the events that were set aside. The next
    /// batch begins there.
    pub(super) fn chunk(
        &mut self,
        app: &App,
        sent: Sent,
        (record, end): (&ConsumerRecord, Position),
    ) -> ConsumerChunk {
        let mut items = std::mem::take(&mut self.items);
        items.retain(|item| !self.leave_out(item, record));
        let items = items.iter().filter_map(|item| still_clean(app, item).made()).collect();
        let skipped = self.reader.skips.take();
        (self.begin, self.space) = (end, ChunkSpace::of(self.max));
        ConsumerChunk::of(app, sent, (items, skipped), end)
    }

    /// Whether the item is an event that was set aside: then it counts as skipped.
    fn leave_out(&mut self, item: &Drafted, record: &ConsumerRecord) -> bool {
        let Drafted::Event { committed, index, .. } = item else { return false };
        let Some(event) = committed.room_event(*index) else { return false };
        if !record.leaves_out(&event.pdu.event_id) {
            return false;
        }
        let (room, sequence) = (event.pdu.room_id.clone(), committed.sequence(*index));
        self.reader.skips.note(room, sequence, SkipReason::Parked);
        true
    }
}

/// The item without content that was redacted since it was read.
fn still_clean(app: &App, item: &Drafted) -> Drafted {
    match item {
        Drafted::Event { committed, index, late } => {
            let committed = app.feeds.still_clean_one(committed);
            Drafted::Event { committed, index: *index, late: *late }
        }
        Drafted::Receipt { .. } | Drafted::Made(_) => item.clone(),
    }
}
