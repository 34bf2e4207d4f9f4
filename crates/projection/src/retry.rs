//! Retries parked streams.

use rookery_log::{PAGE_MAX, Position, ReadError, Scope, StreamId};

use crate::{
    Committed, ReadModels,
    commits::decode,
    models::{Fold, Folded, Models, Row, StreamKey},
};

/// A parked stream could not be retried.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RetryError {
    /// This model has not parked this stream.
    #[error("the model {model} has not parked {stream}")]
    NotParked {
        /// The model.
        model: String,
        /// The stream.
        stream: StreamId,
    },
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] ReadError),
}

impl ReadModels {
    /// Folds a parked stream again, from its beginning. Returns `false` if it had to be parked
    /// again. New commits wait meanwhile.
    ///
    /// # Errors
    /// [`RetryError`]; then the stream stays parked.
    #[expect(
        clippy::await_holding_invalid_type,
        reason = "an operator's command runs it in a task of its own"
    )]
    pub async fn retry_parked(&self, model: &str, stream: &StreamId) -> Result<bool, RetryError> {
        let _projecting = self.core.projecting.lock().await;
        let not_parked =
            || RetryError::NotParked { model: model.to_owned(), stream: stream.clone() };
        let commits = self.stream(stream).await?;
        let mut models = self.core.models.write();
        let key = models.directory.key_of(stream).ok_or_else(not_parked)?;
        let retried = refold_in(&mut models, model, key, &commits);
        drop(models);
        self.reset_observers();
        retried.ok_or_else(not_parked)
    }

    async fn stream(&self, stream: &StreamId) -> Result<Vec<Committed>, ReadError> {
        let scope = Scope::Stream(stream.clone());
        let (mut at, until) = (Position::ORIGIN, self.checkpoint_now());
        let mut commits = Vec::new();
        loop {
            let records = self.core.log.read(&scope, at, PAGE_MAX).await?;
            let Some(last) = records.last() else { return Ok(commits) };
            at = last.position;
            let end = records.partition_point(|record| record.position <= until);
            commits.extend(decode(&*self.core.log, &records[..end]).await?);
            if at >= until {
                return Ok(commits);
            }
        }
    }
}

/// `None` if the model is unknown or has not parked the stream.
fn refold_in(
    models: &mut Models,
    model: &str,
    key: StreamKey,
    commits: &[Committed],
) -> Option<bool> {
    fn refold<F: Fold>(
        folded: &mut Folded<F>,
        key: StreamKey,
        commits: &[Committed],
    ) -> Option<bool> {
        folded.parked.remove(&key)?;
        // The old row leaves the indexes before the new one enters them.
        folded.uninstall(key);
        let mut row = Row::default();
        let whole = commits.iter().all(|commit| folded.refold(&mut row, key, commit));
        folded.install(key, row);
        Some(whole)
    }
    if model == models.summaries.name() {
        refold(&mut models.summaries, key, commits)
    } else if model == models.memberships.name() {
        refold(&mut models.memberships, key, commits)
    } else if model == models.timelines.name() {
        refold(&mut models.timelines, key, commits)
    } else if model == models.profiles.name() {
        refold(&mut models.profiles, key, commits)
    } else if model == models.aliases.name() {
        refold(&mut models.aliases, key, commits)
    } else if model == models.relations.name() {
        refold(&mut models.relations, key, commits)
    } else if model == models.actions.name() {
        refold(&mut models.actions, key, commits)
    } else if model == models.filters.name() {
        refold(&mut models.filters, key, commits)
    } else if model == models.redactions.name() {
        refold(&mut models.redactions, key, commits)
    } else if model == models.receipts.name() {
        refold(&mut models.receipts, key, commits)
    } else if model == models.unread.name() {
        refold(&mut models.unread, key, commits)
    } else {
        None
    }
}
