//! One room event as a Matrix PDU.
//!
//! **Invariant:** the JSON of a PDU is kept as it arrived, with unknown keys. The parsed fields are
//! a view and are never written back.

use bytes::Bytes;
use ruma_common::{
    EventId, MilliSecondsSinceUnixEpoch, OwnedEventId, OwnedRoomId, OwnedUserId, RoomId, UserId,
};
use ruma_events::TimelineEventType;
use serde::Deserialize;
use serde_json::value::RawValue;

/// One room event: a PDU of room version 3 or newer, without `unsigned`.
///
/// Source: Matrix server-server specification, "PDUs". In room version 12 the create event has no
/// `room_id`, because its own ID names the room.
#[derive(Clone, Debug)]
pub struct Pdu {
    /// The reference hash of the event.
    pub event_id: OwnedEventId,
    /// The room; also set for create events that do not carry it.
    pub room_id: OwnedRoomId,
    /// The sender.
    pub sender: OwnedUserId,
    /// The event type.
    pub kind: TimelineEventType,
    /// Present on state events.
    pub state_key: Option<String>,
    /// The sender's clock, in milliseconds since 1970.
    pub origin_server_ts: MilliSecondsSinceUnixEpoch,
    /// One more than the deepest event before it.
    pub depth: u64,
    /// The events it follows.
    pub prev_events: Vec<OwnedEventId>,
    /// The state events that authorise it.
    pub auth_events: Vec<OwnedEventId>,
    /// The event that it redacts, where the room version keeps that at the top level.
    pub redacts: Option<OwnedEventId>,
    /// The content, as JSON text.
    pub content: Box<RawValue>,
    /// The whole event as canonical JSON.
    pub json: Bytes,
    /// The create event of a room version whose room ID is the hash of that event.
    pub(crate) names_room: bool,
}

/// The bytes are not a PDU that this server understands.
#[derive(Debug, thiserror::Error)]
pub enum PduError {
    /// Not JSON, or a field is missing or of the wrong type.
    #[error("not a PDU: {0}")]
    Malformed(#[from] serde_json::Error),
    /// The event has no `room_id`, and it is not a create event that names the room.
    #[error("the event {0} does not say which room it belongs to")]
    Homeless(OwnedEventId),
}

#[derive(Deserialize)]
struct Fields {
    room_id: Option<OwnedRoomId>,
    sender: OwnedUserId,
    #[serde(rename = "type")]
    kind: TimelineEventType,
    state_key: Option<String>,
    origin_server_ts: MilliSecondsSinceUnixEpoch,
    depth: u64,
    #[serde(default)]
    prev_events: Vec<OwnedEventId>,
    #[serde(default)]
    auth_events: Vec<OwnedEventId>,
    redacts: Option<OwnedEventId>,
    content: Box<RawValue>,
}

impl Pdu {
    /// Reads the fields of a PDU whose ID is already known.
    ///
    /// # Errors
    /// [`PduError`] if a field that every PDU has is missing or of the wrong type.
    pub fn parse(event_id: OwnedEventId, json: Bytes) -> Result<Self, PduError> {
        let fields: Fields = serde_json::from_slice(&json)?;
        let names_room = fields.room_id.is_none() && fields.kind == TimelineEventType::RoomCreate;
        let room_id = match fields.room_id {
            Some(room_id) => room_id,
            None if names_room => RoomId::new_v2(event_id.as_str().trim_start_matches('$'))
                .map_err(|_| PduError::Homeless(event_id.clone()))?,
            None => return Err(PduError::Homeless(event_id)),
        };
        Ok(Self {
            event_id,
            room_id,
            sender: fields.sender,
            kind: fields.kind,
            state_key: fields.state_key,
            origin_server_ts: fields.origin_server_ts,
            depth: fields.depth,
            prev_events: fields.prev_events,
            auth_events: fields.auth_events,
            redacts: fields.redacts,
            content: fields.content,
            json,
            names_room,
        })
    }

    /// Reads fields of the content. `None` if they are missing or of another type.
    #[must_use]
    pub fn content_as<'de, T: Deserialize<'de>>(&'de self) -> Option<T> {
        serde_json::from_str(self.content.get()).ok()
    }

    /// The event that a redaction names in its content, as in rooms of version 11 and newer.
    /// Only a caller that knows the room's version can tell which place counts.
    #[must_use]
    pub fn redacts_in_content(&self) -> Option<OwnedEventId> {
        #[derive(Deserialize)]
        struct Content {
            redacts: OwnedEventId,
        }
        let is_redaction = self.kind == TimelineEventType::RoomRedaction;
        is_redaction.then(|| self.content_as::<Content>()).flatten().map(|it| it.redacts)
    }

    /// The type and state key, if this is a state event.
    #[must_use]
    pub fn state_slot(&self) -> Option<(String, &str)> {
        let state_key = self.state_key.as_deref()?;
        Some((self.kind.to_string(), state_key))
    }
}

impl ruma_state_res::Event for Pdu {
    type Id = OwnedEventId;

    fn event_id(&self) -> &OwnedEventId {
        &self.event_id
    }

    fn room_id(&self) -> Option<&RoomId> {
        (!self.names_room).then_some(&*self.room_id)
    }

    fn sender(&self) -> &UserId {
        &self.sender
    }

    fn origin_server_ts(&self) -> MilliSecondsSinceUnixEpoch {
        self.origin_server_ts
    }

    fn event_type(&self) -> &TimelineEventType {
        &self.kind
    }

    fn content(&self) -> &RawValue {
        &self.content
    }

    fn state_key(&self) -> Option<&str> {
        self.state_key.as_deref()
    }

    fn prev_events(&self) -> Box<dyn DoubleEndedIterator<Item = &OwnedEventId> + '_> {
        Box::new(self.prev_events.iter())
    }

    fn auth_events(&self) -> Box<dyn DoubleEndedIterator<Item = &OwnedEventId> + '_> {
        Box::new(self.auth_events.iter())
    }

    fn redacts(&self) -> Option<&OwnedEventId> {
        self.redacts.as_ref()
    }

    fn rejected(&self) -> bool {
        false
    }
}

/// Two events are equal if their IDs are: the ID covers the content.
impl PartialEq for Pdu {
    fn eq(&self, other: &Self) -> bool {
        self.event_id == other.event_id
    }
}

impl Eq for Pdu {}

impl AsRef<EventId> for Pdu {
    fn as_ref(&self) -> &EventId {
        &self.event_id
    }
}
