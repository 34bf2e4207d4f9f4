//! Mutations about consumers.
//!
//! **Invariant:** each is stored when it answers, and repeating it changes nothing.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use rookery_delivery::{
    AcknowledgeError, AttachError, BatchPlace, ChangeError, ConsumerRecord, NamedBatch,
    NoSuchConsumer, ParkError,
};
use rookery_schema::{
    context::{App, app, session},
    types::{
        errors::{
            fault::Fault,
            refusal::{Refusal, RefusalCode},
        },
        events::event::one_event,
        users::consumers::{PlaceInput, consumer_key, consumers_unavailable},
        values::scalars::{EventIdScalar, PositionScalar},
    },
};

use rookery_schema::types::users::consumers::batch_id;

/// Longest reason for which an event is set aside, in bytes.
const PARK_REASON_BYTES_MAX: usize = 1_024;

/// The batches that you have worked off.
#[derive(InputObject)]
pub(crate) struct AcknowledgeInput {
    /// The name of the consumer.
    name: String,
    /// The `position` of the last batch that you have worked off, with all batches before it.
    position: PositionScalar,
    /// The `batch` of that batch. It is needed for a batch of an event that `retryParked` lets come again, and keeps a
    /// batch from before a reset from settling a later one.
    batch: Option<ID>,
}

/// The result of `acknowledge`.
#[derive(SimpleObject)]
pub(crate) struct AcknowledgePayload {
    /// Everything up to here is acknowledged. Null if it was refused.
    position: Option<PositionScalar>,
    /// Why it was refused. Null if it was not.
    refusal: Option<Refusal>,
}

/// The consumer to reset.
#[derive(InputObject)]
pub(crate) struct ResetConsumerInput {
    /// The name of the consumer.
    name: String,
    /// Where it begins again.
    to: PlaceInput,
}

/// The result of `resetConsumer`.
#[derive(SimpleObject)]
pub(crate) struct ResetConsumerPayload {
    /// The position after which it begins. Null if it was refused.
    position: Option<PositionScalar>,
    /// Why it was refused. Null if it was not.
    refusal: Option<Refusal>,
}

/// The consumer to delete.
#[derive(InputObject)]
pub(crate) struct DeleteConsumerInput {
    /// The name of the consumer.
    name: String,
}

/// The result of `deleteConsumer`.
#[derive(SimpleObject)]
pub(crate) struct DeleteConsumerPayload {
    /// The name of the consumer, which no longer exists. Null if it was refused.
    name: Option<String>,
    /// Why it was refused. Null if it was not.
    refusal: Option<Refusal>,
}

/// The event to set aside.
#[derive(InputObject)]
pub(crate) struct ParkInput {
    /// The name of the consumer.
    name: String,
    /// The event, of a batch that is not acknowledged.
    event_id: EventIdScalar,
    /// Why, in at most 1,024 bytes: for the people who look after the program.
    reason: String,
}

/// The result of `park`.
#[derive(SimpleObject)]
pub(crate) struct ParkPayload {
    /// The event, which comes in no batch. Null if it was refused.
    event_id: Option<EventIdScalar>,
    /// Why it was refused. Null if it was not.
    refusal: Option<Refusal>,
}

/// The event to let come again.
#[derive(InputObject)]
pub(crate) struct RetryParkedInput {
    /// The name of the consumer.
    name: String,
    /// The parked event.
    event_id: EventIdScalar,
}

/// The result of `retryParked`.
#[derive(SimpleObject)]
pub(crate) struct RetryParkedPayload {
    /// The event, which comes in a batch of its own. Null if it was refused.
    event_id: Option<EventIdScalar>,
    /// Why it was refused. Null if it was not.
    refusal: Option<Refusal>,
}

/// The event to forget.
#[derive(InputObject)]
pub(crate) struct DiscardParkedInput {
    /// The name of the consumer.
    name: String,
    /// The parked event.
    event_id: EventIdScalar,
}

