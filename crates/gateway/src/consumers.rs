//! The records of consumers, in the file of accounts.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use rookery_accounts::{
    Accounts, BatchRow, ConsumerError, ConsumerRow, Millis, ParkedFate as StoredFate, ParkedRow,
};
use rookery_delivery::{
    ConsumerFault, ConsumerKey, ConsumerOwner, ConsumerRecord, ConsumerStore, Consumers,
    CreateError, Feeds, OutstandingBatch, ParkedEvent, ParkedFate,
};
use rookery_domain::{EventId, OwnedEventId, OwnedUserId};
use rookery_log::{Epoch, Position};

/// Most consumers of a user.
const USER_CONSUMERS_MAX: usize = 5;

/// The consumers in the file of `accounts`. Batches that were not acknowledged for as long as `silence`
/// come again.
#[must_use]
pub fn consumers(feeds: Feeds, accounts: Accounts, silence: Duration) -> Consumers {
    Consumers::new(feeds, Arc::new(Stored(accounts)), silence)
}

struct Stored(Accounts);

impl Stored {
    /// The key of a row; `None` if the owner has no account here.
    fn key(&self, key: &ConsumerKey) -> Option<rookery_accounts::ConsumerKey> {
        let owner = self.owner(&key.owner)?;
        Some(rookery_accounts::ConsumerKey { owner, name: key.name.clone() })
    }

    fn owner(&self, owner: &ConsumerOwner) -> Option<String> {
        let ConsumerOwner::User(user) = owner;
        self.0.consumer_owner(user.as_str())
    }

    /// The key of a stored row; `None` if this version does not know its kind of owner.
    fn stored_key(&self, key: rookery_accounts::ConsumerKey) -> Option<ConsumerKey> {
        let user = OwnedUserId::try_from(self.0.user_of_owner(&key.owner)?).ok()?;
        Some(ConsumerKey { owner: ConsumerOwner::User(user), name: key.name })
    }
}

#[async_trait]
impl ConsumerStore for Stored {
    fn load(&self, key: &ConsumerKey) -> Result<Option<ConsumerRecord>, ConsumerFault> {
        let Some(stored) = self.key(key) else { return Ok(None) };
        let Some(row) = self.0.consumer(&stored).map_err(fault)? else { return Ok(None) };
        let parked = self.parked(key, None, usize::MAX)?.into_iter().collect();
        Ok(Some(ConsumerRecord { parked, ..record_of(row) }))
    }

    fn parked(
        &self,
        key: &ConsumerKey,
        after: Option<&EventId>,
        limit: usize,
    ) -> Result<Vec<(OwnedEventId, ParkedEvent)>, ConsumerFault> {
        let Some(key) = self.key(key) else { return Ok(Vec::new()) };
        let rows = self.0.parked(&key, after.map(EventId::as_str), limit).map_err(fault)?;
        let shown = |(event, row)| Some((OwnedEventId::try_from(event).ok()?, parked_of(row)));
        Ok(rows.into_iter().filter_map(shown).collect())
    }

    fn list(
        &self,
        owner: Option<&ConsumerOwner>,
        after: Option<&ConsumerKey>,
        limit: usize,
    ) -> Result<Vec<(ConsumerKey, ConsumerRecord)>, ConsumerFault> {
        let of = owner.map(|owner| self.owner(owner).ok_or_else(no_account)).transpose()?;
        let after = match after.map(|after| self.key(after)) {
            // A client wrote the cursor itself.
            Some(None) => return Ok(Vec::new()),
            after => after.flatten(),
        };
        let rows = self.0.consumers(of.as_deref(), after.as_ref(), limit).map_err(fault)?;
        let shown = |(key, row)| Some((self.stored_key(key)?, record_of(row)));
        Ok(rows.into_iter().filter_map(shown).collect())
    }

