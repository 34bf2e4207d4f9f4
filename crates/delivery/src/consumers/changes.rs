//! Changes of consumers, one after the other, each durable before it is answered, unless it follows from the log.
//!
//! **Invariant:** a change runs in a task of its own, to its end, whatever becomes of its caller.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use rookery_domain::{EventId, OwnedEventId};
use rookery_log::{Millis, Position};

use super::{
    AcknowledgeError, AttachError, ChangeError, ConsumerFault, ConsumerKey, ConsumerPlace,
    ConsumerRecord, Consumers, CreateError, NamedBatch, NoSuchConsumer, ParkError, ParkedEvent,
    ParkedFate,
    attachment::{Arrival, Attachment},
    live::{Held, Live},
};

/// A batch that was sent this often is reported to operators.
pub(super) const DELIVERIES_REPORTED: u32 = 10;

/// How long a record may be ahead of the stored one. Most programs acknowledge before, and then both changes are one
/// transaction.
const STORED_WITHIN: Duration = Duration::from_secs(1);

/// When a change is stored.
#[derive(Clone, Copy)]
enum When {
    Now,
    Soon,
}

impl Consumers {
    /// The next connection has arrived.
    #[must_use]
    pub fn arrive(&self) -> Arrival {
        Arrival(self.shared.arrivals.fetch_add(1, Relaxed) + 1)
    }

    /// Prepares the connection that has `arrived` to a consumer, and makes the consumer if it does not exist: then it
    /// begins at `place`. [`Attachment::take_over`] is the next step.
    ///
    /// # Errors
    /// [`AttachError`].
    pub async fn attach(
        &self,
        key: &ConsumerKey,
        place: ConsumerPlace,
        (arrived, now): (Arrival, Millis),
    ) -> Result<Attachment, AttachError> {
        let (consumers, live) = (self.clone(), self.live(key));
        let work = async move {
            consumers.ensure(&live, place, now).await?;
            Ok(Attachment::new(consumers, live, arrived.0))
        };
        in_a_task(work).await.unwrap_or_else(|| Err(interrupted().into()))
    }

