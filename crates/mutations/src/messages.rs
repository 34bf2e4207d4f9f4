//! Mutations that send messages and other events.

pub(super) mod redaction;

use async_graphql::{Context, InputObject, Json, Object, Result};
use rookery_domain::{Mentions, MessageRelation, RoomCommand, RoomId};
use rookery_schema::{
    context::{retry_of_event, session},
    types::{
        errors::fault::Fault,
        events::MessageKindEnum,
        values::scalars::{EventIdScalar, RoomIdScalar, UserIdScalar},
    },
};

use super::acted::{Acted, act, act_with, room_payload};

/// The message to send.
#[derive(InputObject)]
pub(crate) struct SendMessageInput {
    /// The room.
    room_id: RoomIdScalar,
    /// The text.
    body: String,
    /// The text as HTML, for clients that show it.
    formatted_body: Option<String>,
    /// The kind.
    #[graphql(default_with = "MessageKindEnum::Text")]
    kind: MessageKindEnum,
    /// The event that it answers. With `threadRoot`: an event of that thread.
    reply_to: Option<EventIdScalar>,
    /// The event that began its thread. A message that is in no thread itself may begin one.
    thread_root: Option<EventIdScalar>,
    /// Your message that it replaces. Do not combine it with `replyTo` or `threadRoot`: the message
    /// keeps its place.
    edits: Option<EventIdScalar>,
    /// The users to notify. For an edit: all mentions of the edited message.
    mentions: Option<MentionsInput>,
    /// Your number for this action: 1, 2, 3 ... on each device. A retry with the same number
    /// returns the first result.
    action_id: Option<i32>,
    /// Your name for this event, such as one that follows from an event that you answer: 1 to 255
    /// bytes. Under one name you send one event, from all your devices and for ever. A repetition
    /// returns the first event. It takes the place of `actionId`.
    transaction_id: Option<String>,
}

/// The users that a message mentions.
#[derive(InputObject)]
pub(crate) struct MentionsInput {
    /// The mentioned users, at most 100.
    #[graphql(default)]
    user_ids: Vec<UserIdScalar>,
    /// Whether the whole room is mentioned.
    #[graphql(default)]
    is_room: bool,
}

/// A reaction to an event.
#[derive(InputObject)]
pub(crate) struct AddReactionInput {
    /// The room.
    room_id: RoomIdScalar,
    /// The event to react to.
    event_id: EventIdScalar,
    /// The key of the reaction, usually an emoji. At most 255 bytes.
    key: String,
    /// Your number for this action.
    action_id: Option<i32>,
}

/// An event of your own type.
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
    /// Your name for this event, in place of `actionId`, as for `sendMessage`.
    transaction_id: Option<String>,
}

room_payload!(SendMessagePayload, "The result of `sendMessage`.");
room_payload!(AddReactionPayload, "The result of `addReaction`.");
room_payload!(SendEventPayload, "The result of `sendEvent`.");

/// Mutations that send messages and other events.
#[derive(Default)]
pub(crate) struct MessageMutation;

#[Object]
impl MessageMutation {
    /// Sends a message.
    async fn send_message(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The message to send.")] input: SendMessageInput,
    ) -> Result<SendMessagePayload> {
        let relation = relation(input.reply_to, input.thread_root, input.edits)?;
        let mentions = input.mentions.map(|mentions| Mentions {
            users: mentions.user_ids.into_iter().map(|user| user.0).collect(),
            room: mentions.is_room,
        });
        let SendMessageInput {
            room_id, body, formatted_body, kind, action_id, transaction_id, ..
        } = input;
        let kind = kind.into();
        let command = RoomCommand::SendMessage { kind, body, formatted_body, relation, mentions };
        Ok(send(context, &room_id.0, command, action_id, transaction_id).await?.into())
    }

    /// Reacts to an event. Repeating a reaction changes nothing; redact it to remove it.
    async fn add_reaction(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "A reaction to an event.")] input: AddReactionInput,
    ) -> Result<AddReactionPayload> {
        let AddReactionInput { room_id, event_id, key, action_id } = input;
        let command = RoomCommand::React { event_id: event_id.0, key };
        Ok(act(context, &room_id.0, command, action_id).await?.into())
    }

    /// Sends an event of your own type.
    async fn send_event(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "An event of your own type.")] input: SendEventInput,
    ) -> Result<SendEventPayload> {
        let SendEventInput { room_id, event_type, content, action_id, transaction_id } = input;
        let command = RoomCommand::SendEvent { event_type, content: object(content)? };
        Ok(send(context, &room_id.0, command, action_id, transaction_id).await?.into())
    }
}

/// Sends an event that a retry finds by its number or by its name.
async fn send(
    context: &Context<'_>,
    room: &RoomId,
    command: RoomCommand,
    action_id: Option<i32>,
    transaction_id: Option<String>,
) -> Result<Acted> {
    let user = session(context).actor()?.user;
    let retry = retry_of_event(&user, action_id, transaction_id.as_deref())?;
    act_with(context, room, command, retry).await
}

/// The relation of a message: an answer or an edit, but not both.
fn relation(
    reply_to: Option<EventIdScalar>,
    thread_root: Option<EventIdScalar>,
    edits: Option<EventIdScalar>,
) -> Result<Option<MessageRelation>, Fault> {
    Ok(match (reply_to, thread_root, edits) {
        (None, None, None) => None,
        (Some(event), None, None) => Some(MessageRelation::Reply(event.0)),
        (reply_to, Some(root), None) => {
            let reply_to = reply_to.map(|event| event.0);
            Some(MessageRelation::Thread { root: root.0, reply_to })
        }
        (None, None, Some(event)) => Some(MessageRelation::Edit(event.0)),
        _ => return Err(Fault::bad_input("`edits` goes with neither `replyTo` nor `threadRoot`")),
    })
}

/// The content of an event, which has to be a JSON object.
pub(crate) fn object(
    content: Json<serde_json::Value>,
) -> Result<rookery_domain::JsonObject, Fault> {
    match content.0 {
        serde_json::Value::Object(object) => Ok(object),
        _ => Err(Fault::bad_input(
            "`content` has to be a JSON object, such as {\"body\": \"hello\"}",
        )),
    }
}
