//! Global IDs of objects, as `Node` of the Relay specification has them.

use async_graphql::ID;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rookery_domain::{OwnedEventId, OwnedRoomId, OwnedUserId};

/// The object that a global ID names.
pub enum NodeId {
    /// A room.
    Room(OwnedRoomId),
    /// A room event.
    Event(OwnedEventId),
    /// A user.
    User(OwnedUserId),
    /// The call that this event placed.
    Call(OwnedEventId),
}

/// The global ID of a call begins with this, before the ID of its invite.
const CALL: &str = "call:";

impl From<NodeId> for ID {
    fn from(node: NodeId) -> Self {
        let text = match node {
            NodeId::Room(id) => id.to_string(),
            NodeId::Event(id) => id.to_string(),
            NodeId::User(id) => id.to_string(),
            NodeId::Call(invite) => format!("{CALL}{invite}"),
        };
        Self(URL_SAFE_NO_PAD.encode(text))
    }
}

impl NodeId {
    /// The object of a global ID.
    pub fn of_text(id: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(id).ok()?).ok()?;
        match text.strip_prefix(CALL) {
            Some(invite) => invite.try_into().ok().map(Self::Call),
            None => Self::of_matrix_id(text),
        }
    }

    /// The first letter of its Matrix ID gives the kind of an object.
    pub fn of_matrix_id(text: String) -> Option<Self> {
        match text.chars().next()? {
            '!' => text.try_into().ok().map(Self::Room),
            '$' => text.try_into().ok().map(Self::Event),
            '@' => text.try_into().ok().map(Self::User),
            _ => None,
        }
    }
}
