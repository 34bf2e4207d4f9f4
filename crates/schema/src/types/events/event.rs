//! Events of rooms, in the form for clients.

use std::sync::Arc;

use async_graphql::Context;
use rookery_command::Outcome;
use rookery_domain::{EventId, Origin, OwnedRoomId, Pdu, UserId};
use rookery_log::{Millis, Position};
use rookery_projection::{Committed, Flags, RowKey};
use rookery_view::{EventPlace, TimelineEvent, Viewer};
use serde_json::Value;

use crate::{
    context::{App, app, unless_absent},
    reads::reads,
    types::{errors::fault::Fault, users::user::User, values::scalars::CursorScalar},
};

/// An event of a room.
#[derive(Clone)]
pub struct RoomEvent {
    pub(super) pdu: Arc<Pdu>,
    pub(super) sequence: u64,
    pub(super) position: Position,
    index: usize,
    pub(super) received: Millis,
    pub(super) origin: Origin,
    /// Its relations are shown as of this position, so that a sync is of one position.
    pub(super) as_of: Option<Position>,
    pub(super) flags: Flags,
}

/// An event by its ID, if the viewer may see it, as part of the answer.
pub async fn one_event(
    context: &Context<'_>,
    event: &EventId,
    viewer: &Viewer,
) -> Result<Option<(EventPlace, TimelineEvent)>, Fault> {
    let reads = reads(context);
    reads.pause().await?;
    let found = unless_absent(app(context).models.event(event, viewer).await)?.flatten();
    if let Some((_, event)) = &found {
        reads.keep(std::slice::from_ref(event)).await?;
    }
    Ok(found)
}

impl RoomEvent {
    /// An event at `index` of a commit, which is not late. `None` if it cannot be read.
    pub fn of(committed: &Committed, index: usize) -> Option<Self> {
        let event = committed.room_event(index)?;
        Some(Self {
            pdu: Arc::clone(&event.pdu),
            sequence: committed.sequence(index),
            position: committed.position,
            index,
            received: committed.received,
            origin: event.envelope.origin.clone(),
            as_of: None,
            flags: Flags::of(event),
        })
    }

    /// An event of a timeline.
    pub fn of_timeline(event: &TimelineEvent) -> Option<Self> {
        let found = Self::of(&event.committed, event.row.key.index.into())?;
        Some(Self { flags: event.row.flags, ..found })
    }

    /// The same event, marked late if `late`.
    #[must_use]
    pub fn late_if(self, late: bool) -> Self {
        Self { flags: self.flags.late_if(late), ..self }
    }

    /// The event at `index` of a command's outcome.
    pub fn committed(outcome: &Outcome, index: usize) -> Self {
        Self {
            pdu: Arc::clone(&outcome.events[index]),
            sequence: outcome.first_sequence + index as u64,
            position: outcome.position,
            index,
            received: outcome.received,
            origin: outcome.origin.clone(),
            as_of: None,
            // An event that this server makes is the newest of its room.
            flags: Flags::default(),
        }
    }

    /// The event with its relations as of a position; as of now for `None`.
    #[must_use]
    pub fn shown_as_of(self, position: Option<Position>) -> Self {
        Self { as_of: position, ..self }
    }

    /// Its place in the timeline of its room.
    pub fn cursor_in(&self, app: &App) -> CursorScalar {
        app.cursor(&self.pdu.room_id, self.key())
    }

    /// The event in the form of Matrix.
    pub fn as_pdu(&self) -> &Pdu {
        &self.pdu
    }

    /// Its commit, and its index there.
    pub fn place(&self) -> (Position, u16) {
        let RowKey { position, index, .. } = self.key();
        (position, index)
    }

    /// The sender, as shown in its room.
    pub fn sent_by(&self) -> User {
        User::in_room(self.pdu.sender.clone(), self.pdu.room_id.clone())
    }

    pub(super) fn key(&self) -> RowKey {
        RowKey {
            depth: self.pdu.depth,
            position: self.position,
            index: u16::try_from(self.index).unwrap_or(u16::MAX),
        }
    }

    /// The ID of the sender.
    pub fn sender_id(&self) -> &UserId {
        &self.pdu.sender
    }

    /// The predecessor of the room that this event created.
    pub fn predecessor(&self) -> Option<OwnedRoomId> {
        let content: Value = self.pdu.content_as()?;
        content.get("predecessor")?.get("room_id")?.as_str()?.try_into().ok()
    }

    /// A text in its content.
    pub fn text_of(&self, key: &str) -> Option<String> {
        let content: Value = self.pdu.content_as()?;
        Some(content.get(key)?.as_str()?.to_owned())
    }
}
