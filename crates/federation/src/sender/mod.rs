//! Sends the events of this server to the other servers of their rooms.
//!
//! One task reads the log from a durable position, and queues each event for the servers that were in its room. Each
//! server has a task of its own, which sends one transaction at a time, in the order of the log.
//!
//! **Invariant:** a transaction is stored before it is sent, and is sent again as it is until it is taken, also after a
//! restart. Only content that was redacted since is left out.
//! **Invariant:** the position moves only past events that are stored, delivered, or superseded in their room. It is
//! stored seldom if nothing else changes; events that are routed again after a kill are skipped by the cursors.
//! **Invariant:** memory is bounded: a server with [`PENDING_MAX`](link::PENDING_MAX) waiting events gets only the last
//! event of each room later, and asks for the rest.

mod audience;
mod link;
mod outbox;
mod routing;
mod states;
mod status;
mod transaction;
mod worker;

pub(crate) use self::routing::Sender;
pub use self::status::DestinationStatus;
#[cfg(test)]
pub(crate) use self::{link::PENDING_MAX, routing::STORED_EVERY, worker::MESSAGES_TIME_MAX};
