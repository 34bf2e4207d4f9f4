//! The tasks that a running server cannot do without.
//!
//! **Invariant:** a task that panics, or that returns before the server stops, is reported by name. The server then
//! stops with a failure, so that whatever started it can start it again.

use std::{fmt, panic::AssertUnwindSafe};

use futures_util::FutureExt as _;
use tokio::{sync::watch, task::JoinHandle};

use crate::failure::Failure;

/// Starts tasks, and reports the first one that ends.
#[derive(Clone)]
pub(crate) struct Tasks(watch::Sender<Option<Ended>>);

/// A task that ended while the server needed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    name: &'static str,
    panicked: bool,
}

impl Tasks {
    pub(crate) fn new() -> Self {
        Self(watch::Sender::new(None))
    }

    /// Runs `task` until it ends or is aborted. An aborted task is not reported.
    pub(crate) fn spawn(
        &self,
        name: &'static str,
        task: impl Future<Output = ()> + Send + 'static,
    ) -> JoinHandle<()> {
        let tasks = self.clone();
        tokio::spawn(async move {
            let panicked = AssertUnwindSafe(task).catch_unwind().await.is_err();
            tasks.report(Ended { name, panicked });
        })
    }

    /// Reports a thread that panicked.
    pub(crate) fn thread_panicked(&self, name: &'static str) {
        self.report(Ended { name, panicked: true });
    }

    /// Waits until a task has ended. The first one is the answer, also to a later call.
    pub(crate) async fn ended(&self) -> Ended {
        let mut reports = self.0.subscribe();
        let report = reports.wait_for(Option::is_some).await.ok();
        match report.and_then(|report| *report) {
            Some(ended) => ended,
            // `self` holds the sender, so no wait ends without a report.
            None => std::future::pending().await,
        }
    }

    fn report(&self, ended: Ended) {
        self.0.send_if_modified(|first| {
            let is_first = first.is_none();
            first.get_or_insert(ended);
            is_first
        });
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, panicked } = self;
        let how = if *panicked { "panicked" } else { "ended" };
        write!(f, "the task `{name}` of the server {how}, and the server cannot go on without it")
    }
}

impl From<Ended> for Failure {
    fn from(ended: Ended) -> Self {
        Self::new(format!(
            "{ended}: start the server again. This is a defect of the program: report it with the lines of the log \
             before this one"
        ))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test]
    async fn a_task_that_panics_is_reported_by_name() {
        let tasks = Tasks::new();
        tasks.spawn("idle", pending());
        tasks.spawn("broken", async { panic!("on purpose") });
        assert_eq!(tasks.ended().await, Ended { name: "broken", panicked: true });
    }

    #[tokio::test]
    async fn a_task_that_returns_is_reported_by_name() {
        let tasks = Tasks::new();
        tasks.spawn("short", ready(()));
        let ended = tasks.ended().await;
        assert_eq!(ended, Ended { name: "short", panicked: false });
        let failure = Failure::from(ended).to_string();
        assert!(failure.starts_with("the task `short` of the server ended"), "{failure}");
    }

    #[tokio::test]
    async fn the_first_report_stays() {
        let tasks = Tasks::new();
        tasks.thread_panicked("rookery-log");
        tasks.spawn("projector", ready(())).await.unwrap();
        assert_eq!(tasks.ended().await.name, "rookery-log");
    }

    #[tokio::test]
    async fn an_aborted_task_is_not_reported() {
        let tasks = Tasks::new();
        let task = tasks.spawn("aborted", pending());
        task.abort();
        task.await.unwrap_err();
        assert!(tasks.ended().now_or_never().is_none());
    }
}