/// The result of `discardParked`.
#[derive(SimpleObject)]
pub(crate) struct DiscardParkedPayload {
    /// The event, which does not come again. Null if it was refused.
    event_id: Option<EventIdScalar>,
    /// Why it was refused. Null if it was not.
    refusal: Option<Refusal>,
}

/// Mutations about consumers.
#[derive(Default)]
pub(crate) struct ConsumerMutation;

#[Object]
impl ConsumerMutation {
    /// Acknowledges the batches of a consumer up to a position, for good: they do not come again. It is
    /// stored when it answers. A position that was acknowledged before changes nothing; one at which no
    /// outstanding batch ends is refused with `POSITION_NOT_DELIVERED`.
    async fn acknowledge(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The batches that you have worked off.")] input: AcknowledgeInput,
    ) -> Result<AcknowledgePayload> {
        let (app, session) = (app(context), session(context));
        let key = consumer_key(session.viewer()?, &input.name)?;
        let position = app.position(&input.position)?;
        let (of, batch) = (Arc::clone(app), input.batch);
        let named = move |record: &ConsumerRecord| named_batch(&of, record, batch.as_ref());
        let acknowledged = app.consumers.acknowledge(&key, position, named, session.received).await;
        let refusal = match acknowledged {
            Ok(record) => {
                return Ok(AcknowledgePayload { position: Some(at(app, &record)), refusal: None });
            }
            Err(error @ AcknowledgeError::NotDelivered) => {
                Refusal::of(RefusalCode::PositionNotDelivered, error.to_string())
            }
            Err(AcknowledgeError::Change(ChangeError::NoSuchConsumer(_))) => no_such_consumer(),
            Err(AcknowledgeError::Change(ChangeError::Fault(fault))) => {
                return Err(consumers_unavailable(&fault).into());
            }
        };
        let refusal = Some(refusal.in_input_of(context));
        Ok(AcknowledgePayload { position: None, refusal })
    }

    /// Sets one event of an outstanding batch aside, for a reason, and lets the consumer go on without it.
    /// It comes in no batch, until `retryParked`. It is stored when it answers.
    async fn park(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The event to set aside.")] input: ParkInput,
    ) -> Result<ParkPayload> {
        let (app, session) = (app(context), session(context));
        let key = consumer_key(session.viewer()?, &input.name)?;
        let refused = |refusal: Refusal| {
            let refusal = Some(refusal.in_input_of(context));
            Ok(ParkPayload { event_id: None, refusal })
        };
        if input.reason.len() > PARK_REASON_BYTES_MAX {
            let message =
                format!("`reason` has more than {PARK_REASON_BYTES_MAX} bytes: shorten it");
            return refused(Refusal::of(RefusalCode::TooLarge, message));
        }
        let found = one_event(context, &input.event_id.0, &session.viewpoint()?).await?;
        let Some((_, event)) = found else {
            let message = "there is no such event, or you may not see it".into();
            return refused(Refusal::of(RefusalCode::NoSuchEvent, message));
        };
        let at = (input.event_id.0.clone(), event.committed.position);
        let parked = app.consumers.park(&key, at, input.reason, session.received).await;
        match parked.err().map(refusal_of).transpose()? {
            None => Ok(ParkPayload { event_id: Some(input.event_id), refusal: None }),
            Some(refusal) => refused(refusal),
        }
    }

    /// Lets a parked event come again, in a batch of its own: acknowledge it with its `batch`. It stays
    /// parked if its program parks it again.
    async fn retry_parked(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The event to let come again.")] input: RetryParkedInput,
    ) -> Result<RetryParkedPayload> {
        let key = consumer_key(session(context).viewer()?, &input.name)?;
        let retried = app(context).consumers.retry_parked(&key, input.event_id.0.clone()).await;
        Ok(match retried.err().map(refusal_of).transpose()? {
            None => RetryParkedPayload { event_id: Some(input.event_id), refusal: None },
            Some(refusal) => {
                let refusal = Some(refusal.in_input_of(context));
                RetryParkedPayload { event_id: None, refusal }
            }
        })
    }

