//! Imports records that were exported from another log of the same epoch.

use std::{future::Future, pin::Pin};

use rookery_log::{Appended, Record};

use crate::{ImportError, SledLog, format::Draft, log::closed, wake::Answer, writer::Job};

/// An import of one record in flight. It continues if this is dropped.
pub type Importing = Pin<Box<dyn Future<Output = Result<Appended, ImportError>> + Send>>;

impl SledLog {
    /// Appends a ready-made record unchanged: same position, revision, epoch and hashes.
    ///
    /// It has its place in the order of appends when this returns, so a caller can start many and
    /// await them later.
    ///
    /// # Errors
    /// [`ImportError::Discontinuous`] if it does not follow the last record of this log.
    #[must_use = "the outcome is known only to who awaits it"]
    pub fn append_record(&self, record: Record) -> Importing {
        let (answer, outcome) = Answer::channel();
        let draft = Draft::of(&record.commit);
        let sent = self.send(Job::Import { record: Box::new(record), draft, answer });
        Box::pin(async move {
            sent?;
            outcome.await.unwrap_or_else(|_| Err(closed().into()))
        })
    }
}
