//! Opens the stream of a consumer.

use std::{sync::Arc, time::Instant};

use async_graphql::{Context, Result};
use futures_util::{Stream, StreamExt as _, stream};
use rookery_delivery::{AttachError, ConsumerPlace, Detached};
use rookery_graphql_edge::{Budget, Untaken};
use rookery_schema::{
    context::{STALE_AFTER, app, session},
    types::{
        errors::fault::Fault,
        filter::{FilterBy, chosen},
        users::consumers::{PlaceInput, consumer_key},
    },
};

use super::{ConsumerChunk, Consuming, gathering::Source};
use crate::schema::subscription::{reader::fault, space::CHUNK_ITEMS_MAX};

/// Items of a batch, by default.
const MAX_DEFAULT: usize = 100;

/// The batches of the consumer `name` of the viewer.
pub(in crate::schema::subscription) async fn open(
    context: &Context<'_>,
    name: &str,
    (filter, max, from): (Option<FilterBy>, Option<i32>, Option<PlaceInput>),
) -> Result<impl Stream<Item = Result<ConsumerChunk>> + use<>> {
    let (app, session) = (app(context), session(context));
    let user = session.viewer()?.to_owned();
    let key = consumer_key(&user, name)?;
    let max = batch_size(max)?;
    let place = from.map_or(Ok(ConsumerPlace::Now), |from| from.place(app))?;
    let arrived = app.consumers.arrive();
    app.fresh(session, None).await?;
    let filter = chosen(context, filter).await?.unwrap_or_default();
    let attached = app.consumers.attach(&key, place, (arrived, session.received)).await;
    let mut attachment = attached.map_err(refused)?;
    // A connection that was cut meanwhile does not come here.
    let taken = attachment.take_over().and_then(|()| attachment.record());
    let record = taken.map_err(|detached| match detached {
        Detached::TakenOver => Fault::consumer_taken_over(),
        Detached::Deleted => Fault::consumer_deleted(),
    })?;
    // Memberships are folded from there on, so the models have to be there first.
    let begin = app.models.wait_for(record.next_begin(), STALE_AFTER).await;
    begin.map_err(|_| Fault::stale())?;
    let untaken = context.data_opt::<Untaken>().cloned().unwrap_or_default();
    let now = Instant::now();
    let consuming = Consuming {
        app: Arc::clone(app),
        source: Source { user, filter, untaken },
        attachment,
        max,
        began: (session.received, now),
        incarnation: record.incarnation,
        sent: Vec::new(),
        progress: now,
        gathering: None,
        is_told_caught_up: false,
    };
    let state = (Box::new(consuming), context.data_opt::<Budget>().cloned());
    let chunks = stream::try_unfold(state, |(consuming, budget)| async move {
        // Each chunk is an answer of its own.
        if let Some(budget) = &budget {
            if let Some(exhausted) = budget.exhausted() {
                return Err(Fault::exhausted(&exhausted).into());
            }
            budget.renew();
        }
        let next = consuming.next_chunk().await?;
        let is_long = next.as_ref().is_some_and(|(chunk, _)| chunk.is_long());
        if let Some(budget) = budget.as_ref().filter(|_| is_long) {
            budget.go_to_lane().await;
        }
        Ok(next.map(|(chunk, consuming)| (chunk, (consuming, budget))))
    });
    Ok(chunks.boxed())
}

fn batch_size(max: Option<i32>) -> Result<usize, Fault> {
    let Some(asked) = max else { return Ok(MAX_DEFAULT) };
    let size = usize::try_from(asked).ok().filter(|size| (1..=CHUNK_ITEMS_MAX).contains(size));
    size.ok_or_else(|| {
        Fault::bad_input(format!("`max` is {asked}: use a number from 1 to {CHUNK_ITEMS_MAX}"))
    })
}

fn refused(error: AttachError) -> Fault {
    let message = error.to_string();
    match error {
        AttachError::TooMany { .. } => Fault::too_many_consumers(message),
        AttachError::NoOwner => Fault::unauthenticated(),
        AttachError::Log(error) => fault(&error),
        AttachError::Fault(fault) => Fault::unavailable(&fault.reason),
    }
}
