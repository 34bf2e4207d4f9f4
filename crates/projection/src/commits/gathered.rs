//! Reads of single commits, gathered: what is asked for at once is read at once.
//!
//! A page of events has fields that each need another commit: the last edit, what is answered, what was replaced. Their
//! resolvers run side by side and each asks for its own. Each lets the others come before it looks on; the first to look
//! has all of it read.
//!
//! **Invariant:** the read runs in a task of its own, and any of those who asked begins it: one that is not polled delays
//! none of the others.
//! **Invariant:** whoever asks waits for others only as long as they are ready to run now, never for a timer.
//! **Invariant:** a read that fails for one does not fail for the others: each then reads for itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Weak},
};

use parking_lot::Mutex;
use rookery_log::{EventLog, PAGE_MAX, Position, ReadError, Record};
use rookery_work::Job;

/// Reads that are about to begin.
#[derive(Default)]
pub(crate) struct Gathered {
    open: Mutex<Weak<Gathering>>,
}

/// One read for many. None wait for it once it has begun, but those who came before.
#[derive(Default)]
struct Gathering {
    state: Mutex<State>,
}

/// The records that were read, by position. `None` if the read failed.
type Found = Option<Arc<BTreeMap<Position, Arc<Record>>>>;

#[derive(Default)]
struct State {
    wanted: BTreeSet<Position>,
    /// There once the read has begun.
    read: Option<Arc<Job<Found>>>,
}

impl Gathered {
    /// The records at these positions, in the order asked for, leaving out those beyond the tail.
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

    /// The read that is about to begin, which takes these positions along.
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
    /// The read, which begins now if it has not.
    fn read(&self, log: &Arc<dyn EventLog>) -> Arc<Job<Found>> {
        let mut state = self.state.lock();
        let State { wanted, read } = &mut *state;
        let begin = || {
            let positions: Vec<_> = std::mem::take(wanted).into_iter().collect();
            let log = Arc::clone(log);
            // What is in memory is there after the first step, which waits for nothing.
            Job::begin(async move {
                let records = log.get(&positions).await.ok()?;
                Some(Arc::new(records.into_iter().map(|it| (it.position, it)).collect()))
            })
        };
        Arc::clone(read.get_or_insert_with(begin))
    }
}
