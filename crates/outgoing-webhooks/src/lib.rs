//! Outgoing webhooks: batches of the events that a user may see, sent to an address that the user wrote.
//!
//! Each webhook has a durable consumer. Its batches are sent as JSON, signed as the Standard Webhooks specification
//! says, one at a time and in order.
//!
//! **Invariant:** a batch that was not acknowledged comes again with the same ID and the same body, also after a crash.
//! Only a redaction changes a body.
//! **Invariant:** requests go through the guarded client. Of an answer, the owner sees its status alone.
//! **Invariant:** the record of a webhook is read before each request, so nothing is sent for one that was deleted.

mod batch;
mod hooks;
mod running;
mod signature;
#[cfg(test)]
mod tests;
mod worker;

pub use self::hooks::{OutgoingParts, OutgoingWebhooks, UrlError};