    /// Forgets a parked event: it does not come again, unless the consumer is reset.
    async fn discard_parked(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The event to forget.")] input: DiscardParkedInput,
    ) -> Result<DiscardParkedPayload> {
        let key = consumer_key(session(context).viewer()?, &input.name)?;
        let gone = app(context).consumers.discard_parked(&key, input.event_id.0.clone()).await;
        Ok(match gone.err().map(refusal_of).transpose()? {
            None => DiscardParkedPayload { event_id: Some(input.event_id), refusal: None },
            Some(refusal) => {
                let refusal = Some(refusal.in_input_of(context));
                DiscardParkedPayload { event_id: None, refusal }
            }
        })
    }

    /// Lets a consumer begin again at another place. Its outstanding batches are forgotten, and the
    /// batches from there on are new ones. Redacted content does not come back; the redaction does.
    async fn reset_consumer(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The consumer to reset.")] input: ResetConsumerInput,
    ) -> Result<ResetConsumerPayload> {
        let app = app(context);
        let key = consumer_key(session(context).viewer()?, &input.name)?;
        match app.consumers.reset(&key, input.to.place(app)?).await {
            Ok(Some(record)) => {
                Ok(ResetConsumerPayload { position: Some(at(app, &record)), refusal: None })
            }
            Ok(None) => {
                let refusal = Some(no_such_consumer().in_input_of(context));
                Ok(ResetConsumerPayload { position: None, refusal })
            }
            Err(AttachError::Fault(fault)) => Err(consumers_unavailable(&fault).into()),
            Err(error) => Err(Fault::unavailable(&error.to_string()).into()),
        }
    }

    /// Deletes a consumer. Its connection ends with the error `CONSUMER_DELETED`.
    async fn delete_consumer(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The consumer to delete.")] input: DeleteConsumerInput,
    ) -> Result<DeleteConsumerPayload> {
        let key = consumer_key(session(context).viewer()?, &input.name)?;
        let existed = app(context).consumers.delete(&key).await;
        if existed.map_err(|fault| consumers_unavailable(&fault))? {
            return Ok(DeleteConsumerPayload { name: Some(key.name), refusal: None });
        }
        let refusal = Some(no_such_consumer().in_input_of(context));
        Ok(DeleteConsumerPayload { name: None, refusal })
    }
}

fn at(app: &App, record: &ConsumerRecord) -> PositionScalar {
    app.token(record.position)
}

fn no_such_consumer() -> Refusal {
    Refusal::of(RefusalCode::NoSuchConsumer, NoSuchConsumer.to_string())
}

/// The outstanding batch with this ID.
fn named_batch(app: &App, record: &ConsumerRecord, batch: Option<&ID>) -> NamedBatch {
    let Some(batch) = batch else { return NamedBatch::Unnamed };
    let is_it = |place: &BatchPlace| batch_id(app, record.incarnation, place) == batch.as_str();
    let named = record.places().map(|(place, _)| place).find(is_it);
    named.map_or(NamedBatch::Gone, NamedBatch::At)
}

fn refusal_of(error: ParkError) -> Result<Refusal, Fault> {
    let message = error.to_string();
    let code = match error {
        ParkError::NotDelivered => RefusalCode::EventNotDelivered,
        ParkError::NotParked => RefusalCode::NoSuchEvent,
        ParkError::TooMany { .. } => RefusalCode::TooManyParked,
        ParkError::Change(ChangeError::NoSuchConsumer(_)) => RefusalCode::NoSuchConsumer,
        ParkError::Change(ChangeError::Fault(fault)) => return Err(consumers_unavailable(&fault)),
    };
    Ok(Refusal::of(code, message))
}
