//! Durable consumers: programs that name themselves, get what concerns their owner in batches, and
//! acknowledge each batch once it has been worked off.
//!
//! **Invariant:** the boundaries of a batch are durable before it is sent, and never change. So a
//! batch that comes again is the same batch.
//! **Invariant:** an acknowledgement is durable before it is answered. A consumer goes back only by
//! a reset.
//! **Invariant:** a consumer has one connection. The record changes only for that connection and
//! for commands, one change after the other, so an older connection cannot send a new batch.

mod attachment;
mod changes;
mod error;
mod live;
mod parked;
mod past;
mod port;
mod record;

pub use self::{
    attachment::{Attachment, ConsumerState, Detached},
    error::{
        AcknowledgeError, AttachError, ChangeError, ConsumerFault, NoSuchConsumer, ParkError,
        SendError,
    },
    live::{Consumers, ListedConsumer},
    parked::{PARKED_MAX, ParkedEvent, ParkedFate},
    past::ConsumerPlace,
    port::{ConsumerKey, ConsumerOwner, ConsumerStore, CreateError},
    record::{BatchPlace, ConsumerRecord, OUTSTANDING_MAX, OutstandingBatch},
};
