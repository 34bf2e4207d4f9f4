//! Compares the events of a log with their IDs.
//!
//! The hash chain covers the IDs of events and not their contents, so that content can be redacted.
//! This module checks the rest: each ID is the hash of the event, or of the part that its redaction
//! left.
//!
//! **Invariant:** data that this server wrote passes, also after any redaction.

use std::{collections::HashMap, sync::Arc};

use rookery_domain::{OwnedEventId, Pdu, RoomVersionId, StoredFact};
use rookery_log::{LoggedEvent, Position, Record, StreamId, StreamKind};

use crate::failure::Failure;

/// An event does not match its ID: somebody has changed the log.
#[derive(Debug, thiserror::Error)]
#[error(
    "the event {event} at position {position} does not match its ID ({reason}): somebody has \
     changed it; restore an older backup"
)]
pub(crate) struct Changed {
    event: String,
    position: Position,
    reason: String,
}

/// Checks the records of a log, from the first one on.
#[derive(Default)]
pub(crate) struct Contents {
    versions: HashMap<StreamId, RoomVersionId>,
}

impl Contents {
    /// Checks all events of the next record.
    pub(crate) fn check(&mut self, record: &Record) -> Result<(), Changed> {
        let stream = &record.commit.stream;
        for event in &record.commit.events {
            let checked = match stream.split() {
                Some((StreamKind::Room, _)) => self.check_room_event(stream, event),
                Some((StreamKind::User | StreamKind::Alias, _)) => check_salted(event),
                None => Err(format!("{stream} is no stream of this version")),
            };
            checked.map_err(|reason| Changed {
                event: event.id.clone(),
                position: record.position,
                reason,
            })?;
        }
        Ok(())
    }

    /// Checks the records of a page, on a thread that others do not need.
    pub(crate) async fn check_page(mut self, page: Vec<Arc<Record>>) -> Result<Self, Failure> {
        let work = move || {
            page.iter().try_for_each(|record| self.check(record))?;
            Ok::<_, Changed>(self)
        };
        let checked = tokio::task::spawn_blocking(work).await;
        Ok(checked.map_err(|error| Failure::new(error.to_string()))??)
    }

    fn check_room_event(&mut self, stream: &StreamId, event: &LoggedEvent) -> Result<(), String> {
        let event_id = OwnedEventId::try_from(&*event.id).map_err(|error| error.to_string())?;
        let pdu = Pdu::parse(event_id, event.content.clone());
        let pdu = pdu.map_err(|error| error.to_string())?;
        if !self.versions.contains_key(stream) {
            // A room begins with its create event, which keeps its content.
            let content: Option<serde_json::Value> = pdu.content_as();
            let version = content.as_ref().and_then(|it| it.get("room_version")?.as_str());
            let version = version.and_then(|version| RoomVersionId::try_from(version).ok());
            let version = version.ok_or("it does not state the version of the room")?;
            self.versions.insert(stream.clone(), version);
        }
        pdu.check_content(&self.versions[stream]).map_err(|error| error.to_string())
    }
}

fn check_salted(event: &LoggedEvent) -> Result<(), String> {
    let LoggedEvent { id, envelope, content } = event.clone();
    let stored = StoredFact { id, envelope, content };
    if stored.is_of_its_id() { Ok(()) } else { Err("its ID is not the hash of it".to_owned()) }
}
