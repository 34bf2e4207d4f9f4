//! Threads for long work.
//!
//! A task yields between two steps, but a single step may be long: it makes the futures of all fields of an
//! answer, or decodes a page of the log. On a thread of the runtime such a step delays all tasks of that
//! thread. So long work runs on threads of its own, beside which the operating system serves all others.
//!
//! **Invariant:** work in the lanes takes no thread of the runtime, not even to drop it. Tasks that
//! it spawns run on the runtime.

use std::future::Future;
use std::io;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::pin::pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Either, pending, select};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;
use tokio::task::{LocalSet, spawn_local};

type Work = BoxFuture<'static, ()>;

/// The lanes of one server: half as many threads as there are processors. They start with the first
/// work.
#[derive(Debug, Default)]
pub struct Lanes {
    queues: OnceLock<Vec<UnboundedSender<Work>>>,
    next: AtomicUsize,
}

impl Lanes {
    /// Runs `work` in a lane. It is dropped there if the caller drops the returned future.
    pub fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> BoxFuture<'static, T> {
        let (mut sender, receiver) = oneshot::channel();
        self.start(Box::pin(async move {
            // Dropped before the lane goes on.
            let work = Box::pin(AssertUnwindSafe(work).catch_unwind());
            let done = match select(pin!(sender.closed()), work).await {
                Either::Left(_) => return,
                Either::Right((done, _)) => done,
            };
            let _: Result<(), _> = sender.send(done);
        }));
        let result = async move {
            match receiver.await {
                Ok(Ok(done)) => done,
                Ok(Err(panic)) => resume_unwind(panic),
                // The runtime stops, and drops this future next.
                Err(_) => pending().await,
            }
        };
        result.boxed()
    }

    /// Starts `work` in a lane, and does not wait for it.
    pub(crate) fn start(&self, work: Work) {
        let queues = self.queues.get_or_init(queues);
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        let refused = match queues.get(next % queues.len().max(1)) {
            Some(queue) => queue.send(work).map_err(|refused| refused.0),
            None => Err(work),
        };
        if let Err(work) = refused {
            tokio::spawn(work);
        }
    }
}

fn queues() -> Vec<UnboundedSender<Work>> {
    let processors = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let queues: io::Result<_> = (0..(processors / 2).max(1)).map(|_| lane()).collect();
    queues.unwrap_or_else(|error| {
        tracing::error!(%error, "failed to start a thread for long work; it runs among all other work");
        Vec::new()
    })
}

/// Starts a thread that works until the sender is dropped.
fn lane() -> io::Result<UnboundedSender<Work>> {
    let (sender, receiver) = mpsc::unbounded_channel();
    let runtime = Handle::current();
    let thread = thread::Builder::new().name("rookery-heavy".into());
    thread.spawn(move || runtime.block_on(LocalSet::new().run_until(work_off(receiver))))?;
    Ok(sender)
}

async fn work_off(mut queue: UnboundedReceiver<Work>) {
    while let Some(work) = queue.recv().await {
        spawn_local(work);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    fn name() -> Option<String> {
        thread::current().name().map(str::to_owned)
    }

    /// Records the thread that drops it.
    struct Dropped(std::sync::mpsc::Sender<Option<String>>);

    impl Drop for Dropped {
        fn drop(&mut self) {
            let _ = self.0.send(name());
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn work_runs_and_is_dropped_in_a_lane_and_what_it_spawns_runs_on_the_runtime() {
        let lanes = Lanes::default();
        let (sender, dropped) = channel();
        let spawned = lanes.run(async move {
            let dropped = Dropped(sender);
            let spawned = tokio::spawn(async { name() }).await.expect("no panic");
            drop(dropped);
            (name(), spawned)
        });
        let (own, spawned) = spawned.await;
        assert_eq!(own.as_deref(), Some("rookery-heavy"));
        assert_ne!(spawned.as_deref(), Some("rookery-heavy"));
        assert_eq!(dropped.recv().expect("it was dropped").as_deref(), Some("rookery-heavy"));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn work_that_nobody_waits_for_any_more_is_dropped_in_its_lane() {
        let lanes = Lanes::default();
        let (sender, dropped) = channel();
        let (starts, started) = oneshot::channel();
        let work = lanes.run(async move {
            let _dropped = Dropped(sender);
            starts.send(()).expect("the test waits");
            pending::<()>().await;
        });
        started.await.expect("it runs");
        drop(work);
        assert_eq!(dropped.recv().expect("it was dropped").as_deref(), Some("rookery-heavy"));
    }

    #[tokio::test]
    async fn a_panic_reaches_the_caller_and_the_lane_goes_on() {
        let lanes = Lanes::default();
        let fails = lanes.run(async { panic!("on purpose") });
        assert!(AssertUnwindSafe(fails).catch_unwind().await.is_err());
        assert_eq!(lanes.run(async { 1 }).await, 1);
    }

    /// On one thread of the runtime, this would wait for the step.
    #[tokio::test]
    async fn a_long_step_in_a_lane_delays_nobody_on_the_runtime() {
        let lanes = Lanes::default();
        let (go, wait) = channel();
        let step = lanes.run(async move { wait.recv() });
        tokio::spawn(async move { go.send(1) }).await.expect("no panic").expect("the step waits");
        assert_eq!(step.await, Ok(1));
    }
}
