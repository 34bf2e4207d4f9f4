//! Answers of a connection that are made and that it has not taken.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Answers of one connection that are computed at a time, or wait to be taken: those of queries, and chunks that are read
/// from the log for a subscription. Work that began goes on while its client does not read, so this bounds what piles up.
const UNTAKEN_MAX: usize = 8;

/// The places of a connection for answers that are made ahead. It is in the data of each request of a subscription.
///
/// **Invariant:** only operations of one connection wait for its places, so a client that does not read delays nobody else.
#[derive(Clone, Debug)]
pub struct Untaken(Arc<Semaphore>);

/// A place for an answer. It is free again when this is dropped, once the connection has taken the answer.
#[derive(Debug)]
pub struct UntakenPlace {
    _place: Option<OwnedSemaphorePermit>,
}

impl Default for Untaken {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(UNTAKEN_MAX)))
    }
}

impl Untaken {
    /// Waits for a place.
    pub async fn place(&self) -> UntakenPlace {
        UntakenPlace { _place: Arc::clone(&self.0).acquire_owned().await.ok() }
    }
}
