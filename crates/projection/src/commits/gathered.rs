//! Combines simultaneous reads of single commits into one read.
//!
//! A page of events has fields that each need another commit: the last edit, the answered event,
//! the replaced state. Their resolvers run side by side, and each asks for its own commit. Each
//! yields to the others before it starts the read; the first one starts it for all.
//!
//! **Invariant:** the read runs in a task of its own, and any caller starts it. A caller that is
//! not polled delays none of the others.
//! **Invariant:** a caller waits for others only while they are ready to run, never for a timer.
//! **Invariant:** a failed read is repeated by each caller for itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Weak},
};

use parking_lot::Mutex;
use rookery_log::{EventLog, PAGE_MAX, Position, ReadError, Record};
use rookery_work::Job;

/// Reads that have not started yet.
#[derive(Default)]
pub(crate) struct Gathered {
    open: Mutex<Weak<Gathering>>,
}

/// One read for several callers. Callers that come after its start do not wait for it.
#[derive(Default)]
struct Gathering {
    state: Mutex<State>,
}

/// The records that were read, by position. `None` if the read failed.
type Found = Option<Arc<BTreeMap<Position, Arc<Record>>>>;

#[derive(Default)]
struct State {
    wanted: BTreeSet<Position>,
    /// Set once the read has started.
    read: Option<Arc<Job<Found>>>,
}

impl Gathered {
    /// The records at these positions, in the order of the request, without those beyond the tail.
    ///
    /// # Errors
    /// [`ReadError`] if the log cannot be read.
    pub(crate) async fn get(
        &self,
        log: &Arc<dyn EventLog>,
        positions: &[Position],
    ) -> Result<Vec<Arc<Record>>, ReadError> {
        let gathering = self.join(positions);
        tokio::task::yield_now().await;
        let read = gathering.read(log);
        match read.result().await.flatten() {
            Some(records) => {
                Ok(positions.iter().filter_map(|at| records.get(at).cloned()).collect())
            }
            None => log.get(positions).await,
        }
    }

    /// The next read, which includes these positions.
    fn join(&self, positions: &[Position]) -> Arc<Gathering> {
        let mut open = self.open.lock();
        if let Some(gathering) = open.upgrade() {
            let mut state = gathering.state.lock();
            if state.read.is_none() && state.wanted.len() + positions.len() <= PAGE_MAX {
                state.wanted.extend(positions);
                drop(state);
                return gathering;
            }
        }
        let gathering = Arc::new(Gathering::default());
        gathering.state.lock().wanted.extend(positions);
        *open = Arc::downgrade(&gathering);
        gathering
    }
}

impl Gathering {
    /// The read, which starts now if it has not.
    fn read(&self, log: &Arc<dyn EventLog>) -> Arc<Job<Found>> {
        let mut state = self.state.lock();
        let State { wanted, read } = &mut *state;
        let begin = || {
            let positions: Vec<_> = std::mem::take(wanted).into_iter().collect();
            let log = Arc::clone(log);
            // Records in memory are there after the first step, which does not wait.
            Job::begin(async move {
                let records = log.get(&positions).await.ok()?;
                Some(Arc::new(records.into_iter().map(|it| (it.position, it)).collect()))
            })
        };
        Arc::clone(read.get_or_insert_with(begin))
    }
}
