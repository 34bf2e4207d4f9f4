//! Turns: a few pieces of heavy work at a time, in a fair order.
//!
//! **Invariant:** at most `at_once` pieces of work run, and at most one of each key.
//! **Invariant:** keys take turns. However much work of one key waits, another key waits for at
//! most one piece of each key before it.
//! **Invariant:** work runs in [lanes](Lanes), so its long steps delay no task of the runtime.
//! **Invariant:** work runs in tasks of its own, so a turn ends when its work ends, whether or not
//! the caller is polled.

use std::{
    any::Any,
    collections::{HashMap, VecDeque},
    future::Future,
    hash::Hash,
    panic::{AssertUnwindSafe, resume_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::{FutureExt as _, future::BoxFuture};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::Lanes;

/// A fair queue of work.
pub struct Turns<K: Eq + Hash + Clone + Send + 'static> {
    shared: Arc<Shared<K>>,
}

struct Shared<K> {
    at_once: usize,
    lanes: Lanes,
    state: Mutex<State<K>>,
}

struct State<K> {
    /// Tasks that run the queued work.
    workers: usize,
    /// Keys that have work, waiting or running.
    keys: HashMap<K, Queue>,
    /// Keys with waiting and without running work, in the order of their turns.
    due: VecDeque<K>,
    serial: u64,
}

#[derive(Default)]
struct Queue {
    is_running: bool,
    waiting: VecDeque<Piece>,
}

struct Piece {
    serial: u64,
    work: BoxFuture<'static, ()>,
}

impl<K: Eq + Hash + Clone + Send + 'static> Turns<K> {
    /// Makes a queue that runs `at_once` pieces of work at a time.
    #[must_use]
    pub fn new(at_once: usize) -> Self {
        let state = State { workers: 0, keys: HashMap::new(), due: VecDeque::new(), serial: 0 };
        let lanes = Lanes::default();
        Self { shared: Arc::new(Shared { at_once, lanes, state: Mutex::new(state) }) }
    }

    /// Runs `work` in the next turn of `key`. Dropping the handle cancels the work.
    ///
    /// # Panics
    /// The handle panics, when it is polled, if the work panicked.
    pub fn run<T: Send + 'static>(
        &self,
        key: K,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Turn<K, T> {
        let (mut sender, result) = oneshot::channel();
        let work = async move {
            let done = tokio::select! {
                biased;
                () = sender.closed() => return,
                done = AssertUnwindSafe(work).catch_unwind() => done,
            };
            // The caller may be gone by now.
            let _: Result<(), _> = sender.send(done);
        };
        let serial = self.shared.submit(&key, work.boxed());
        Turn { shared: Arc::clone(&self.shared), key, serial, result }
    }
}

impl<K: Eq + Hash + Clone + Send + 'static> Shared<K> {
    fn submit(self: &Arc<Self>, key: &K, work: BoxFuture<'static, ()>) -> u64 {
        let mut state = self.state.lock();
        state.serial += 1;
        let serial = state.serial;
        let queue = state.keys.entry(key.clone()).or_default();
        queue.waiting.push_back(Piece { serial, work });
        if !queue.is_running && queue.waiting.len() == 1 {
            state.due.push_back(key.clone());
        }
        if state.workers < self.at_once && !state.due.is_empty() {
            state.workers += 1;
            drop(state);
            let worker = Worker { shared: Arc::clone(self), has_place: true };
            self.lanes.start(worker.work_off().boxed());
        }
        serial
    }

    /// Removes a waiting piece of work.
    fn withdraw(&self, key: &K, serial: u64) -> Option<Piece> {
        let mut state = self.state.lock();
        let queue = state.keys.get_mut(key)?;
        let at = queue.waiting.iter().position(|piece| piece.serial == serial)?;
        let piece = queue.waiting.remove(at);
        if queue.waiting.is_empty() && !queue.is_running {
            state.keys.remove(key);
            state.due.retain(|due| due != key);
        }
        piece
    }

    fn ended(&self, key: &K) {
        let mut state = self.state.lock();
        let Some(queue) = state.keys.get_mut(key) else { return };
        queue.is_running = false;
        if queue.waiting.is_empty() {
            state.keys.remove(key);
        } else {
            state.due.push_back(key.clone());
        }
    }
}

/// A task that runs queued work, and ends when none is left.
struct Worker<K: Eq + Hash + Clone + Send + 'static> {
    shared: Arc<Shared<K>>,
    /// Whether it counts among the `at_once` workers.
    has_place: bool,
}

impl<K: Eq + Hash + Clone + Send + 'static> Worker<K> {
    async fn work_off(mut self) {
        while let Some((key, piece)) = self.next() {
            let running = Running { shared: &self.shared, key };
            piece.work.await;
            drop(running);
            // Live callers come before the next piece.
            tokio::task::yield_now().await;
        }
    }

    /// The next piece of work. If there is none, the worker gives up its place under the same lock,
    /// so that the next caller starts another worker.
    fn next(&mut self) -> Option<(K, Piece)> {
        let mut state = self.shared.state.lock();
        while let Some(key) = state.due.pop_front() {
            let Some(queue) = state.keys.get_mut(&key) else { continue };
            if let Some(piece) = queue.waiting.pop_front() {
                queue.is_running = true;
                return Some((key, piece));
            }
        }
        state.workers -= 1;
        self.has_place = false;
        None
    }
}

impl<K: Eq + Hash + Clone + Send + 'static> Drop for Worker<K> {
    fn drop(&mut self) {
        if self.has_place {
            self.shared.state.lock().workers -= 1;
        }
    }
}

/// The running piece of work of `key`.
struct Running<'a, K: Eq + Hash + Clone + Send + 'static> {
    shared: &'a Arc<Shared<K>>,
    key: K,
}

impl<K: Eq + Hash + Clone + Send + 'static> Drop for Running<'_, K> {
    fn drop(&mut self) {
        self.shared.ended(&self.key);
    }
}

/// The result of work that runs in its turn. Dropping it cancels the work.
pub struct Turn<K: Eq + Hash + Clone + Send + 'static, T> {
    shared: Arc<Shared<K>>,
    key: K,
    serial: u64,
    result: oneshot::Receiver<Result<T, Box<dyn Any + Send>>>,
}

impl<K: Eq + Hash + Clone + Send + Unpin + 'static, T> Future for Turn<K, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        match self.result.poll_unpin(context) {
            Poll::Ready(Ok(Ok(done))) => Poll::Ready(done),
            Poll::Ready(Ok(Err(panic))) => resume_unwind(panic),
            // The runtime is stopping, and drops this future next.
            Poll::Ready(Err(_)) | Poll::Pending => Poll::Pending,
        }
    }
}

impl<K: Eq + Hash + Clone + Send + 'static, T> Drop for Turn<K, T> {
    fn drop(&mut self) {
        // Dropping this piece may ask for a turn, so it is dropped without the lock.
        drop(self.shared.withdraw(&self.key, self.serial));
    }
}

#[cfg(test)]
mod tests;
