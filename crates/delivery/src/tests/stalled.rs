//! Callers that stall while the rest of a page is read: the part behind the first read of the log, which was full of
//! bytes.

use std::{collections::BTreeSet, future::poll_fn, sync::Arc, task::Poll, time::Duration};

use async_trait::async_trait;
use parking_lot::Mutex;
use rookery_log::{
    Appending, CommandId, Commit, Epoch, EventLog, Guard, Hash, Head, MemoryLog, Position,
    ReadError, Record, Scope, StreamId, Unavailable,
};
use tokio::{sync::watch, task::yield_now, time::timeout};

use crate::{
    reading::{PAGE_COMMITS, READERS_MAX},
    tests::testing::{Options, Scene, settle},
};

/// The commits of a read while reads are short.
const SHORT: usize = 2;

/// A log with short reads, as if few commits had all the bytes that a read may have. The rests of the first pages
/// come only when they are let through.
struct ShortLog {
    log: Arc<MemoryLog>,
    reads: watch::Sender<Reads>,
    /// The positions after which the rests of pages are read that are held.
    held: Mutex<BTreeSet<Position>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Reads {
    Whole,
    /// Short, and the rests of the first `READERS_MAX` pages are held.
    Held,
    Short,
}

#[async_trait]
impl EventLog for ShortLog {
    fn epoch(&self) -> Epoch {
        self.log.epoch()
    }

    fn append(&self, commit: Commit, guard: Guard) -> Appending {
        self.log.append(commit, guard)
    }

    async fn read(
        &self,
        scope: &Scope,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Arc<Record>>, ReadError> {
        if *self.reads.borrow() == Reads::Whole {
            return self.log.read(scope, after, limit).await;
        }
        let page = PAGE_COMMITS as u64;
        if !after.0.is_multiple_of(page) && after.0 < page * READERS_MAX as u64 {
            self.held.lock().insert(after);
            let mut reads = self.reads.subscribe();
            assert!(reads.wait_for(|reads| *reads != Reads::Held).await.is_ok());
        }
        self.log.read(scope, after, limit.min(SHORT)).await
    }

    async fn get(&self, positions: &[Position]) -> Result<Vec<Arc<Record>>, ReadError> {
        self.log.get(positions).await
    }

    async fn head(&self, stream: &StreamId) -> Result<Head, ReadError> {
        self.log.head(stream).await
    }

    async fn find(&self, command: CommandId) -> Result<Option<Position>, ReadError> {
        self.log.find(command).await
    }

    fn tail(&self) -> watch::Receiver<Position> {
        self.log.tail()
    }

    fn fault(&self) -> watch::Receiver<Option<Unavailable>> {
        self.log.fault()
    }

    async fn tail_hash(&self) -> Result<(Position, Hash), ReadError> {
        self.log.tail_hash().await
    }
}

/// As many callers as may read at the same time stall in the rests of their pages. Then another caller reads the rest
/// of the next page.
async fn stall(goes_away: bool) {
    let mut scene = Scene::new();
    scene.create("a", "alice").await;
    for _ in 0..=READERS_MAX * PAGE_COMMITS + PAGE_COMMITS {
        scene.message("a", "alice").await;
    }
    let log = Arc::new(ShortLog {
        log: scene.log.clone(),
        reads: watch::Sender::new(Reads::Whole),
        held: Mutex::default(),
    });
    let options =
        Options { ring_commits_max: Some(1), pages_bytes_max: Some(0), ..Options::default() };
    let feeds = scene.open_on(log.clone(), Options { rebuild_threads: 1, ..options }).await;
    settle(&feeds).await;
    log.reads.send_replace(Reads::Held);

    let rest_of = |page: usize| Position((page * PAGE_COMMITS + PAGE_COMMITS / 2) as u64);
    let mut stalled: Vec<_> =
        (0..READERS_MAX).map(|page| Box::pin(feeds.page_after(rest_of(page)))).collect();
    while log.held.lock().len() < READERS_MAX {
        poll_fn(|context| {
            for caller in &mut stalled {
                assert!(caller.as_mut().poll(context).is_pending());
            }
            Poll::Ready(())
        })
        .await;
        yield_now().await;
    }
    if goes_away {
        // The log still holds their reads.
        stalled.clear();
    } else {
        // The reads end, but nobody polls the callers.
        log.reads.send_replace(Reads::Short);
    }

    // Nothing here takes time: the clock moves on only when everything waits.
    let after = rest_of(READERS_MAX);
    let read = timeout(Duration::from_secs(1), feeds.page_after(after)).await;
    let read = read.expect("no caller keeps the next one waiting").unwrap();
    assert_eq!(read.len(), SHORT);
    assert_eq!(read[0].position, Position(after.0 + 1));
    for (page, caller) in stalled.into_iter().enumerate() {
        let read = caller.await.unwrap();
        assert_eq!(read[0].position, Position(rest_of(page).0 + 1), "the stalled caller goes on");
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_is_not_polled_in_the_rest_of_a_page_keeps_no_other_waiting() {
    stall(false).await;
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_goes_away_in_the_rest_of_a_page_keeps_no_other_waiting() {
    stall(true).await;
}
