//! The fields of messages, reactions and redactions.

use async_graphql::{Enum, Object, Result};
use rookery_domain::{MessageKind, OwnedEventId, OwnedUserId, Relation, RelationKind};

use super::content::EventContent;
use crate::{
    context::{PAGE_MAX, page_size},
    marks::{SharedBy, shared},
    types::{
        users::{pages::UserConnection, user::User},
        values::{
            connection::Page,
            list::List,
            scalars::{EventIdScalar, UserIdScalar},
            text::Text,
        },
    },
};

/// The format of formatted bodies.
const HTML: &str = "org.matrix.custom.html";

/// The kind of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "MessageKind", name = "MessageKind")]
pub enum MessageKindEnum {
    /// A text.
    Text,
    /// An action (`/me`).
    Emote,
    /// A message of a program.
    Notice,
}

/// The fields of a message.
#[derive(Clone)]
pub(super) struct MessageFields(pub(super) EventContent);

#[Object]
impl MessageFields {
    /// The kind. Null for kinds of other servers that have no value here, and after a redaction.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn kind(&self) -> Option<MessageKindEnum> {
        let name = self.0.str("msgtype")?;
        let kinds = [MessageKind::Text, MessageKind::Emote, MessageKind::Notice];
        kinds.into_iter().find(|kind| kind.as_str() == name).map(MessageKindEnum::from)
    }

    /// The text. Null after a redaction.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn body(&self) -> Option<Text> {
        self.0.text("body")
    }

    /// The text as HTML. Show it only after you have removed unsafe elements.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn formatted_body(&self) -> Option<Text> {
        self.0.text("formatted_body").filter(|_| self.0.str("format") == Some(HTML))
    }

    /// The users to notify. Null if the message does not say.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn mentions(&self) -> Option<Mentions> {
        let mentions = self.0.get("m.mentions")?.as_object()?;
        let users = mentions.get("user_ids").and_then(|users| users.as_array());
        let users = users.into_iter().flatten();
        Some(Mentions {
            users: users.filter_map(|user| user.as_str()?.try_into().ok()).collect(),
            is_room: mentions.get("room").and_then(serde_json::Value::as_bool).unwrap_or(false),
            room: self.0.pdu().room_id.clone(),
        })
    }

    /// The event that began its thread.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn thread_root(&self) -> Option<EventIdScalar> {
        let is_thread = |kind: &RelationKind| matches!(kind, RelationKind::Thread { .. });
        related(&self.0, is_thread)
    }

    /// The message that it replaces.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn edits(&self) -> Option<EventIdScalar> {
        related(&self.0, |kind| *kind == RelationKind::Edit)
    }
}

/// The event that an event relates to in this way.
fn related(
    content: &EventContent,
    is_wanted: impl FnOnce(&RelationKind) -> bool,
) -> Option<EventIdScalar> {
    let (event, kind) = Relation::of(content.pdu())?.to?;
    is_wanted(&kind).then_some(EventIdScalar(event))
}

/// The users that a message mentions.
pub(crate) struct Mentions {
    users: Vec<OwnedUserId>,
    is_room: bool,
    room: rookery_domain::OwnedRoomId,
}

/// The users that a message mentions.
#[Object]
impl Mentions {
    /// The IDs of all mentioned users.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn user_ids(&self) -> List<UserIdScalar> {
        self.users.iter().cloned().map(UserIdScalar).collect()
    }

    /// The mentioned users.
    async fn users(
        &self,
        #[graphql(desc = "How many, from 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to continue.")] after: Option<String>,
    ) -> Result<UserConnection> {
        let limit = page_size("first", first, PAGE_MAX)?;
        let page = Page::of(self.users.iter(), limit, after.as_deref(), ToString::to_string)?;
        Ok(UserConnection(page.map(|user| User::in_room(user.clone(), self.room.clone()))))
    }

    /// Whether the whole room is mentioned.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn is_room(&self) -> bool {
        self.is_room
    }
}

/// The fields of a reaction.
#[derive(Clone)]
pub(super) struct ReactionFields(pub(super) EventContent);

#[Object]
impl ReactionFields {
    /// The key, usually an emoji. Null after a redaction.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn key(&self) -> Option<Text> {
        match Relation::of(self.0.pdu())?.to? {
            (_, RelationKind::Reaction(key)) => Some(Text(key)),
            _ => None,
        }
    }

    /// The event that the user reacts to. Null after a redaction.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn reacts_to(&self) -> Option<EventIdScalar> {
        related(&self.0, |kind| matches!(kind, RelationKind::Reaction(_)))
    }
}

/// The fields of a redaction.
#[derive(Clone)]
pub(super) struct RedactionFields(pub(super) EventContent);

#[Object]
impl RedactionFields {
    /// The redacted event.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn redacts(&self) -> Option<EventIdScalar> {
        let pdu = self.0.pdu();
        let target: Option<OwnedEventId> = pdu.redacts.clone();
        target.or_else(|| pdu.redacts_in_content()).map(EventIdScalar)
    }

    /// The reason that the user gave.
    #[graphql(directive = shared::apply(SharedBy::Everyone))]
    async fn reason(&self) -> Option<Text> {
        self.0.text("reason")
    }
}
