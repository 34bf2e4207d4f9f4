//! A batch, as the client gets it.

use async_graphql::{ID, Object};
use rookery_delivery::{BatchPlace, ConsumerTurn};
use rookery_log::Position;
use rookery_schema::{
    context::App,
    types::{
        users::consumers::batch_id,
        values::{
            list::{Items, List},
            scalars::PositionScalar,
        },
    },
};

use super::gathering::LIVE_ITEMS;
use crate::schema::subscription::{
    items::{ListedItem, StreamItem},
    skipped::SkippedEvents,
};

/// A batch that is sent now.
pub(super) struct Sent {
    pub(super) incarnation: u64,
    pub(super) place: BatchPlace,
    pub(super) attempt: u32,
    pub(super) caught_up: bool,
    /// For a long batch.
    pub(super) turn: Option<ConsumerTurn>,
}

/// A batch of a consumer.
pub(crate) struct ConsumerChunk {
    items: Vec<StreamItem>,
    skipped: Vec<SkippedEvents>,
    position: PositionScalar,
    batch: Option<String>,
    attempt: u32,
    pub(super) caught_up: bool,
    /// Ends when the answer is made, whether or not the client reads it.
    _turn: Option<ConsumerTurn>,
}

impl ConsumerChunk {
    /// The batch up to `end`.
    pub(super) fn of(
        app: &App,
        sent: Sent,
        (items, skipped): (Vec<StreamItem>, Vec<SkippedEvents>),
        end: Position,
    ) -> Self {
        Self {
            items,
            skipped,
            position: app.token(end),
            batch: Some(batch_id(app, sent.incarnation, &sent.place)),
            attempt: sent.attempt,
            caught_up: sent.caught_up,
            _turn: sent.turn,
        }
    }

    /// Whether executing it takes long.
    pub(super) fn is_long(&self) -> bool {
        self.items.len() > LIVE_ITEMS
    }

    /// No batch: the consumer has everything up to its position.
    pub(super) fn nothing_new(app: &App, position: Position) -> Self {
        let (items, skipped, position) = (Vec::new(), Vec::new(), app.token(position));
        let (batch, attempt, caught_up, turn) = (None, 1, true, None);
        Self { items, skipped, position, batch, attempt, caught_up, _turn: turn }
    }
}

/// A batch of a consumer: events between two positions. It comes again, with the same boundaries and
/// the same ID, until you acknowledge it.
#[Object]
impl ConsumerChunk {
    /// The events, in order, as on `eventStream`. The list may be empty.
    async fn events(&self) -> List<ListedItem<'_>> {
        ListedItem::list(&self.items)
    }

    /// The events of your rooms that `events` leaves out, with the reasons, as on `eventStream`.
    async fn skipped(&self) -> Items<'_, SkippedEvents> {
        Items(&self.skipped)
    }

    /// The end of the batch. Acknowledge it once you have worked the batch off.
    async fn position(&self) -> &PositionScalar {
        &self.position
    }

    /// The ID of the batch. It follows from the place where the batch begins, so a batch that comes
    /// again has the same one. Null if there is no batch: then the chunk only says that you have caught
    /// up.
    async fn batch(&self) -> Option<ID> {
        self.batch.as_ref().map(ID::from)
    }

    /// Whether you have everything that concerned you when the chunk was sent.
    async fn caught_up(&self) -> bool {
        self.caught_up
    }

    /// How often the batch was sent, this time included.
    async fn attempt(&self) -> i32 {
        i32::try_from(self.attempt).unwrap_or(i32::MAX)
    }
}
