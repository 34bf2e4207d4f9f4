//! Catch-up-then-follow: every commit once and in order, from any position on.
//!
//! **Invariant:** nobody gets a commit before the models have it: who reads on from a page of a
//! model, or asks a model about a commit, never finds it behind.
//! **Invariant:** at the seam between log and memory there is no gap and no repeat: both are
//! asked by position.

use std::{collections::VecDeque, sync::Arc};

use rookery_log::{PAGE_MAX, Position, ReadError};

use crate::{
    Committed,
    core::{Core, cost},
};

/// The latest commits, decoded. Dense: each position follows the one before.
pub(crate) struct Ring {
    commits: VecDeque<Arc<Committed>>,
    len_bytes: usize,
    commits_max: usize,
    bytes_max: usize,
}

impl Ring {
    pub(crate) fn new(commits_max: usize, bytes_max: usize) -> Self {
        Self { commits: VecDeque::new(), len_bytes: 0, commits_max, bytes_max }
    }

    pub(crate) fn push(&mut self, commit: Arc<Committed>) {
        if self.commits.back().is_some_and(|last| last.position.next() != commit.position) {
            self.commits.clear();
            self.len_bytes = 0;
        }
        self.len_bytes += cost(&commit);
        self.commits.push_back(commit);
        while self.commits.len() > self.commits_max || self.len_bytes > self.bytes_max {
            let Some(oldest) = self.commits.pop_front() else { break };
            self.len_bytes -= cost(&oldest);
        }
    }

    /// Puts a commit in the place of the one that is held for its position, if any.
    pub(crate) fn replace(&mut self, commit: Arc<Committed>) {
        let place = self.index(commit.position).and_then(|index| self.commits.get_mut(index));
        if let Some(place) = place {
            self.len_bytes = self.len_bytes - cost(place) + cost(&commit);
            *place = commit;
        }
    }

    fn index(&self, position: Position) -> Option<usize> {
        let first = self.commits.front()?.position;
        usize::try_from(position.0.checked_sub(first.0)?).ok()
    }

    pub(crate) fn get(&self, position: Position) -> Option<&Arc<Committed>> {
        self.commits.get(self.index(position)?)
    }

    /// The commits after `after`, up to `limit`. `None` if the ring does not reach back that far.
    pub(crate) fn after(&self, after: Position, limit: usize) -> Option<Vec<Arc<Committed>>> {
        let start = self.index(after.next())?;
        Some(self.commits.iter().skip(start).take(limit).cloned().collect())
    }
}

/// Commits that follow one another, and from where to read on.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The commits, in order, without a hole.
    pub commits: Vec<Arc<Committed>>,
    /// The position of the last of them, or the one asked for if there is none.
    pub position: Position,
}

/// Why a reader cannot follow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FollowError {
    /// The log does not reach that far: the position is of another log. Start anew.
    #[error("position {asked} is beyond the end of the log at {tail}")]
    Unknown {
        /// What was asked for.
        asked: Position,
        /// Where the log ends.
        tail: Position,
    },
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// The server shuts down.
    #[error("the read models are closed")]
    Closed,
}

/// Reads the log behind the models. Cheap to clone; readers do not slow each other, and a slow
/// one is merely behind.
#[derive(Clone)]
pub struct Follower {
    core: Arc<Core>,
}

impl Follower {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// How far the models are.
    #[must_use]
    pub fn checkpoint(&self) -> Position {
        *self.core.checkpoint.borrow()
    }

    /// Up to `limit` commits after `after`; none if the models are not further.
    ///
    /// # Errors
    /// [`FollowError::Unknown`] for a position that the log has not reached.
    pub async fn next(&self, after: Position, limit: usize) -> Result<Batch, FollowError> {
        let checkpoint = self.checkpoint();
        if after >= checkpoint {
            let tail = *self.core.log.tail().borrow();
            if after > tail.max(checkpoint) {
                return Err(FollowError::Unknown { asked: after, tail });
            }
            return Ok(Batch { commits: Vec::new(), position: after });
        }
        let due = usize::try_from(checkpoint.0 - after.0).unwrap_or(usize::MAX);
        let limit = limit.min(due).min(PAGE_MAX);
        let ready = self.core.ring.read().after(after, limit);
        let commits =
            if let Some(commits) = ready { commits } else { self.pages(after, limit).await? };
        let position = commits.last().map_or(after, |last| last.position);
        Ok(Batch { commits, position })
    }

    /// Up to `limit` commits after `after`, of as many pages as that takes.
    async fn pages(
        &self,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Arc<Committed>>, FollowError> {
        let mut commits = Vec::new();
        let mut at = after;
        while commits.len() < limit {
            let page = self.core.page_after(at).await?;
            let Some(last) = page.last() else { break };
            at = last.position;
            commits.extend(page);
        }
        commits.truncate(limit);
        Ok(commits)
    }

    /// Waits until the models are beyond `after`.
    ///
    /// # Errors
    /// [`FollowError::Closed`] when nothing more will come.
    pub async fn wait(&self, after: Position) -> Result<Position, FollowError> {
        let mut checkpoint = self.core.checkpoint.subscribe();
        let reached = checkpoint.wait_for(|checkpoint| *checkpoint > after).await;
        reached.map(|reached| *reached).map_err(|_| FollowError::Closed)
    }
}