    async fn create(
        &self,
        key: &ConsumerKey,
        record: ConsumerRecord,
    ) -> Result<ConsumerRecord, CreateError> {
        let key = self.key(key).ok_or(CreateError::NoOwner)?;
        let made = self.0.create_consumer(key, row_of(&record), USER_CONSUMERS_MAX).await;
        made.map(record_of).map_err(|error| match error {
            ConsumerError::TooMany { max } => CreateError::TooMany { max },
            ConsumerError::NoOwner => CreateError::NoOwner,
            ConsumerError::Unavailable(unavailable) => CreateError::Fault(fault(unavailable)),
        })
    }

    async fn save(
        &self,
        key: &ConsumerKey,
        before: &ConsumerRecord,
        after: &ConsumerRecord,
    ) -> Result<bool, ConsumerFault> {
        let Some(key) = self.key(key) else { return Ok(false) };
        let gone = before.parked.keys().filter(|event| !after.parked.contains_key(*event));
        let gone = gone.map(|event| (event.to_string(), None));
        let changed =
            after.parked.iter().filter(|(event, it)| before.parked.get(*event) != Some(*it));
        let changed = changed.map(|(event, it)| (event.to_string(), Some(parked_row(it))));
        let parked = gone.chain(changed).collect();
        self.0.save_consumer(key, row_of(after), parked).await.map_err(fault)
    }

    async fn delete(&self, key: &ConsumerKey) -> Result<bool, ConsumerFault> {
        let Some(key) = self.key(key) else { return Ok(false) };
        self.0.delete_consumer(key).await.map_err(fault)
    }
}

fn fault(unavailable: rookery_accounts::Unavailable) -> ConsumerFault {
    ConsumerFault { reason: unavailable.reason }
}

fn no_account() -> ConsumerFault {
    ConsumerFault { reason: "the owner of the consumers has no account".into() }
}

fn record_of(row: ConsumerRow) -> ConsumerRecord {
    let batch = |batch: BatchRow| OutstandingBatch {
        end: Position(batch.end),
        first_sent: rookery_log::Millis(batch.first_sent.0),
        deliveries: batch.deliveries,
        retried: batch.retried.and_then(|event| event.try_into().ok()),
    };
    ConsumerRecord {
        created: rookery_log::Millis(row.created.0),
        incarnation: row.incarnation,
        epoch: Epoch(row.epoch),
        position: Position(row.position),
        acknowledged: row.acknowledged.map(|at| rookery_log::Millis(at.0)),
        run: row.run,
        batches: row.batches.into_iter().map(batch).collect(),
        parked: BTreeMap::new(),
    }
}

fn row_of(record: &ConsumerRecord) -> ConsumerRow {
    let batch = |batch: &OutstandingBatch| BatchRow {
        end: batch.end.0,
        first_sent: Millis(batch.first_sent.0),
        deliveries: batch.deliveries,
        retried: batch.retried.as_ref().map(ToString::to_string),
    };
    ConsumerRow {
        created: Millis(record.created.0),
        incarnation: record.incarnation,
        epoch: record.epoch.0,
        position: record.position.0,
        acknowledged: record.acknowledged.map(|at| Millis(at.0)),
        run: record.run,
        batches: record.batches.iter().map(batch).collect(),
    }
}

fn parked_of(row: ParkedRow) -> ParkedEvent {
    let fate = match row.fate {
        StoredFate::Waits => ParkedFate::Waits,
        StoredFate::Retried => ParkedFate::Retried,
        StoredFate::Settled => ParkedFate::Settled,
    };
    let since = rookery_log::Millis(row.since.0);
    ParkedEvent { reason: row.reason, since, position: Position(row.position), fate }
}

fn parked_row(parked: &ParkedEvent) -> ParkedRow {
    let fate = match parked.fate {
        ParkedFate::Waits => StoredFate::Waits,
        ParkedFate::Retried => StoredFate::Retried,
        ParkedFate::Settled => StoredFate::Settled,
    };
    let (reason, since) = (parked.reason.clone(), Millis(parked.since.0));
    ParkedRow { reason, since, position: parked.position.0, fate }
}