    /// Acknowledges everything up to `position`, or the batch of a parked event. `named` finds the batch that the
    /// acknowledgement names in the record. Returns the changed record.
    ///
    /// # Errors
    /// [`AcknowledgeError`].
    pub async fn acknowledge(
        &self,
        key: &ConsumerKey,
        position: Position,
        named: impl FnOnce(&ConsumerRecord) -> NamedBatch + Send + 'static,
        now: Millis,
    ) -> Result<ConsumerRecord, AcknowledgeError> {
        let change = move |record: &mut ConsumerRecord| {
            let named = named(record);
            record.acknowledge(position, &named, now)
        };
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
            // If this fails, the record is loaded again, with what was sent.
            held.record = None;
            let existed = consumers.shared.store.delete(&live.key).await?;
            held.is_ahead = false;
            live.state.send_modify(|state| state.record = None);
            Ok(existed)
        };
        in_a_task(work).await.unwrap_or_else(|| Err(interrupted()))
    }

    /// Changes the record of a consumer, unless `change` refuses. Returns the changed one, which is stored.
    pub(super) async fn change<E>(
        &self,
        live: Arc<Live>,
        change: impl FnOnce(&mut ConsumerRecord) -> Result<(), E> + Send + 'static,
    ) -> Result<ConsumerRecord, E>
    where
        E: From<NoSuchConsumer> + From<ConsumerFault> + Send + 'static,
    {
        self.change_with(live, When::Now, change).await
    }

    /// The same, and the record is stored a moment later. For changes that follow from the log.
    pub(super) async fn change_soon<E>(
        &self,
        live: Arc<Live>,
        change: impl FnOnce(&mut ConsumerRecord) -> Result<(), E> + Send + 'static,
    ) -> Result<ConsumerRecord, E>
    where
        E: From<NoSuchConsumer> + From<ConsumerFault> + Send + 'static,
    {
        self.change_with(live, When::Soon, change).await
    }

    #[expect(clippy::await_holding_invalid_type, reason = "it is in a task of its own")]
    async fn change_with<E>(
        &self,
        live: Arc<Live>,
        when: When,
        change: impl FnOnce(&mut ConsumerRecord) -> Result<(), E> + Send + 'static,
    ) -> Result<ConsumerRecord, E>
    where
        E: From<NoSuchConsumer> + From<ConsumerFault> + Send + 'static,
    {
        let consumers = self.clone();
        let work = async move {
            let mut held = live.record.lock().await;
            // Until the end of the change nobody trusts the record in memory.
            let before = consumers.take(&live, &mut held).await?.ok_or(NoSuchConsumer)?;
            let mut after = before.clone();
            if let Err(refused) = change(&mut after) {
                held.record = Some(before);
                return Err(refused);
            }
            match when {
                _ if after == before => {}
                When::Soon => {
                    held.is_ahead = true;
                    if !std::mem::replace(&mut held.is_watched, true) {
                        tokio::spawn(consumers.clone().store_soon(Arc::clone(&live)));
                    }
                }
                When::Now => {
                    if !consumers.save(&live.key, &before, &mut after).await? {
                        live.state.send_modify(|state| state.record = None);
                        return Err(NoSuchConsumer.into());
                    }
                    held.is_ahead = false;
                }
            }
            live.tell(&after);
            held.record = Some(after.clone());
            Ok(after)
        };
        in_a_task(work).await.unwrap_or_else(|| Err(interrupted().into()))
    }

    /// Stores a record that is ahead of the stored one, unless another change does so before.
    #[expect(clippy::await_holding_invalid_type, reason = "it is in a task of its own")]
    async fn store_soon(self, live: Arc<Live>) {
        loop {
            tokio::time::sleep(STORED_WITHIN).await;
            let mut held = live.record.lock().await;
            let ahead = if held.is_ahead { held.record.take() } else { None };
            let Some(mut record) = ahead else {
                held.is_watched = false;
                return;
            };
            let before = record.clone();
            match self.save(&live.key, &before, &mut record).await {
                Ok(true) => (held.record, held.is_ahead) = (Some(record), false),
                Ok(false) => {
                    held.is_ahead = false;
                    live.state.send_modify(|state| state.record = None);
                }
                // It is loaded again, with what was sent.
                Err(_fault) => {}
            }
        }
    }

    /// Takes the record out of memory, or loads it.
    async fn take(
        &self,
        live: &Live,
        held: &mut Held,
    ) -> Result<Option<ConsumerRecord>, ConsumerFault> {
        if let Some(record) = held.record.take() {
            return Ok(Some(record));
        }
        if std::mem::take(&mut held.is_ahead) {
            // The stored record lacks what was sent.
            self.shared.run.begin_another();
        }
        let loaded = self.load(&live.key).await?;
        // After a fault the connection knows another record, and would offer changes of that one for ever.
        live.state.send_modify(|state| state.record = loaded.clone().map(Arc::new));
        Ok(loaded)
    }

    /// Makes the consumer if it does not exist, and has its record in memory.
    #[expect(clippy::await_holding_invalid_type, reason = "it is in a task of its own")]
    async fn ensure(
        &self,
        live: &Live,
        place: ConsumerPlace,
        now: Millis,
    ) -> Result<(), AttachError> {
        let mut held = live.record.lock().await;
        let known = self.take(live, &mut held).await?;
        let record = if let Some(known) = known {
            self.of_this_log(live, known).await?
        } else {
            let position = self.find(place).await?;
            let mut new = ConsumerRecord::new(self.epoch(), position, now);
            new.run = self.shared.run.now();
            self.shared.store.create(&live.key, new).await?
        };
        live.tell(&record);
        held.record = Some(record);
        Ok(())
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
        if !self.save(&live.key, &before, &mut record).await? {
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
