//! Changes of consumers, one after the other, each durable before it is answered.
//!
//! **Invariant:** a change runs in a task of its own, to its end, whatever becomes of its caller.

use std::sync::Arc;

use rookery_domain::{EventId, OwnedEventId};
use rookery_log::{Millis, Position};

use super::{
    AcknowledgeError, AttachError, BatchPlace, ChangeError, ConsumerFault, ConsumerKey,
    ConsumerPlace, ConsumerRecord, Consumers, CreateError, NoSuchConsumer, ParkError, ParkedEvent,
    ParkedFate, attachment::Attachment, live::Live,
};

/// A batch that was sent this often is reported to operators.
pub(super) const DELIVERIES_REPORTED: u32 = 10;

impl Consumers {
    /// Connects to a consumer, and makes it if it does not exist: then it begins at `place`. The
    /// connection that had it loses it.
    ///
    /// # Errors
    /// [`AttachError`].
    pub async fn attach(
        &self,
        key: &ConsumerKey,
        place: ConsumerPlace,
        now: Millis,
    ) -> Result<Attachment, AttachError> {
        let (consumers, live) = (self.clone(), self.live(key));
        let work = async move {
            let connection = consumers.ensure(&live, place, now).await?;
            Ok(Attachment::new(consumers, live, connection))
        };
        in_a_task(work).await.unwrap_or_else(|| Err(interrupted().into()))
    }

    /// Acknowledges everything up to `position`, or the batch of a parked event at `place`. Returns the
    /// record.
    ///
    /// # Errors
    /// [`AcknowledgeError`].
    pub async fn acknowledge(
        &self,
        key: &ConsumerKey,
        (position, place): (Position, Option<BatchPlace>),
        now: Millis,
    ) -> Result<ConsumerRecord, AcknowledgeError> {
        let change =
            move |record: &mut ConsumerRecord| record.acknowledge(position, place.as_ref(), now);
        self.change(self.live(key), change).await
    }

    /// The record of a consumer.
    ///
    /// # Errors
    /// [`ChangeError`].
    pub async fn record(&self, key: &ConsumerKey) -> Result<ConsumerRecord, ChangeError> {
        self.change(self.live(key), |_| Ok(())).await
    }

    /// Sets the event of a commit at `position` aside, for a reason. It comes in no batch from then on.
    ///
    /// # Errors
    /// [`ParkError`].
    pub async fn park(
        &self,
        key: &ConsumerKey,
        (event, position): (OwnedEventId, Position),
        reason: String,
        now: Millis,
    ) -> Result<(), ParkError> {
        let parked = ParkedEvent { reason, since: now, position, fate: ParkedFate::Waits };
        let change = move |record: &mut ConsumerRecord| record.park(&event, parked);
        self.change(self.live(key), change).await.map(drop)
    }

    /// Lets a parked event come again, in a batch of its own.
    ///
    /// # Errors
    /// [`ParkError`].
    pub async fn retry_parked(
        &self,
        key: &ConsumerKey,
        event: OwnedEventId,
    ) -> Result<(), ParkError> {
        let change = move |record: &mut ConsumerRecord| record.retry(&event);
        self.change(self.live(key), change).await.map(drop)
    }

    /// Forgets a parked event: it does not come again.
    ///
    /// # Errors
    /// [`ParkError`].
    pub async fn discard_parked(
        &self,
        key: &ConsumerKey,
        event: OwnedEventId,
    ) -> Result<(), ParkError> {
        let change = move |record: &mut ConsumerRecord| record.discard(&event);
        self.change(self.live(key), change).await.map(drop)
    }

    /// Up to `limit` parked events of a consumer after the event `after`, by ID, without settled ones.
    ///
    /// # Errors
    /// [`ConsumerFault`].
    pub fn parked(
        &self,
        key: &ConsumerKey,
        after: Option<&EventId>,
        limit: usize,
    ) -> Result<Vec<(OwnedEventId, ParkedEvent)>, ConsumerFault> {
        // There are at most as many as one read has.
        let mut parked = self.shared.store.parked(key, after, usize::MAX)?;
        parked.retain(|(_, parked)| parked.fate != ParkedFate::Settled);
        parked.truncate(limit);
        Ok(parked)
    }

    /// Begins again at `place`: outstanding batches are forgotten. Returns the record.
    ///
    /// # Errors
    /// [`AttachError`] without the refusals of a new consumer; `None` if there is no such consumer.
    pub async fn reset(
        &self,
        key: &ConsumerKey,
        place: ConsumerPlace,
    ) -> Result<Option<ConsumerRecord>, AttachError> {
        let position = self.find(place).await?;
        let epoch = self.epoch();
        let changed = self
            .change(self.live(key), move |record| {
                record.reset(epoch, position);
                Ok::<_, ChangeError>(())
            })
            .await;
        match changed {
            Ok(record) => Ok(Some(record)),
            Err(ChangeError::NoSuchConsumer(_)) => Ok(None),
            Err(ChangeError::Fault(fault)) => Err(fault.into()),
        }
    }

