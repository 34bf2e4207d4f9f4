//! Mutations that say something in a room.

use async_graphql::{Context, Enum, InputObject, Json, Object, Result};
use rookery_domain::{MessageKind, RoomCommand};

use super::acted::{act, room_payload};
use crate::schema::{fault::Fault, scalars::RoomIdScalar};

/// The manner of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "MessageKind", name = "MessageKind")]
pub(crate) enum MessageKindEnum {
    /// Somebody says something.
    Text,
    /// Somebody does something (`/me`).
    Emote,
    /// A program says something.
    Notice,
}

/// What to say, and where.
#[derive(InputObject)]
pub(crate) struct SendMessageInput {
    /// The room.
    room_id: RoomIdScalar,
    /// The text.
    body: String,
    /// The same as HTML, for clients that show it.
    formatted_body: Option<String>,
    /// The manner.
    #[graphql(default_with = "MessageKindEnum::Text")]
    kind: MessageKindEnum,
    /// Your number for this action: 1, 2, 3 ... on each device. A retry with the same number
    /// gives the first result again.
    action_id: Option<i32>,
}

/// An event of a type of your own.
#[derive(InputObject)]
pub(crate) struct SendEventInput {
    /// The room.
    room_id: RoomIdScalar,
    /// The type, such as `com.example.move`. Types that begin with `m.room.` have mutations of
    /// their own.
    #[graphql(name = "type")]
    event_type: String,
    /// The content: a JSON object without fractions.
    content: Json<serde_json::Value>,
    /// Your number for this action.
    action_id: Option<i32>,
}

room_payload!(SendMessagePayload, "What came of sending a message.");
room_payload!(SendEventPayload, "What came of sending an event.");

/// Mutations that say something in a room.
#[derive(Default)]
pub(crate) struct MessageMutation;

#[Object]
impl MessageMutation {
    /// Sends a message.
    async fn send_message(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What to say, and where.")] input: SendMessageInput,
    ) -> Result<SendMessagePayload> {
        let SendMessageInput { room_id, body, formatted_body, kind, action_id } = input;
        let command = RoomCommand::SendMessage { kind: kind.into(), body, formatted_body };
        Ok(act(context, &room_id.0, command, action_id).await?.into())
    }

    /// Sends an event of a type of your own.
    async fn send_event(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "An event of a type of your own.")] input: SendEventInput,
    ) -> Result<SendEventPayload> {
        let SendEventInput { room_id, event_type, content, action_id } = input;
        let command = RoomCommand::SendEvent { event_type, content: object(content)? };
        Ok(act(context, &room_id.0, command, action_id).await?.into())
    }
}

/// The content of an event, which has to be a JSON object.
pub(super) fn object(
    content: Json<serde_json::Value>,
) -> Result<rookery_domain::JsonObject, Fault> {
    match content.0 {
        serde_json::Value::Object(object) => Ok(object),
        _ => Err(Fault::bad_input(
            "`content` has to be a JSON object, such as {\"body\": \"hello\"}",
        )),
    }
}
