//! Pages of the log for catch-up, each read once for all readers.
//!
//! After a restart all clients resume from nearby positions. Pages end at multiples of their size,
//! so all of these readers ask for the same ones, and the first reader starts the read for the
//! others.
//!
//! **Invariant:** a page is read in a task of its own, which no reader drives. A reader that is not
//! polled, or goes away, delays none of the others.
//! **Invariant:** a page is never read twice at the same time, and only a few pages at once, first
//! come first served. So catch-up does not keep the projector from the log.
//!
//! The pages that were read stay in the cache of the read models.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use parking_lot::Mutex;
use rookery_log::{Position, ReadError, Scope, Unavailable};
use rookery_projection::{Committed, decode};
use rookery_work::Job;
use tokio::sync::Semaphore;

use crate::{Feeds, router::Counters};

/// Commits of a page. The chunks of all catch-up reads end at multiples of it.
pub(crate) const PAGE_COMMITS: usize = if cfg!(test) { 8 } else { 256 };

/// Pages that are read from the log at the same time.
pub(crate) const READERS_MAX: usize = 4;

/// The pages that are being read.
pub(crate) struct Pages {
    /// By number.
    reading: Mutex<HashMap<u64, Weak<Reading>>>,
    /// Permits to read. Only the tasks that read hold one.
    readers: Arc<Semaphore>,
}

/// The read of a page. Its commits stay available to waiting readers even after the page is
/// evicted.
type Reading = Job<Result<Arc<[Arc<Committed>]>, ReadError>>;

impl Default for Pages {
    fn default() -> Self {
        let readers = Arc::new(Semaphore::new(READERS_MAX));
        Self { reading: Mutex::default(), readers }
    }
}

fn number(after: Position) -> u64 {
    after.0 / PAGE_COMMITS as u64
}

/// Commits from `after` to the end of its page.
pub(crate) fn left_of_page(after: Position) -> usize {
    PAGE_COMMITS - usize::try_from(after.0 % PAGE_COMMITS as u64).unwrap_or(0)
}

impl Feeds {
    /// The commits after `after` up to the end of its page, as far as the models have applied them.
    pub(crate) async fn page_after(
        &self,
        after: Position,
    ) -> Result<Vec<Arc<Committed>>, ReadError> {
        let counters = &self.live().counters;
        loop {
            if let Some(ready) = self.models().page_after(after) {
                Counters::up(&counters.page_hits);
                return Ok(ready);
            }
            let (reading, is_own) = self.reading(number(after));
            let read = result_of(&reading).await?;
            // Pages in memory are without content that was redacted since.
            if let Some(ready) = self.models().page_after(after) {
                return Ok(ready);
            }
            // Another reader's page may have begun before the requested commits existed.
            let begin = read.partition_point(|commit| commit.position <= after);
            if begin < read.len() {
                return Ok(self.models().still_clean(&read[begin..]));
            }
            if is_own {
                let feeds = self.clone();
                let reading: Arc<Reading> =
                    Job::start(async move { feeds.read_rest_of_page(after).await });
                return Ok(self.models().still_clean(&result_of(&reading).await?));
            }
        }
    }

    /// The read of a page: the running one, or a new one; and whether it is new.
    fn reading(&self, number: u64) -> (Arc<Reading>, bool) {
        let mut all = self.live().pages.reading.lock();
        let under_way = all.get(&number).and_then(Weak::upgrade).filter(|job| !job.is_done());
        if let Some(reading) = under_way {
            return (reading, false);
        }
        let feeds = self.clone();
        let reading = Job::start(async move { feeds.read_page(number).await });
        all.retain(|_, reading| reading.strong_count() > 0);
        all.insert(number, Arc::downgrade(&reading));
        (reading, true)
    }

    async fn read_page(&self, number: u64) -> Result<Arc<[Arc<Committed>]>, ReadError> {
        let begin = Position(number * PAGE_COMMITS as u64);
        let read = self.read_to_end_of_page(begin).await?;
        Ok(self.models().hold_page(begin, read).into())
    }

    /// Reads the commits after `after` of a page with more bytes than one read of the log has. They do not stay in
    /// memory.
    async fn read_rest_of_page(&self, after: Position) -> Result<Arc<[Arc<Committed>]>, ReadError> {
        let read = self.read_to_end_of_page(after).await?;
        Ok(self.models().clean(read).into())
    }

    /// Reads the commits after `after` of its page that the models have applied. Only tasks of their own call this, since it holds
    /// a permit to read.
    async fn read_to_end_of_page(&self, after: Position) -> Result<Vec<Committed>, ReadError> {
        let _place = self.live().pages.readers.acquire().await;
        Counters::up(&self.live().counters.page_reads);
        let applied = self.models().checkpoint_now().0.saturating_sub(after.0);
        let limit = usize::try_from(applied).unwrap_or(PAGE_COMMITS).min(left_of_page(after));
        let records = self.models().log().read(&Scope::All, after, limit).await?;
        decode(&**self.models().log(), &records).await
    }
}

async fn result_of(reading: &Reading) -> Result<Arc<[Arc<Committed>]>, ReadError> {
    reading.result().await.unwrap_or_else(|| {
        let reason = "the task that read a page of the log was interrupted; try again";
        Err(Unavailable { reason: reason.into() }.into())
    })
}
