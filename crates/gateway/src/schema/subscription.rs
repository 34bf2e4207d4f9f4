//! The event stream: everything that concerns one user, in the order of the log.

mod draft;
pub(crate) mod ephemeral;
mod items;
mod reader;
mod skipped;

use async_graphql::{Context, Object, Result, Subscription};
use futures_util::{Stream, StreamExt as _, stream};
use rookery_graphql_edge::Budget;

use self::items::StreamItem;
pub(crate) use self::{
    draft::{Draft, Drafted},
    items::RoomClosed,
    reader::{Piece, Reader, Step, in_turn, poll},
    skipped::SkippedEvents,
};
use crate::{
    schema::{
        context::{app, session},
        subscription::ephemeral::EphemeralItem,
        types::{
            errors::fault::Fault,
            filter::{FilterInput, chosen},
            values::{list::Items, scalars::PositionScalar},
        },
    },
    sharing::{Handed, Opening, SharedBy, shared},
};

/// What happened between two positions, as far as it is for you.
pub(crate) struct EventChunk {
    items: Vec<StreamItem>,
    skipped: Vec<SkippedEvents>,
    ephemeral: Vec<EphemeralItem>,
    position: PositionScalar,
}

#[cfg(test)]
impl EventChunk {
    /// With nothing in it.
    pub(crate) fn empty() -> Self {
        let (items, skipped, ephemeral) = (Vec::new(), Vec::new(), Vec::new());
        let token = rookery_log::SealedPosition::from_bytes([0; 8], [0; 8]);
        Self { items, skipped, ephemeral, position: PositionScalar(token) }
    }
}

/// What happened between two positions, as far as it is for you.
#[Object]
impl EventChunk {
    /// What happened, in order. It may be empty.
    async fn events(&self) -> Items<'_, StreamItem> {
        Items(&self.items)
    }

    /// Which events of your rooms are left out of `events`, and why. With these, the sequence
    /// numbers of a room are 1, 2, 3 ... without a hole for as long as you are in it.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn skipped(&self) -> Items<'_, SkippedEvents> {
        Items(&self.skipped)
    }

    /// Who types and who is there, as of now: what has changed since the chunk before. The first one
    /// that has any tells all that holds; what it does not name is not so: there nobody types, and
    /// who shares a room with you and is not named is offline (of more than 500 who are there, some
    /// are left out). A chunk may have nothing else.
    async fn ephemeral(&self) -> Items<'_, EphemeralItem> {
        Items(&self.ephemeral)
    }

    /// Resume from here.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn position(&self) -> &PositionScalar {
        &self.position
    }
}

/// Subscriptions.
pub struct Subscription;

/// What you can follow.
#[Subscription]
impl Subscription {
    /// Everything that happens to you and in your rooms, from `after` on: what you missed first,
    /// then what happens, with no gap and no repeat in between. Without `after`, a chunk without
    /// events comes at once: resume from its position. So does one every half a minute or so while
    /// nothing happens to you, if the position has moved.
    async fn event_stream(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "From where to go on; from now on if you say nothing.")] after: Option<
            PositionScalar,
        >,
        #[graphql(desc = "Which events. Openings, closings and invites are always told.")]
        filter: Option<FilterInput>,
        #[graphql(desc = "The same as a stored filter, in place of `filter`.")] filter_id: Option<
            String,
        >,
    ) -> Result<impl Stream<Item = Result<EventChunk>> + use<>> {
        // Executions that are shared are told what to tell.
        if let Some(handed) = context.data_opt::<Handed>() {
            return Ok(handed.chunks().map(|chunk| chunk.map_err(Into::into)).boxed());
        }
        // Memberships are folded from `after` on, so the models have to be there first.
        app(context).fresh(session(context), after.as_ref()).await?;
        let filter = chosen(context, filter, filter_id).await?;
        let reader = Reader::open(context, after.as_ref(), filter)?;
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
}
