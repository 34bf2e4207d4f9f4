//! Turns of the consumers of one owner: their long batches are made one after the other.
//!
//! **Invariant:** an owner who reads everything with all of their consumers has one long batch in the making. So the
//! requests of another user compete with one of them, not with all.
//! **Invariant:** a turn keeps nobody waiting but other consumers of its owner.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::ConsumerOwner;

/// The turn of a consumer to make a batch. It ends when it is dropped.
#[derive(Debug)]
pub struct ConsumerTurn {
    _permit: Option<OwnedSemaphorePermit>,
}

/// The turns of all owners with a connection.
#[derive(Default)]
pub(super) struct OwnerTurns(Mutex<HashMap<ConsumerOwner, Weak<Semaphore>>>);

/// The turns of an owner.
#[derive(Clone)]
pub(super) struct OwnTurns(Arc<Semaphore>);

impl OwnerTurns {
    pub(super) fn of(&self, owner: &ConsumerOwner) -> OwnTurns {
        let mut all = self.0.lock();
        if let Some(own) = all.get(owner).and_then(Weak::upgrade) {
            return OwnTurns(own);
        }
        if all.len() == all.capacity() {
            all.retain(|_, own| own.strong_count() > 0);
        }
        let own = Arc::new(Semaphore::new(1));
        all.insert(owner.clone(), Arc::downgrade(&own));
        OwnTurns(own)
    }
}

impl OwnTurns {
    pub(super) async fn next(&self) -> ConsumerTurn {
        // Nobody closes the semaphore.
        let permit = Arc::clone(&self.0).acquire_owned().await.ok();
        ConsumerTurn { _permit: permit }
    }
}
