//! Turns for answers with whole states, which take long to make and much memory.
//!
//! **Invariant:** a server has one place among those that wait, so one that asks often delays itself alone.

use rookery_domain::ServerName;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{
    refusal::Refusal,
    transactions::{Turn, Turns},
};

/// Answers that are made at the same time.
const AT_ONCE_MAX: usize = 2;

/// The turns of all servers.
pub(crate) struct LargeAnswers {
    servers: Turns,
    all: Semaphore,
}

/// The right to make one such answer, until this is dropped.
pub(super) struct LargeAnswer<'a> {
    _all: SemaphorePermit<'a>,
    _server: Turn<'a>,
}

impl LargeAnswers {
    pub(crate) fn new() -> Self {
        Self { servers: Turns::default(), all: Semaphore::new(AT_ONCE_MAX) }
    }

    /// Waits for the other answers to this server, then among all servers.
    pub(super) async fn take(&self, origin: &ServerName) -> Result<LargeAnswer<'_>, Refusal> {
        let server = self.servers.take(origin).await?;
        let all = self.all.acquire().await.map_err(|error| Refusal::fault(&error))?;
        Ok(LargeAnswer { _all: all, _server: server })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use std::{
        pin::{Pin, pin},
        task::{Context, Poll, Waker},
    };

    use rookery_domain::OwnedServerName;

    use super::*;

    fn is_ready<T>(future: Pin<&mut impl Future<Output = T>>) -> Option<T> {
        match future.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        }
    }

    #[tokio::test]
    async fn a_server_that_asks_for_many_states_delays_itself_alone() {
        let answers = LargeAnswers::new();
        let name = |name: &str| OwnedServerName::try_from(name).unwrap();
        let (busy, calm) = (name("busy.example"), name("calm.example"));
        let other = answers.take(&name("other.example")).await.unwrap();
        let first = answers.take(&busy).await.unwrap();
        let mut more: Vec<_> = (0..50).map(|_| Box::pin(answers.take(&busy))).collect();
        assert!(more.iter_mut().all(|it| is_ready(it.as_mut()).is_none()));
        let mut waiting = pin!(answers.take(&calm));
        assert!(is_ready(waiting.as_mut()).is_none());
        drop(first);
        // The next one of the busy server waits behind the calm one.
        assert!(more.iter_mut().all(|it| is_ready(it.as_mut()).is_none()));
        assert!(is_ready(waiting.as_mut()).is_some());
        drop(other);
    }
}
