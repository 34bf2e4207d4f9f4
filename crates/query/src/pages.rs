//! Pages of the log for those who catch up: read once for all who come by.
//!
//! After a restart all clients resume from nearby positions. Pages end at multiples of their size, so
//! all of these readers ask for the same ones, and the first to ask reads for the others.
//!
//! **Invariant:** a page is never read twice at the same time, and only a few pages at once, first come
//! first served: who catches up does not keep the log from the projector.
//! **Invariant:** what is kept is bounded in bytes, and has nothing that has been redacted.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use parking_lot::Mutex;
use rookery_log::{Position, ReadError, Scope};

use crate::{
    Committed,
    core::{Core, cost},
    restated::decode,
    router::Counters,
};

/// Commits of a page. The chunks of all who catch up end at multiples of it.
pub(crate) const PAGE_COMMITS: usize = if cfg!(test) { 8 } else { 256 };

/// Pages that are read from the log at once.
const READERS_MAX: usize = 4;

/// A page, or as much of it as there was when it was read.
struct Page {
    commits: Vec<Arc<Committed>>,
    len_bytes: usize,
}

impl Page {
    fn after(&self, after: Position) -> Option<Vec<Arc<Committed>>> {
        let start = self.commits.partition_point(|commit| commit.position <= after);
        (start < self.commits.len()).then(|| self.commits[start..].to_vec())
    }
}

#[derive(Default)]
struct Held {
    pages: HashMap<u64, Page>,
    /// The one that was read last comes last.
    order: VecDeque<u64>,
    len_bytes: usize,
}

/// The pages that were read of late.
#[derive(Default)]
pub(crate) struct Pages {
    // Locked after the cache and before the models.
    held: Mutex<Held>,
    /// Whoever reads a page holds the turn of its number: nobody reads the same one.
    turns: [tokio::sync::Mutex<()>; READERS_MAX],
}

fn number(after: Position) -> u64 {
    after.0 / PAGE_COMMITS as u64
}

/// Commits from `after` to the end of its page.
pub(crate) fn left_of_page(after: Position) -> usize {
    PAGE_COMMITS - usize::try_from(after.0 % PAGE_COMMITS as u64).unwrap_or(0)
}

impl Pages {
    /// A commit that is held for its position, if any.
    pub(crate) fn get(&self, position: Position) -> Option<Arc<Committed>> {
        let before = Position(position.0.checked_sub(1)?);
        let held = self.held.lock();
        let commits = held.pages.get(&number(before))?.after(before)?;
        commits.into_iter().next().filter(|commit| commit.position == position)
    }

    /// Puts a commit in the place of the one that is held for its position, if any.
    pub(crate) fn replace(&self, commit: &Arc<Committed>) {
        let mut held = self.held.lock();
        let number = number(Position(commit.position.0.saturating_sub(1)));
        let Some(page) = held.pages.get_mut(&number) else { return };
        let mut commits = page.commits.iter_mut();
        if let Some(old) = commits.find(|old| old.position == commit.position) {
            *old = Arc::clone(commit);
        }
    }

    fn after(&self, after: Position) -> Option<Vec<Arc<Committed>>> {
        self.held.lock().pages.get(&number(after))?.after(after)
    }
}

impl Held {
    fn keep(&mut self, number: u64, commits: Vec<Arc<Committed>>, bytes_max: usize) {
        let len_bytes = commits.iter().map(|commit| cost(commit)).sum();
        self.remove(number);
        self.pages.insert(number, Page { commits, len_bytes });
        self.order.push_back(number);
        self.len_bytes += len_bytes;
        // The last one is for those who wait for it.
        while self.len_bytes > bytes_max && self.order.len() > 1 {
            self.remove(self.order[0]);
        }
    }

    fn remove(&mut self, number: u64) {
        if let Some(page) = self.pages.remove(&number) {
            self.len_bytes -= page.len_bytes;
            self.order.retain(|other| *other != number);
        }
    }
}

impl Core {
    /// The commits after `after` up to the end of its page, as far as the models have applied them.
    pub(crate) async fn page_after(
        &self,
        after: Position,
    ) -> Result<Vec<Arc<Committed>>, ReadError> {
        let counters = &self.router.counters;
        if let Some(ready) = self.pages.after(after) {
            Counters::up(&counters.page_hits);
            return Ok(ready);
        }
        let number = number(after);
        let turns = &self.pages.turns;
        let _turn = turns[usize::try_from(number).unwrap_or(0) % turns.len()].lock().await;
        if let Some(ready) = self.pages.after(after) {
            Counters::up(&counters.page_hits);
            return Ok(ready);
        }
        Counters::up(&counters.page_reads);
        let begin = Position(number * PAGE_COMMITS as u64);
        let applied = self.checkpoint.borrow().0.saturating_sub(begin.0);
        let limit = usize::try_from(applied).unwrap_or(PAGE_COMMITS).min(PAGE_COMMITS);
        let records = self.log.read(&Scope::All, begin, limit).await?;
        let read = decode(&*self.log, &records).await?;
        // Under the lock: a redaction that comes now finds the commit in the page.
        let mut held = self.pages.held.lock();
        held.keep(number, self.clean(read), self.options.pages_bytes_max);
        Ok(held.pages.get(&number).and_then(|page| page.after(after)).unwrap_or_default())
    }
}
