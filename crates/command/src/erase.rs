//! Redacted content leaves the log.
//!
//! What a redaction erases stands in its envelope. It is erased when the redaction is on stable
//! storage and before anybody is told of it. If the server stops in between, the next start does it
//! again: erasing twice is erasing once.
//!
//! **Invariant:** nothing is erased that the ID of its event does not cover: what is left proves
//! that it is what it was.

use std::{io, sync::Arc};

use rookery_domain::{Envelope, Erased, EventStatus, Fact, OwnedEventId, Pdu, RoomVersionId};
use rookery_log::{
    AppendError, Appended, Appending, Commit, EraseError, EventLog, Guard, PAGE_MAX, Position,
    ReadError, Scope, StreamId, StreamKind, Unavailable,
};

use crate::{
    HandleError,
    snapshot::Snapshots,
    unfinished::{Ticket, Unfinished},
};

/// Erases what redactions take back.
#[derive(Clone)]
pub(crate) struct Eraser {
    log: Arc<dyn EventLog>,
    snapshots: Snapshots,
    unfinished: Unfinished,
    /// Holds the checkpoint back until what was left by the last run is done.
    resuming: Arc<parking_lot::Mutex<Option<Ticket>>>,
}

impl Eraser {
    pub(crate) fn new(
        log: &Arc<dyn EventLog>,
        snapshots: &Snapshots,
        unfinished: Unfinished,
    ) -> Self {
        let ticket = unfinished.begin(unfinished.checkpoint().next());
        let (log, snapshots) = (Arc::clone(log), snapshots.clone());
        Self { log, snapshots, unfinished, resuming: Arc::new(Some(ticket).into()) }
    }

    pub(crate) fn save(&self, tail: Position) -> io::Result<()> {
        self.unfinished.save(tail)
    }

    /// Appends the commit of `facts`; the answer comes when also what they erase is gone. That goes
    /// on if nobody waits for it.
    pub(crate) fn appending(&self, facts: &[Fact], commit: Commit, guard: Guard) -> Appending {
        let named = facts.iter().flat_map(|fact| match fact {
            Fact::Room(event) => event.envelope.erases.clone(),
            Fact::Account(_) | Fact::Alias(_) => Vec::new(),
        });
        let named: Vec<_> = named.collect();
        if named.is_empty() {
            return self.log.append(commit, guard);
        }
        let ticket = self.unfinished.begin(self.log.tail().borrow().next());
        let stream = commit.stream.clone();
        let append = self.log.append(commit, guard);
        let eraser = self.clone();
        let work = tokio::spawn(async move {
            let appended = append.await;
            match &appended {
                Ok(Appended { repeated: false, .. }) => eraser.erase(&stream, &named).await?,
                // Nothing was written, so nothing is to be erased.
                Ok(_) | Err(AppendError::Conflict { .. } | AppendError::Unfit) => {}
                Err(AppendError::Unavailable(_)) => return appended,
            }
            ticket.done();
            appended
        });
        Box::pin(async move {
            work.await.unwrap_or_else(|error| {
                let reason = format!("the erasing of redacted content broke off: {error}").into();
                Err(Unavailable { reason }.into())
            })
        })
    }

    /// Does again what may not have been done before the last stop.
    pub(crate) async fn resume(&self) -> Result<usize, HandleError> {
        let Some(ticket) = self.resuming.lock().take() else { return Ok(0) };
        let resumed = self.redo(self.unfinished.checkpoint()).await;
        match resumed {
            Ok(_) => ticket.done(),
            Err(_) => *self.resuming.lock() = Some(ticket),
        }
        resumed
    }

    async fn redo(&self, mut after: Position) -> Result<usize, HandleError> {
        let mut redone = 0;
        loop {
            let page = self.log.read(&Scope::All, after, PAGE_MAX).await?;
            let Some(last) = page.last() else { return Ok(redone) };
            after = last.position;
            for record in &page {
                let stream = &record.commit.stream;
                if !matches!(stream.split(), Some((StreamKind::Room, _))) {
                    continue;
                }
                for event in &record.commit.events {
                    let erases = erased_by(&event.envelope);
                    if !erases.is_empty() {
                        self.erase(stream, &erases).await?;
                        redone += 1;
                    }
                }
            }
        }
    }

    async fn erase(&self, stream: &StreamId, erases: &[Erased]) -> Result<(), Unavailable> {
        let version = self.version(stream).await.map_err(unavailable)?;
        for erased in erases {
            let left = match &version {
                Some(version) => self.left_of(stream, erased, version).await?,
                None => Err("the version of its room is unknown".to_owned()),
            };
            let (position, index) = (Position(erased.position), usize::from(erased.index));
            let outcome = match left {
                Ok(left) => match self.log.erase(position, index, left).await {
                    Err(EraseError::Unavailable(error)) => return Err(error),
                    Err(EraseError::Unreadable(error)) => return Err(unavailable(error)),
                    outcome => outcome.map_err(|error| error.to_string()),
                },
                Err(reason) => Err(reason),
            };
            if let Err(reason) = outcome {
                // To try again would change nothing, and must not keep all others waiting.
                let event_id = &erased.event_id;
                tracing::error!(%event_id, %position, "a redacted event stays in the log: {reason}");
            }
        }
        if erases.iter().any(|erased| erased.slot.is_some()) {
            self.snapshots.forget(stream).map_err(|error| Unavailable {
                reason: format!("a snapshot with redacted content cannot be removed: {error}")
                    .into(),
            })?;
        }
        Ok(())
    }

    /// What redaction leaves of an event that the log has in `stream`, or why nothing is to go.
    async fn left_of(
        &self,
        stream: &StreamId,
        erased: &Erased,
        version: &RoomVersionId,
    ) -> Result<Result<bytes::Bytes, String>, Unavailable> {
        let records = self.log.get(&[Position(erased.position)]).await.map_err(unavailable)?;
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

    /// The version of a room, whose create event is its first.
    async fn version(&self, stream: &StreamId) -> Result<Option<RoomVersionId>, ReadError> {
        let first = self.log.read(&Scope::Stream(stream.clone()), Position::ORIGIN, 1).await?;
        let create = first.first().and_then(|record| record.commit.events.first());
        Ok(create.and_then(|create| {
            let json: serde_json::Value = serde_json::from_slice(&create.content).ok()?;
            let version = json.get("content")?.get("room_version")?.as_str()?;
            RoomVersionId::try_from(version).ok()
        }))
    }
}

/// What the redaction with this envelope erases, if it is one that takes effect.
fn erased_by(envelope: &[u8]) -> Vec<Erased> {
    const NAME: &[u8] = b"\"erases\"";
    // Most envelopes say nothing of the kind, and need not be parsed to know that.
    if !envelope.windows(NAME.len()).any(|window| window == NAME) {
        return Vec::new();
    }
    let envelope: Option<Envelope> = serde_json::from_slice(envelope).ok();
    let accepted = envelope.filter(|envelope| envelope.status == EventStatus::Accepted);
    accepted.map(|envelope| envelope.erases).unwrap_or_default()
}

fn unavailable(error: ReadError) -> Unavailable {
    match error {
        ReadError::Unavailable(unavailable) => unavailable,
        ReadError::Damaged { .. } => Unavailable { reason: error.to_string().into() },
    }
}
