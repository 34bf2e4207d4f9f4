//! The rows of consumers.

use serde::{Deserialize, Serialize};

use crate::{
    Millis, Unavailable,
    file::{
        format::{Stored, decode_present},
        store::{Bytes, OwnedKey},
    },
};

/// The key of a parked event: that of its consumer, and the ID of the event.
pub(crate) type StoredParkedKey = (&'static str, &'static str, &'static str);

pub(crate) const PARKED: redb::TableDefinition<'_, StoredParkedKey, Bytes> =
    redb::TableDefinition::new("parked");

/// Parts the kind from the rest in the names of consumers that the server makes itself. No user can give such a name.
pub(crate) const KIND_SIGN: char = ':';

/// Consumers, by owner and name.
pub(crate) const CONSUMERS: redb::TableDefinition<'_, OwnedKey, Bytes> =
    redb::TableDefinition::new("consumers");

/// The owner of a consumer, and its name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConsumerKey {
    /// The owner: `@` and the local part of a user. Other kinds of owners begin with another sign.
    pub owner: String,
    /// The name, which the owner chose.
    pub name: String,
}

/// A consumer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsumerRow {
    /// When it was made.
    pub created: Millis,
    /// Drawn at random when it was made, and greater by 1 after each reset.
    pub incarnation: u64,
    /// The epoch of the log that its positions belong to.
    pub epoch: u64,
    /// Everything up to this position of the log was acknowledged.
    pub position: u64,
    /// When its program last acknowledged.
    pub acknowledged: Option<Millis>,
    /// The run of the server that stored it; 0 if an earlier version did.
    pub run: u64,
    /// The batches that were sent and not acknowledged, in order. Each begins where the one before it
    /// ends, and the first at `position`.
    pub batches: Vec<BatchRow>,
}

/// An outstanding batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchRow {
    /// The position of its last commit.
    pub end: u64,
    /// When it was first sent.
    pub first_sent: Millis,
    /// How often it was sent.
    pub deliveries: u32,
    /// The ID of the event, if it is a batch of one parked event that comes again.
    pub retried: Option<String>,
}

/// An event that a consumer has set aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParkedRow {
    /// The reason that its program gave.
    pub reason: String,
    /// When it was set aside.
    pub since: Millis,
    /// The position of its commit.
    pub position: u64,
    /// Whether it waits, comes again or is settled.
    pub fate: ParkedFate,
}

/// The way that a parked event goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParkedFate {
    /// It waits for its owner.
    Waits,
    /// It comes again.
    Retried,
    /// It is settled, and leaves with the batch that it came with.
    Settled,
}

impl Stored for ParkedRow {
    const VERSION: u8 = 1;
    const WHAT: &'static str = "the record of a parked event";
}

/// A consumer in version 1, which did not name the run.
#[derive(Serialize, Deserialize)]
struct ConsumerRow1 {
    created: Millis,
    incarnation: u64,
    epoch: u64,
    position: u64,
    acknowledged: Option<Millis>,
    batches: Vec<BatchRow>,
}

impl Stored for ConsumerRow1 {
    const VERSION: u8 = 1;
    const WHAT: &'static str = ConsumerRow::WHAT;
}

impl Stored for ConsumerRow {
    const VERSION: u8 = 2;
    const WHAT: &'static str = "the record of a consumer";

    fn decode(bytes: &[u8]) -> Result<Self, Unavailable> {
        if bytes.first() != Some(&ConsumerRow1::VERSION) {
            return decode_present(bytes);
        }
        let ConsumerRow1 { created, incarnation, epoch, position, acknowledged, batches } =
            ConsumerRow1::decode(bytes)?;
        Ok(Self { created, incarnation, epoch, position, acknowledged, run: 0, batches })
    }
}
