//! The port to the durable records of consumers.

use async_trait::async_trait;
use rookery_domain::{EventId, OwnedEventId, OwnedUserId};

use super::{ConsumerFault, ConsumerRecord, ParkedEvent};

/// The owner of a consumer: its events are those that the owner may see.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ConsumerOwner {
    /// A user of this server.
    User(OwnedUserId),
}

/// The owner of a consumer, and its name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConsumerKey {
    /// The owner.
    pub owner: ConsumerOwner,
    /// The name, which the owner chose.
    pub name: String,
}

/// A consumer was not stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CreateError {
    /// The owner has this many consumers, and may not have more.
    TooMany {
        /// Most consumers of an owner.
        max: usize,
    },
    /// The owner does not exist, or not any more.
    NoOwner,
    /// The store failed.
    Fault(ConsumerFault),
}

/// Stores the records of consumers.
///
/// 1. A change is durable when the call answers.
/// 2. Calls for one consumer come one after the other.
/// 3. A fault says nothing about the outcome: the caller loads the record again before it goes on.
/// 4. A consumer whose owner was deactivated does not exist.
/// 5. Every call may fail with a fault.
#[async_trait]
pub trait ConsumerStore: Send + Sync {
    /// The record with this key, with its parked events.
    ///
    /// # Errors
    /// [`ConsumerFault`].
    fn load(&self, key: &ConsumerKey) -> Result<Option<ConsumerRecord>, ConsumerFault>;

    /// Up to `limit` parked events of a consumer after the event `after`, by ID.
    ///
    /// # Errors
    /// [`ConsumerFault`].
    fn parked(
        &self,
        key: &ConsumerKey,
        after: Option<&EventId>,
        limit: usize,
    ) -> Result<Vec<(OwnedEventId, ParkedEvent)>, ConsumerFault>;

    /// Up to `limit` records after the one with the key `after`, by owner and name, without their
    /// parked events; only those of `owner`, if that is given.
    ///
    /// # Errors
    /// [`ConsumerFault`].
    fn list(
        &self,
        owner: Option<&ConsumerOwner>,
        after: Option<&ConsumerKey>,
        limit: usize,
    ) -> Result<Vec<(ConsumerKey, ConsumerRecord)>, ConsumerFault>;

    /// Stores a new record, and returns it with an incarnation of its own. If the key has a record
    /// already, returns that one.
    ///
    /// # Errors
    /// [`CreateError`].
    async fn create(
        &self,
        key: &ConsumerKey,
        record: ConsumerRecord,
    ) -> Result<ConsumerRecord, CreateError>;

    /// Replaces the record `before` with `after`, in one step with its parked events. Returns whether
    /// it exists: otherwise nothing was changed.
    ///
    /// # Errors
    /// [`ConsumerFault`].
    async fn save(
        &self,
        key: &ConsumerKey,
        before: &ConsumerRecord,
        after: &ConsumerRecord,
    ) -> Result<bool, ConsumerFault>;

    /// Deletes a record with its parked events. Returns whether it existed.
    ///
    /// # Errors
    /// [`ConsumerFault`].
    async fn delete(&self, key: &ConsumerKey) -> Result<bool, ConsumerFault>;
}
