//! The mutation that redacts events.

use async_graphql::{Context, InputObject, Object, Result};
use rookery_domain::RoomCommand;
use rookery_schema::types::values::scalars::{EventIdScalar, RoomIdScalar};

use crate::acted::{act, room_payload};

/// The event to redact.
#[derive(InputObject)]
pub(crate) struct RedactEventInput {
    /// The room.
    room_id: RoomIdScalar,
    /// The event: one of your own, or any event if you have the power to redact.
    event_id: EventIdScalar,
    /// Shown to all who may see the redaction.
    reason: Option<String>,
    /// Your number for this action.
    action_id: Option<i32>,
}

room_payload!(RedactEventPayload, "The result of `redactEvent`. `event` is the redaction.");

/// The mutation that redacts events.
#[derive(Default)]
pub(crate) struct RedactionMutation;

#[Object]
impl RedactionMutation {
    /// Redacts an event: its content and that of its edits are removed, for everybody and
    /// permanently. Its place, its type and its sender stay. State keeps the content that the rules
    /// of the room need.
    async fn redact_event(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The event to redact.")] input: RedactEventInput,
    ) -> Result<RedactEventPayload> {
        let RedactEventInput { room_id, event_id, reason, action_id } = input;
        let command = RoomCommand::Redact { event_id: event_id.0, reason };
        Ok(act(context, &room_id.0, command, action_id).await?.into())
    }
}
