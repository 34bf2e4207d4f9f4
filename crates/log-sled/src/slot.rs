//! The place of the open engine, which the writer replaces when it opens the log again.
//!
//! **Invariant:** the engine is closed only while no reader uses it.
//! **Invariant:** a reader waits while the log is being opened again, and blocks no thread.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use rookery_log::Unavailable;
use tokio::sync::watch;

use crate::{engine::store::Store, wake};

/// How long to wait for the readers that use the engine.
const READERS_MAX: Duration = Duration::from_secs(10);
const READERS_STEP: Duration = Duration::from_millis(5);

pub(crate) struct Slot(watch::Sender<State>);

#[derive(Clone)]
enum State {
    Open(Arc<Store>),
    /// The engine is being replaced.
    Opening,
    Failed(Unavailable),
}

impl Slot {
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self(watch::Sender::new(State::Open(store)))
    }

    /// The open engine. Waits while the log is being opened again.
    pub(crate) async fn get(&self) -> Result<Arc<Store>, Unavailable> {
        if let State::Open(store) = &*self.0.borrow() {
            return Ok(Arc::clone(store));
        }
        let mut states = self.0.subscribe();
        let settled = states.wait_for(|state| !matches!(state, State::Opening)).await;
        let state = settled.map(|state| state.clone());
        state.unwrap_or(State::Opening).open()
    }

    /// The open engine, without waiting.
    pub(crate) fn now(&self) -> Result<Arc<Store>, Unavailable> {
        self.0.borrow().clone().open()
    }

    /// Closes the engine. Returns `false`, and leaves it open, if readers do not let it go.
    pub(crate) fn close(&self) -> bool {
        let State::Open(mut store) = self.0.send_replace(State::Opening) else { return true };
        let began = Instant::now();
        loop {
            match Arc::try_unwrap(store) {
                Ok(store) => {
                    drop(store);
                    return true;
                }
                Err(used) if began.elapsed() > READERS_MAX => {
                    self.set(State::Open(used));
                    return false;
                }
                Err(used) => store = used,
            }
            thread::sleep(READERS_STEP);
        }
    }

    /// Gives readers the engine that was opened, or the reason why none is open.
    pub(crate) fn put(&self, opened: Result<Arc<Store>, Unavailable>) {
        self.set(opened.map_or_else(State::Failed, State::Open));
    }

    /// Ends the wait of readers for an engine that nobody opens any more.
    pub(crate) fn abandon(&self, unavailable: Unavailable) {
        if matches!(*self.0.borrow(), State::Opening) {
            self.set(State::Failed(unavailable));
        }
    }

    fn set(&self, state: State) {
        wake::replace(&self.0, state);
    }
}

impl State {
    fn open(self) -> Result<Arc<Store>, Unavailable> {
        match self {
            Self::Open(store) => Ok(store),
            Self::Opening => {
                Err(Unavailable { reason: "the log is being opened again: try again".into() })
            }
            Self::Failed(unavailable) => Err(unavailable),
        }
    }
}
