//! Catch-up, then follow: every commit once and in order, from any position on.
//!
//! **Invariant:** no reader gets a commit before the models have applied it. So a model is never
//! behind the reader that asks it.
//! **Invariant:** at the seam between log and memory there is no gap and no repeat: both are read
//! by position.

use std::sync::Arc;

use rookery_log::{PAGE_BYTES_MAX, PAGE_MAX, Position, ReadError};
use rookery_projection::Committed;

use crate::Feeds;

/// Consecutive commits, and where to continue.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The commits, in order, without gaps.
    pub commits: Vec<Arc<Committed>>,
    /// The position of the last of them, or the requested one if there is none.
    pub position: Position,
}

/// A reader cannot follow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FollowError {
    /// The log does not reach that far: the position is of another log. Start again.
    #[error("position {asked} is beyond the end of the log at {tail}")]
    Unknown {
        /// The requested position.
        asked: Position,
        /// The end of the log.
        tail: Position,
    },
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// The server shuts down.
    #[error("the read models are closed")]
    Closed,
}

/// Reads the log behind the models. Cheap to clone. Readers do not slow each other, and a slow
/// reader is only behind.
#[derive(Clone)]
pub struct Follower {
    feeds: Feeds,
}

impl Follower {
    pub(crate) fn new(feeds: Feeds) -> Self {
        Self { feeds }
    }

    /// The position of the models.
    #[must_use]
    pub fn checkpoint(&self) -> Position {
        self.feeds.models().checkpoint_now()
    }

    /// Up to `limit` commits after `after`; none if the models are not beyond it.
    ///
    /// # Errors
    /// [`FollowError::Unknown`] for a position that the log has not reached.
    pub async fn next(&self, after: Position, limit: usize) -> Result<Batch, FollowError> {
        let checkpoint = self.checkpoint();
        if after >= checkpoint {
            let tail = *self.feeds.models().log().tail().borrow();
            if after > tail.max(checkpoint) {
                return Err(FollowError::Unknown { asked: after, tail });
            }
            return Ok(Batch { commits: Vec::new(), position: after });
        }
        let due = usize::try_from(checkpoint.0 - after.0).unwrap_or(usize::MAX);
        let limit = limit.min(due).min(PAGE_MAX);
        let ready = self.feeds.models().latest_after(after, limit);
        let commits =
            if let Some(commits) = ready { commits } else { self.pages(after, limit).await? };
        let position = commits.last().map_or(after, |last| last.position);
        Ok(Batch { commits, position })
    }

    /// Up to `limit` commits after `after`, from as many pages as that takes.
    async fn pages(
        &self,
        after: Position,
        limit: usize,
    ) -> Result<Vec<Arc<Committed>>, FollowError> {
        let mut commits = Vec::new();
        let (mut at, mut bytes) = (after, 0);
        while commits.len() < limit && bytes < PAGE_BYTES_MAX {
            let page = self.feeds.page_after(at).await?;
            let Some(last) = page.last() else { break };
            at = last.position;
            bytes += page.iter().map(|commit| commit.len_bytes).sum::<usize>();
            commits.extend(page);
        }
        commits.truncate(limit);
        Ok(commits)
    }

    /// Waits until the models are beyond `after`.
    ///
    /// # Errors
    /// [`FollowError::Closed`] when no more commits will come.
    pub async fn wait(&self, after: Position) -> Result<Position, FollowError> {
        let mut checkpoint = self.feeds.models().checkpoint();
        let reached = checkpoint.wait_for(|checkpoint| *checkpoint > after).await;
        reached.map(|reached| *reached).map_err(|_| FollowError::Closed)
    }
}
