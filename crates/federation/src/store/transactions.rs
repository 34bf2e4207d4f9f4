//! The answers to transactions of other servers, and the events to pass on.
//!
//! **Invariant:** a transaction that comes again gets its first answer, as long as it is among the last
//! [`TRANSACTIONS_PER_ORIGIN_MAX`] of its origin. Later, its events are known, and its answer follows from that.

use redb::ReadableTable as _;
use rookery_domain::{OwnedEventId, OwnedServerName, ServerName};

use super::{
    Store, StoreError,
    file::{RELAYED, TRANSACTION_ORDER, TRANSACTIONS},
};

/// Most transactions of one origin whose answers are stored.
pub(crate) const TRANSACTIONS_PER_ORIGIN_MAX: u64 = 1_000;

impl Store {
    /// The answer that a transaction got.
    pub(crate) async fn transaction(
        &self,
        origin: &ServerName,
        id: &str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let (origin, id) = (origin.to_owned(), id.to_owned());
        self.read(move |read| {
            let table = read.open_table(TRANSACTIONS)?;
            let row = table.get((origin.as_str(), id.as_str()))?;
            Ok(row.map(|row| row.value().1.to_vec()))
        })
        .await
    }

    /// Stores the answer to a transaction.
    pub(crate) async fn put_transaction(
        &self,
        origin: OwnedServerName,
        id: String,
        answer: Vec<u8>,
    ) -> Result<(), StoreError> {
        self.write(move |write| {
            let mut answers = write.open_table(TRANSACTIONS)?;
            let mut order = write.open_table(TRANSACTION_ORDER)?;
            let origin = origin.as_str();
            let last = order.range((origin, 0)..=(origin, u64::MAX))?.next_back().transpose()?;
            let number = last.map_or(1, |(key, _)| key.value().1 + 1);
            answers.insert((origin, id.as_str()), (number, answer.as_slice()))?;
            order.insert((origin, number), id.as_str())?;
            let Some(oldest) = number.checked_sub(TRANSACTIONS_PER_ORIGIN_MAX) else {
                return Ok(());
            };
            let gone = order.remove((origin, oldest))?.map(|id| id.value().to_owned());
            if let Some(id) = gone {
                let stored = answers.get((origin, id.as_str()))?.map(|row| row.value().0);
                // The same ID may have been stored again since.
                if stored == Some(oldest) {
                    answers.remove((origin, id.as_str()))?;
                }
            }
            Ok(())
        })
        .await
    }

    /// Notes that an event of another server has to be passed on to the other servers of its room.
    pub(crate) async fn relay(
        &self,
        event: OwnedEventId,
        from: OwnedServerName,
    ) -> Result<(), StoreError> {
        self.write(move |write| {
            write.open_table(RELAYED)?.insert(event.as_str(), from.as_str())?;
            Ok(())
        })
        .await
    }

    /// Takes such a note back: the event was refused.
    pub(crate) async fn do_not_relay(&self, event: OwnedEventId) -> Result<(), StoreError> {
        self.write(move |write| {
            write.open_table(RELAYED)?.remove(event.as_str())?;
            Ok(())
        })
        .await
    }

    /// Whether an event of another server has to be passed on.
    pub(crate) async fn is_relayed(&self, event: &OwnedEventId) -> Result<bool, StoreError> {
        let event = event.clone();
        self.read(move |read| Ok(read.open_table(RELAYED)?.get(event.as_str())?.is_some())).await
    }
}
