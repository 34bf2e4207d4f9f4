//! One transaction of a server at a time.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use rookery_domain::{OwnedServerName, ServerName};
use tokio::sync::OwnedMutexGuard;

use super::refusal::Refusal;

/// How long a transaction waits for the one before it.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// The servers whose transactions are being received. A server without one takes no memory.
#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<OwnedServerName, Arc<tokio::sync::Mutex<()>>>>);

/// The turn of a server, until this is dropped.
pub(super) struct Turn<'a> {
    turns: &'a Turns,
    origin: OwnedServerName,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Waits until the server has no other transaction under way.
    pub(super) async fn take(&self, origin: &ServerName) -> Result<Turn<'_>, Refusal> {
        let turn = Arc::clone(self.0.lock().entry(origin.to_owned()).or_default());
        let mut taken = Turn { turns: self, origin: origin.to_owned(), guard: None };
        match tokio::time::timeout(WAIT_MAX, turn.lock_owned()).await {
            Ok(guard) => {
                taken.guard = Some(guard);
                Ok(taken)
            }
            Err(_elapsed) => Err(Refusal::limited(Duration::from_secs(1))),
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.guard = None;
        let mut turns = self.turns.0.lock();
        // The map and one waiter hold it; with no waiter, only the map does.
        if turns.get(&self.origin).is_some_and(|turn| Arc::strong_count(turn) == 1) {
            turns.remove(&self.origin);
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_has_one_turn_at_a_time_and_leaves_nothing_behind() {
        let turns = Turns::default();
        let name = |name: &str| OwnedServerName::try_from(name).unwrap();
        let first = turns.take(&name("one.example")).await.unwrap();
        let other = turns.take(&name("two.example")).await.unwrap();
        let server = name("one.example");
        let mut second = std::pin::pin!(turns.take(&server));
        tokio::select! {
            biased;
            _ = &mut second => panic!("two turns of one server"),
            () = std::future::ready(()) => {}
        }
        drop(first);
        let second = second.await.unwrap();
        drop((second, other));
        assert!(turns.0.lock().is_empty());
    }
}
