//! Finished answers that a connection has not taken.

use std::sync::{Arc, OnceLock};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::connection::connections::Connection;

/// How many answers of one connection are computed at a time, or wait to be taken: those of
/// queries, and chunks that a subscription reads from the log. Started work continues while the
/// client does not read, so this bounds the backlog.
const UNTAKEN_MAX: usize = 8;

/// The places of a connection for answers made ahead. It is in the data of each request of a
/// subscription.
///
/// **Invariant:** only operations of one connection wait for its places, so a client that does not
/// read delays nobody else.
#[derive(Clone, Debug)]
pub struct Untaken {
    places: Arc<Semaphore>,
    taker: Taker,
}

/// A place for an answer. It is dropped once the connection has taken the answer.
#[derive(Debug)]
pub struct UntakenPlace {
    _place: Option<OwnedSemaphorePermit>,
}

/// The connection that takes answers, as soon as it is known: a reserved event stream has none
/// before it is opened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taker(Arc<OnceLock<Arc<Connection>>>);

impl Default for Untaken {
    fn default() -> Self {
        Self::of(Taker::default())
    }
}

impl Untaken {
    fn of(taker: Taker) -> Self {
        Self { places: Arc::new(Semaphore::new(UNTAKEN_MAX)), taker }
    }

    /// Places for answers that `connection` takes.
    pub(crate) fn on(connection: Option<&Arc<Connection>>) -> Self {
        let untaken = Self::default();
        untaken.taker.is(connection);
        untaken
    }

    /// The same number of places, for answers that the same connection takes.
    pub(crate) fn beside(&self) -> Self {
        Self::of(self.taker.clone())
    }

    /// The connection that takes the answers.
    pub(crate) fn taker(&self) -> &Taker {
        &self.taker
    }

    /// Waits for a place.
    pub async fn place(&self) -> UntakenPlace {
        UntakenPlace { _place: Arc::clone(&self.places).acquire_owned().await.ok() }
    }
}

impl Taker {
    /// Sets the connection.
    pub(crate) fn is(&self, connection: Option<&Arc<Connection>>) {
        if let Some(connection) = connection {
            // A stream is opened once.
            let _ = self.0.set(Arc::clone(connection));
        }
    }

    /// Closes the connection, because its unread data takes the room of others.
    pub(crate) fn give_way(&self) {
        if let Some(connection) = self.0.get() {
            connection.give_way();
        }
    }
}
