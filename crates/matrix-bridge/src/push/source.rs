//! The port to the durable position of a bridge.

use async_trait::async_trait;
use serde_json::Value;

/// Events that a bridge gets together.
#[derive(Clone, Debug, PartialEq)]
pub struct Transaction {
    /// Its ID: the same for the same events, and never one of an earlier transaction with other events.
    pub id: String,
    /// The events, in the form of the client-server API.
    pub events: Vec<Value>,
}

/// Why there is no transaction.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The service was removed, or another worker pushes to it.
    #[error("nothing is pushed to this service any more")]
    Over,
    /// The log or the accounts cannot be read or written.
    #[error("{0}")]
    Unavailable(String),
}

/// The transactions of one bridge: a client of its durable consumer.
#[async_trait]
pub trait Source: Send {
    /// The first transaction that is not acknowledged. It waits until there is one, and may then be called again: it
    /// returns the same transaction until [`Self::acknowledge`] is called.
    ///
    /// # Errors
    /// [`SourceError`]; after [`SourceError::Unavailable`] the call may be repeated.
    async fn current(&mut self) -> Result<Transaction, SourceError>;

    /// Records that the bridge has the current transaction. It is durable when this returns.
    ///
    /// # Errors
    /// As [`Self::current`].
    async fn acknowledge(&mut self) -> Result<(), SourceError>;

    /// Records that a try failed, for operators.
    async fn failed(&mut self, reason: &str);
}
