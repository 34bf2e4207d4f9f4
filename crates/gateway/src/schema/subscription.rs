//! The event stream: everything that concerns one user, in the order of the log.

mod calls;
pub(crate) mod consume;
mod counts;
mod draft;
mod elsewhere;
pub(crate) mod ephemeral;
mod items;
mod reader;
mod signals;
mod skipped;
mod space;

use async_graphql::{Context, Object, Result, Subscription};
use futures_util::{Stream, StreamExt as _, stream};
use rookery_graphql_edge::Budget;
use rookery_schema::{
    context::{app, session},
    marks::{SharedBy, shared},
    types::{
        errors::fault::Fault,
        filter::{FilterBy, chosen},
        users::consumers::PlaceInput,
        values::{
            list::{Items, List},
            scalars::PositionScalar,
        },
    },
};

use self::{
    consume::ConsumerChunk,
    counts::CountsChanged,
    items::{ListedItem, StreamItem},
};
pub(crate) use self::{
    draft::{Draft, Drafted},
    reader::{Piece, Reader, Step, in_turn, poll},
    skipped::SkippedEvents,
};
use crate::{
    schema::subscription::ephemeral::EphemeralItem,
    sharing::{Handed, Opening},
};

/// The events between two positions that concern you.
pub(crate) struct EventChunk {
    items: Vec<StreamItem>,
    skipped: Vec<SkippedEvents>,
    ephemeral: Vec<EphemeralItem>,
    counts: Vec<CountsChanged>,
    position: PositionScalar,
}

#[cfg(test)]
impl EventChunk {
    /// An empty chunk.
    pub(crate) fn empty() -> Self {
        let (items, skipped) = (Vec::new(), Vec::new());
        let (ephemeral, counts) = (Vec::new(), Vec::new());
        let token = rookery_log::SealedPosition::from_bytes([0; 8], [0; 8]);
        Self { items, skipped, ephemeral, counts, position: PositionScalar(token) }
    }
}

/// The events between two positions that concern you.
#[Object]
impl EventChunk {
    /// The events, in order. The list may be empty.
    async fn events(&self) -> List<ListedItem<'_>> {
        ListedItem::list(&self.items)
    }

    /// The events of your rooms that `events` leaves out, with the reasons. Together, the sequence
    /// numbers of a room are 1, 2, 3 ... without a gap while you are in it.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn skipped(&self) -> Items<'_, SkippedEvents> {
        Items(&self.skipped)
    }

    /// Typing, presence and signals of calls as of now: the changes since the previous chunk. The
    /// first one has the whole state. Nobody types in a room that it does not name, and a user who shares a room with
    /// you and is not named is offline (if more than 500 users are online, some are left out). A
    /// chunk may have nothing else.
    async fn ephemeral(&self) -> Items<'_, EphemeralItem> {
        Items(&self.ephemeral)
    }

    /// Your unread counts in rooms where they changed, as of now: at most four times a second for each
    /// room, and always after the last change. A stream that resumes may repeat some. A chunk may have
    /// nothing else.
    async fn counts(&self) -> Items<'_, CountsChanged> {
        Items(&self.counts)
    }

    /// Resume from here.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn position(&self) -> &PositionScalar {
        &self.position
    }
}

/// Subscriptions.
pub struct Subscription;

/// The subscriptions of clients.
#[Subscription]
impl Subscription {
    /// Everything that concerns you and your rooms, after `after`: first the events that you
    /// missed, then live ones, without gap or repeat. Without `after`, a chunk without events comes
    /// at once: resume from its position. Such a chunk also comes about every 30 seconds without
    /// other events, if the position has moved.
    async fn event_stream(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The position after which to start; from now on by default.")]
        after: Option<PositionScalar>,
        #[graphql(
            desc = "The filter for events. Openings, closings, invites and your calls always come."
        )]
        filter: Option<FilterBy>,
    ) -> Result<impl Stream<Item = Result<EventChunk>> + use<>> {
        // A shared execution receives its chunks from outside.
        if let Some(handed) = context.data_opt::<Handed>() {
            return Ok(handed.chunks().map(|chunk| chunk.map_err(Into::into)).boxed());
        }
        // Memberships are folded from `after` on, so the models have to be there first.
        app(context).fresh(session(context), after.as_ref()).await?;
        let filter = chosen(context, filter).await?;
        let reader = Reader::open(context, after.as_ref(), filter)?.looking_back().await?;
        if let Some(opening) = context.data_opt::<Opening>() {
            opening.put(session(context).clone(), reader);
            return Ok(stream::empty().boxed());
        }
        let budget = context.data_opt::<Budget>().cloned();
        let state = (Box::new(reader), budget);
        let chunks = stream::try_unfold(state, |(reader, budget)| async move {
            // Each chunk is an answer of its own.
            if let Some(budget) = &budget {
                if let Some(exhausted) = budget.exhausted() {
                    return Err(Fault::exhausted(&exhausted).into());
                }
                budget.renew();
            }
            let next = reader.next_chunk().await?;
            Ok(next.map(|(chunk, reader)| (chunk, (reader, budget))))
        });
        Ok(chunks.boxed())
    }

    /// The batches of your consumer `name`, which continues where its acknowledgements ended. Batches
    /// that were not acknowledged come first, unchanged. Two batches at most are outstanding:
    /// acknowledge the first for a third. They come again after a minute without an acknowledgement.
    /// A consumer that does not exist is made; you may have five. If another connection consumes under
    /// this name, it ends with the error `CONSUMER_TAKEN_OVER`.
    async fn consume(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The name: 1 to 64 letters, digits, `.`, `_` and `-`.")] name: String,
        #[graphql(
            desc = "The filter for events, as on `eventStream`. It may change: the boundaries of outstanding batches do not."
        )]
        filter: Option<FilterBy>,
        #[graphql(desc = "A batch ends after this many events, from 1 to 256; 100 by default.")]
        max: Option<i32>,
        #[graphql(desc = "Where a new consumer begins; at the end of the log by default.")]
        from: Option<PlaceInput>,
    ) -> Result<impl Stream<Item = Result<ConsumerChunk>> + use<>> {
        consume::open(context, &name, (filter, max, from)).await
    }
}
