//! Refusals and faults of consumers.

use crate::FollowError;

/// The records of consumers cannot be read or stored now. Retry later.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the records of consumers are unavailable: {reason}")]
pub struct ConsumerFault {
    /// The cause, for operators.
    pub reason: String,
}

/// There is no such consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no consumer of this name: `consume` makes one")]
pub struct NoSuchConsumer;

/// A change of a consumer failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// Consume first.
    #[error(transparent)]
    NoSuchConsumer(#[from] NoSuchConsumer),
    /// Retry later.
    #[error(transparent)]
    Fault(#[from] ConsumerFault),
}

/// A connection was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttachError {
    /// Delete a consumer.
    #[error("you have {max} consumers already: delete one with `deleteConsumer`")]
    TooMany {
        /// Most consumers of an owner.
        max: usize,
    },
    /// The owner does not exist, or not any more.
    #[error("the owner of the consumer does not exist")]
    NoOwner,
    /// The log cannot be read. Retry later.
    #[error(transparent)]
    Log(#[from] FollowError),
    /// Retry later.
    #[error(transparent)]
    Fault(#[from] ConsumerFault),
}

/// An acknowledgement was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AcknowledgeError {
    /// Acknowledge the `position` of a batch that was sent.
    #[error(
        "no outstanding batch of this consumer ends at this position: acknowledge the `position` of a batch that came"
    )]
    NotDelivered,
    /// The consumer was not changed.
    #[error(transparent)]
    Change(#[from] ChangeError),
}

impl From<NoSuchConsumer> for AcknowledgeError {
    fn from(error: NoSuchConsumer) -> Self {
        Self::Change(error.into())
    }
}

impl From<ConsumerFault> for AcknowledgeError {
    fn from(error: ConsumerFault) -> Self {
        Self::Change(error.into())
    }
}

/// A parked event was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParkError {
    /// Park events of a batch that came and is not acknowledged.
    #[error(
        "the event is in no outstanding batch of this consumer: park it before you acknowledge its batch"
    )]
    NotDelivered,
    /// Look at the list of parked events.
    #[error("the event is not parked")]
    NotParked,
    /// Retry or discard some.
    #[error(
        "{max} events are parked already: use `retryParked` or `discardParked` for some of them"
    )]
    TooMany {
        /// Most parked events of a consumer.
        max: usize,
    },
    /// The consumer was not changed.
    #[error(transparent)]
    Change(#[from] ChangeError),
}

impl From<NoSuchConsumer> for ParkError {
    fn from(error: NoSuchConsumer) -> Self {
        Self::Change(error.into())
    }
}

impl From<ConsumerFault> for ParkError {
    fn from(error: ConsumerFault) -> Self {
        Self::Change(error.into())
    }
}

/// A batch may not be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The consumer was reset, or another batch was acknowledged: look at its record again.
    #[error("the consumer is at another place by now")]
    Moved,
    /// Another connection has the consumer, or the consumer was deleted.
    #[error("the connection has lost its consumer")]
    Detached,
    /// Retry later.
    #[error(transparent)]
    Fault(#[from] ConsumerFault),
}

impl From<NoSuchConsumer> for SendError {
    fn from(_gone: NoSuchConsumer) -> Self {
        Self::Detached
    }
}
