//! Durable consumers: programs that name themselves, get what concerns their owner in batches, and
//! acknowledge each batch once it has been worked off.
//!
//! **Invariant:** the boundaries of a batch follow from the log, or are durable before it is sent. They
//! never change. So a batch that comes again is the same batch.
//! **Invariant:** an acknowledgement is durable before it is answered. A consumer goes back only by
//! a reset.
//! **Invariant:** a consumer has one connection. The record changes only for that connection and
//! for commands, one change after the other, so an older connection cannot send a new batch.

mod attachment;
mod changes;
mod error;
mod implied;
mod live;
mod parked;
mod past;
mod port;
mod pushed;
mod record;
mod turns;

#[cfg(test)]
pub(crate) use self::attachment::is_reported;
pub use self::{
    attachment::{Arrival, Attachment, ConsumerState, Detached},
    error::{
        AcknowledgeError, AttachError, ChangeError, ConsumerFault, NoSuchConsumer, ParkError,
        SendError,
    },
    implied::{BatchCommits, BatchEnd},
    live::{Consumers, ListedConsumer},
    parked::{PARKED_MAX, ParkedEvent, ParkedFate},
    past::ConsumerPlace,
    port::{ConsumerKey, ConsumerOwner, ConsumerStore, CreateError},
    pushed::{COMMITS_PASSED_MAX, PushError, PushedBatch, PushedConsumer, PushedEvent},
    record::{BatchPlace, ConsumerRecord, NamedBatch, OUTSTANDING_MAX, OutstandingBatch},
    turns::ConsumerTurn,
};
