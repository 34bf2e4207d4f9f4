//! Removes redacted content from the log.
//!
//! The envelope of a redaction lists the content to erase. It is erased after the redaction is on
//! stable storage and before the command answers. If that fails, or the server stops in between,
//! the process `erasures` repeats it. Erasing twice is the same as erasing once.
//!
//! **Invariant:** content is erased only if the ID of its event covers it, so the remaining event
//! can still be verified.

use std::sync::Arc;

use rookery_domain::{Envelope, Erased, EventStatus, Fact, OwnedEventId, Pdu, RoomVersionId};
use rookery_log::{
    Appended, Appending, Commit, ErasableLog, EraseError, Guard, Position, ReadError, Scope,
    StreamId, Unavailable,
};

use crate::{process::Progress, stream::snapshot::Snapshots};

/// Erases redacted content.
#[derive(Clone)]
pub(crate) struct Eraser {
    log: Arc<dyn ErasableLog>,
    snapshots: Snapshots,
    /// The progress of the process that does the undone work.
    pub(crate) progress: Arc<Progress>,
}

impl Eraser {
    pub(crate) fn new(
        log: &Arc<dyn ErasableLog>,
        snapshots: &Snapshots,
        progress: Progress,
    ) -> Self {
        let (log, snapshots) = (Arc::clone(log), snapshots.clone());
        Self { log, snapshots, progress: Arc::new(progress) }
    }

    /// Appends the commit of `facts`. The answer comes after the content that they redact was
    /// erased. This continues if the caller goes away.
    pub(crate) fn appending(&self, facts: &[Fact], commit: Commit, guard: Guard) -> Appending {
        let named = facts.iter().flat_map(|fact| match fact {
            Fact::Room(event) => event.envelope.erases.clone(),
            Fact::Account(_) | Fact::Alias(_) => Vec::new(),
        });
        let named: Vec<_> = named.collect();
        if named.is_empty() {
            return self.log.append(commit, guard);
        }
        let stream = commit.stream.clone();
        let append = self.log.append(commit, guard);
        let eraser = self.clone();
        let work = tokio::spawn(async move {
            let appended = append.await?;
            if let Appended { repeated: false, position, .. } = appended {
                if let Some(reason) = eraser.erase(&stream, &named).await? {
                    eraser.progress.skip(position, &reason);
                }
                eraser.progress.done(position);
            }
            Ok(appended)
        });
        Box::pin(async move {
            work.await.unwrap_or_else(|error| {
                let reason =
                    format!("the erasing of redacted content was interrupted: {error}").into();
                Err(Unavailable { reason }.into())
            })
        })
    }

    /// Erases the content that a redaction in `stream` lists. Returns a reason if some of it has to
    /// stay: a retry would change nothing.
    ///
    /// # Errors
    /// The log cannot be read or written now: some content may be erased, and the rest is not.
    pub(crate) async fn erase(
        &self,
        stream: &StreamId,
        erases: &[Erased],
    ) -> Result<Option<String>, Unavailable> {
        let version = self.version(stream).await?;
        let mut stays = None;
        for erased in erases {
            let left = match &version {
                Ok(version) => self.left_of(stream, erased, version).await?,
                Err(reason) => Err(reason.clone()),
            };
            let (position, index) = (Position(erased.position), usize::from(erased.index));
            let outcome = match left {
                Ok(left) => match self.log.erase(position, index, left).await {
                    Err(
                        EraseError::Unavailable(error)
                        | EraseError::Unreadable(ReadError::Unavailable(error)),
                    ) => return Err(error),
                    outcome => outcome.map_err(|error| error.to_string()),
                },
                Err(reason) => Err(reason),
            };
            if let Err(reason) = outcome {
                let event_id = &erased.event_id;
                stays = Some(format!("{event_id} at position {position} is not erased: {reason}"));
            }
        }
        if erases.iter().any(|erased| erased.slot.is_some()) {
            self.snapshots.forget(stream).map_err(|error| Unavailable {
                reason: format!("a snapshot with redacted content cannot be removed: {error}")
                    .into(),
            })?;
        }
        Ok(stays)
    }

    /// The redacted form of an event that the log has in `stream`, or the reason why nothing may be
    /// erased.
    async fn left_of(
        &self,
        stream: &StreamId,
        erased: &Erased,
        version: &RoomVersionId,
    ) -> Result<Result<bytes::Bytes, String>, Unavailable> {
        let records = match self.log.get(&[Position(erased.position)]).await {
            Ok(records) => records,
            Err(ReadError::Unavailable(error)) => return Err(error),
            Err(damaged) => return Ok(Err(damaged.to_string())),
        };
        let record = records.first().filter(|record| record.commit.stream == *stream);
        let event = record.and_then(|record| record.commit.events.get(usize::from(erased.index)));
        let Some(event) = event.filter(|event| event.id == erased.event_id.as_str()) else {
            return Ok(Err("it is not where the redaction says".to_owned()));
        };
        let redact = || {
            let event_id = OwnedEventId::try_from(&*event.id).map_err(|error| error.to_string())?;
            let pdu = Pdu::parse(event_id, event.content.clone());
            let pdu = pdu.map_err(|error| error.to_string())?;
            pdu.check_id(version).map_err(|error| error.to_string())?;
            pdu.redacted(version).map(|pdu| pdu.json).map_err(|error| error.to_string())
        };
        Ok(redact())
    }

    /// The version of a room, from its create event, or the reason why it is not known.
    async fn version(
        &self,
        stream: &StreamId,
    ) -> Result<Result<RoomVersionId, String>, Unavailable> {
        let first = match self.log.read(&Scope::Stream(stream.clone()), Position::ORIGIN, 1).await {
            Ok(first) => first,
            Err(ReadError::Unavailable(error)) => return Err(error),
            Err(damaged) => return Ok(Err(damaged.to_string())),
        };
        let create = first.first().and_then(|record| record.commit.events.first());
        let version = create.and_then(|create| {
            let json: serde_json::Value = serde_json::from_slice(&create.content).ok()?;
            let version = json.get("content")?.get("room_version")?.as_str()?;
            RoomVersionId::try_from(version).ok()
        });
        Ok(version.ok_or_else(|| "the version of its room is unknown".to_owned()))
    }
}

/// The events that the redaction with this envelope erases, if it takes effect.
pub(crate) fn erased_by(envelope: &[u8]) -> Vec<Erased> {
    // Most envelopes have no such field, and this avoids parsing them.
    if memchr::memmem::find(envelope, b"\"erases\"").is_none() {
        return Vec::new();
    }
    let envelope: Option<Envelope> = serde_json::from_slice(envelope).ok();
    let accepted = envelope.filter(|envelope| envelope.status == EventStatus::Accepted);
    accepted.map(|envelope| envelope.erases).unwrap_or_default()
}