    /// Deletes a consumer. Its connection ends. Returns whether it existed.
    ///
    /// # Errors
    /// [`ConsumerFault`].
    #[expect(clippy::await_holding_invalid_type, reason = "it is in a task of its own")]
    pub async fn delete(&self, key: &ConsumerKey) -> Result<bool, ConsumerFault> {
        let (consumers, live) = (self.clone(), self.live(key));
        let work = async move {
            let mut held = live.record.lock().await;
            *held = None;
            let existed = consumers.shared.store.delete(&live.key).await?;
            live.state.send_modify(|state| state.record = None);
            Ok(existed)
        };
        in_a_task(work).await.unwrap_or_else(|| Err(interrupted()))
    }

    /// Changes the record of a consumer, unless `change` refuses. Returns the changed one.
    #[expect(clippy::await_holding_invalid_type, reason = "it is in a task of its own")]
    pub(super) async fn change<E>(
        &self,
        live: Arc<Live>,
        change: impl FnOnce(&mut ConsumerRecord) -> Result<(), E> + Send + 'static,
    ) -> Result<ConsumerRecord, E>
    where
        E: From<NoSuchConsumer> + From<ConsumerFault> + Send + 'static,
    {
        let consumers = self.clone();
        let work = async move {
            let mut held = live.record.lock().await;
            // Until the end of the change nobody trusts the record in memory.
            let before = match held.take() {
                Some(record) => record,
                None => consumers.shared.store.load(&live.key)?.ok_or(NoSuchConsumer)?,
            };
            let mut after = before.clone();
            if let Err(refused) = change(&mut after) {
                *held = Some(before);
                return Err(refused);
            }
            let is_changed = after != before;
            if is_changed && !consumers.shared.store.save(&live.key, &before, &after).await? {
                live.state.send_modify(|state| state.record = None);
                return Err(NoSuchConsumer.into());
            }
            live.tell(&after);
            *held = Some(after.clone());
            Ok(after)
        };
        in_a_task(work).await.unwrap_or_else(|| Err(interrupted().into()))
    }

    /// Gives the consumer, which is made if it does not exist, to a new connection. Returns the number
    /// of the connection.
    #[expect(clippy::await_holding_invalid_type, reason = "it is in a task of its own")]
    async fn ensure(
        &self,
        live: &Live,
        place: ConsumerPlace,
        now: Millis,
    ) -> Result<u64, AttachError> {
        let mut held = live.record.lock().await;
        let known = match held.take() {
            Some(record) => Some(record),
            None => self.shared.store.load(&live.key)?,
        };
        let record = if let Some(known) = known {
            self.of_this_log(live, known).await?
        } else {
            let position = self.find(place).await?;
            let new = ConsumerRecord::new(self.epoch(), position, now);
            self.shared.store.create(&live.key, new).await?
        };
        let mut connection = 0;
        live.state.send_modify(|state| {
            state.connection += 1;
            state.is_connected = true;
            connection = state.connection;
        });
        live.tell(&record);
        *held = Some(record);
        Ok(connection)
    }

    /// The record, if it is of the history of this log. After a restored backup it is reset to the
    /// end of the common history.
    async fn of_this_log(
        &self,
        live: &Live,
        mut record: ConsumerRecord,
    ) -> Result<ConsumerRecord, AttachError> {
        let (epoch, end) = (self.epoch(), self.end_of_log());
        let is_known = record.epoch == epoch && record.next_begin() <= end;
        if is_known {
            return Ok(record);
        }
        let common = self.common_history(record.epoch).await?;
        let position = record.position.min(common);
        let before = record.clone();
        tracing::warn!(
            name = live.key.name,
            "a consumer was ahead of the log, which was restored: it continues where both agree"
        );
        record.reset(epoch, position);
        if !self.shared.store.save(&live.key, &before, &record).await? {
            return Err(AttachError::NoOwner);
        }
        Ok(record)
    }
}

impl Live {
    /// Tells the connection of a new record.
    fn tell(&self, record: &ConsumerRecord) {
        self.state.send_modify(|state| state.record = Some(Arc::new(record.clone())));
    }
}

impl From<CreateError> for AttachError {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::TooMany { max } => Self::TooMany { max },
            CreateError::NoOwner => Self::NoOwner,
            CreateError::Fault(fault) => Self::Fault(fault),
        }
    }
}

/// Runs `work` to its end, whether or not the caller waits for it. `None` if it panicked.
async fn in_a_task<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Option<T> {
    tokio::spawn(work).await.ok()
}

fn interrupted() -> ConsumerFault {
    ConsumerFault { reason: "a change of a consumer was interrupted".into() }
}
