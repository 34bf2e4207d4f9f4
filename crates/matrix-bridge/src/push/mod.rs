//! The push of transactions to bridges.
//!
//! **Invariant:** a bridge gets one transaction at a time, in order. The next one comes after the answer 200.
//! **Invariant:** each try of a transaction has the same ID and the same body, also after a crash: both follow from
//! the batch, whose boundaries are durable before the first try. Only a redaction changes a body: content that has left
//! the log is sent to nobody.
//! **Invariant:** no transaction is dropped. A bridge that does not answer is only behind.

pub(crate) mod consumer;
pub(crate) mod source;
pub(crate) mod worker;
