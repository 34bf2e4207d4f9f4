//! The time limit for a client that takes no pending data.
//!
//! **Invariant:** a client that reads, however slowly, gets the whole time again.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::time::{Sleep, sleep};

/// The wait for a peer that takes nothing. It needs a timer only while data is pending.
pub(super) struct Patience {
    deadline: Duration,
    waiting: Option<Waiting>,
}

struct Waiting {
    /// The bytes that the kernel had taken at its start.
    written: u64,
    until: Pin<Box<Sleep>>,
}

impl Patience {
    pub(super) fn new(deadline: Duration) -> Self {
        Self { deadline, waiting: None }
    }

    /// Data is pending, and `written` bytes were sent so far.
    pub(super) fn wait(&mut self, written: u64) {
        if self.waiting.as_ref().is_none_or(|waiting| waiting.written != written) {
            self.waiting = Some(Waiting { written, until: Box::pin(sleep(self.deadline)) });
        }
    }

    /// No data is pending.
    pub(super) fn rest(&mut self) {
        self.waiting = None;
    }

    /// Ready once it is over.
    pub(super) fn poll_over(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match &mut self.waiting {
            Some(waiting) => waiting.until.poll_unpin(context),
            None => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::time::{Instant, advance};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_little_read_gives_the_whole_time_again_and_nothing_read_does_not() {
        let deadline = Duration::from_secs(10);
        let mut patience = Patience::new(deadline);
        for written in 0..10 {
            patience.wait(written);
            advance(Duration::from_millis(9_999)).await;
            let over = poll_fn(|context| Poll::Ready(patience.poll_over(context))).await;
            assert!(over.is_pending(), "given up after {written} bytes");
        }
        let began = Instant::now();
        patience.wait(9);
        poll_fn(|context| patience.poll_over(context)).await;
        assert!(began.elapsed() <= Duration::from_millis(2), "the time began anew");
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_all_is_not_waited_for() {
        let mut patience = Patience::new(Duration::from_secs(10));
        patience.wait(1);
        patience.rest();
        advance(Duration::from_mins(1)).await;
        let over = poll_fn(|context| Poll::Ready(patience.poll_over(context))).await;
        assert!(over.is_pending());
    }
}
