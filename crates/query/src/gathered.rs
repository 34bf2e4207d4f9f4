//! Reads of single commits, gathered: what is asked for at once is read at once.
//!
//! A page of events has fields that each need another commit: the last edit, what is answered, what was replaced. Their
//! resolvers run side by side and each asks for its own. The first one to ask lets the others come before it reads.
//!
//! **Invariant:** whoever asks waits for others only as long as they are ready to run now, never for a timer.
//! **Invariant:** a read that fails for one does not fail for the others: each then reads for itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Weak},
};

use parking_lot::Mutex;
use rookery_log::{EventLog, PAGE_MAX, Position, ReadError, Record};
use tokio::sync::OnceCell;

/// Reads that are about to begin.
#[derive(Default)]
pub(crate) struct Gathered {
    open: Mutex<Weak<Gathering>>,
}

/// One read for many. None wait for it once it has begun, but those who came before.
#[derive(Default)]
struct Gathering {
    wanted: Mutex<Wanted>,
    read: OnceCell<Option<BTreeMap<Position, Arc<Record>>>>,
}

#[derive(Default)]
struct Wanted {
    positions: BTreeSet<Position>,
    begun: bool,
}

impl Gathered {
    /// The records at these positions, in the order asked for, leaving out those beyond the tail.
    ///
    /// # Errors
    /// [`ReadError`] if the log cannot be read.
    pub(crate) async fn get(
        &self,
        log: &dyn EventLog,
        positions: &[Position],
    ) -> Result<Vec<Arc<Record>>, ReadError> {
        let gathering = self.join(positions);
        let read = gathering.read.get_or_init(|| gathering.begin(log)).await;
        match read {
            Some(records) => {
                Ok(positions.iter().filter_map(|at| records.get(at).cloned()).collect())
            }
            None => log.get(positions).await,
        }
    }

    /// The read that is about to begin, which takes these positions along.
    fn join(&self, positions: &[Position]) -> Arc<Gathering> {
        let mut open = self.open.lock();
        if let Some(gathering) = open.upgrade() {
            let mut wanted = gathering.wanted.lock();
            if !wanted.begun && wanted.positions.len() + positions.len() <= PAGE_MAX {
                wanted.positions.extend(positions);
                drop(wanted);
                return gathering;
            }
        }
        let gathering = Arc::new(Gathering::default());
        gathering.wanted.lock().positions.extend(positions);
        *open = Arc::downgrade(&gathering);
        gathering
    }
}

impl Gathering {
    async fn begin(&self, log: &dyn EventLog) -> Option<BTreeMap<Position, Arc<Record>>> {
        tokio::task::yield_now().await;
        let positions: Vec<_> = {
            let mut wanted = self.wanted.lock();
            wanted.begun = true;
            wanted.positions.iter().copied().collect()
        };
        let records = log.get(&positions).await.ok()?;
        Some(records.into_iter().map(|record| (record.position, record)).collect())
    }
}
