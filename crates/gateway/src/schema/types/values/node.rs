//! Global IDs: `Node` of the Relay specification.

use async_graphql::{Context, ID, Interface, Result};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rookery_domain::{OwnedEventId, OwnedRoomId, OwnedUserId};

use crate::schema::{
    context::session,
    types::{
        errors::fault::Fault,
        events::event::{RoomEvent, one_event},
        rooms::room::Room,
        users::user::User,
    },
};

/// An object that can be fetched again by its global ID.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "The global ID of the object."))]
pub(crate) enum Node {
    /// A room.
    Room(Room),
    /// A room event.
    RoomEvent(RoomEvent),
    /// A user.
    User(User),
}

/// The object that a global ID names.
pub(crate) enum NodeId {
    /// A room.
    Room(OwnedRoomId),
    /// A room event.
    Event(OwnedEventId),
    /// A user.
    User(OwnedUserId),
}

impl From<NodeId> for ID {
    fn from(node: NodeId) -> Self {
        let text = match node {
            NodeId::Room(id) => id.to_string(),
            NodeId::Event(id) => id.to_string(),
            NodeId::User(id) => id.to_string(),
        };
        Self(URL_SAFE_NO_PAD.encode(text))
    }
}

impl NodeId {
    /// The first letter of its Matrix ID gives the kind of an object.
    fn parse(id: &ID) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(id.as_str()).ok()?).ok()?;
        match text.chars().next()? {
            '!' => text.try_into().ok().map(Self::Room),
            '$' => text.try_into().ok().map(Self::Event),
            '@' => text.try_into().ok().map(Self::User),
            _ => None,
        }
    }
}

/// Fetches an object, if the viewer may see it.
pub(crate) async fn node(context: &Context<'_>, id: &ID) -> Result<Option<Node>> {
    let malformed = || Fault::bad_input("`id` is not a global ID of this server");
    Ok(match NodeId::parse(id).ok_or_else(malformed)? {
        NodeId::Room(room) => Room::visible(context, room)?.map(Node::Room),
        NodeId::User(user) => Some(Node::User(User::new(user))),
        NodeId::Event(event) => {
            let viewer = session(context).viewpoint()?;
            let found = one_event(context, &event, &viewer).await?;
            found.and_then(|(_, event)| RoomEvent::of_timeline(&event)).map(Node::RoomEvent)
        }
    })
}
