//! Retries parked streams.

use std::collections::BTreeSet;

use rookery_log::{PAGE_MAX, Position, ReadError, Scope, StreamId};

use crate::{
    Committed, ReadModels,
    commits::decode,
    models::{Models, Parked},
};

/// The result of a retry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retried {
    /// How many parked streams their models have applied now.
    pub mended: usize,
    /// The streams that their models had to park again.
    pub parked: Vec<Parked>,
}

impl ReadModels {
    /// Folds each parked stream again, from its beginning, in the models that have parked it.
    ///
    /// # Errors
    /// [`ReadError`] if the log cannot be read. The streams that were not retried stay parked.
    pub async fn retry_parked(&self) -> Result<Retried, ReadError> {
        let mut mended = 0;
        for stream in self.parked_streams() {
            mended += self.retry_stream(&stream).await?;
        }
        Ok(Retried { mended, parked: self.read().parked() })
    }

    /// The streams that at least one model has parked.
    pub(crate) fn parked_streams(&self) -> BTreeSet<StreamId> {
        self.read().parked().into_iter().map(|parked| parked.stream).collect()
    }

    /// Folds one stream again in the models that have parked it. Returns how many of them have
    /// applied it. New commits wait meanwhile.
    #[expect(
        clippy::await_holding_invalid_type,
        reason = "an operator's command and the projector run it in tasks of their own"
    )]
    pub(crate) async fn retry_stream(&self, stream: &StreamId) -> Result<usize, ReadError> {
        // A snapshot in the making has the parked streams as they were at its beginning.
        let _saving = self.core.saving.lock().await;
        let _projecting = self.core.projecting.lock().await;
        let commits = self.stream(stream).await?;
        let mended = retry(&mut self.core.models.write(), stream, &commits);
        self.reset_observers();
        Ok(mended)
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

fn retry(models: &mut Models, stream: &StreamId, commits: &[Committed]) -> usize {
    let Some(key) = models.directory.key_of(stream) else { return 0 };
    let retried = models.each_mut().into_iter().filter_map(|model| model.retry(key, commits));
    retried.filter(|whole| *whole).count()
}
