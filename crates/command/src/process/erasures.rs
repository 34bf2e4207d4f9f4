//! The process that erases redacted content if the server stopped between the redaction and the
//! erasing.

use rookery_log::{Record, StreamKind};

use super::{Process, Undone};
use crate::process::erase::{Eraser, erased_by};

/// Erases the content that redactions in the log list.
pub(crate) struct EraseProcess<'a>(pub(crate) &'a Eraser);

impl Process for EraseProcess<'_> {
    const NAME: &'static str = "erasures";

    fn concerns(record: &Record) -> bool {
        matches!(record.commit.stream.split(), Some((StreamKind::Room, _)))
            && record.commit.events.iter().any(|event| !erased_by(&event.envelope).is_empty())
    }

    async fn handle(&self, record: &Record) -> Result<bool, Undone> {
        let events = record.commit.events.iter();
        let erases: Vec<_> = events.flat_map(|event| erased_by(&event.envelope)).collect();
        let left = self.0.erase(&record.commit.stream, &erases).await;
        match left.map_err(|error| Undone::Later(error.to_string()))? {
            None => Ok(true),
            Some(reason) => Err(Undone::Skipped(reason)),
        }
    }
}
