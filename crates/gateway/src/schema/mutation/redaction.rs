//! The mutation that takes back what an event said.

use async_graphql::{Context, InputObject, Object, Result};
use rookery_domain::RoomCommand;

use super::acted::{act, room_payload};
use crate::schema::types::values::scalars::{EventIdScalar, RoomIdScalar};

/// Which event to take back, and why.
#[derive(InputObject)]
pub(crate) struct RedactEventInput {
    /// The room.
    room_id: RoomIdScalar,
    /// The event: one of your own, or any with the power to redact.
    event_id: EventIdScalar,
    /// Shown to all who may see the redaction.
    reason: Option<String>,
    /// Your number for this action.
    action_id: Option<i32>,
}

room_payload!(RedactEventPayload, "What came of a redaction. `event` is the redaction.");

/// The mutation that takes back what an event said.
#[derive(Default)]
pub(crate) struct RedactionMutation;

#[Object]
impl RedactionMutation {
    /// Takes back what an event said: its content goes, for everybody and for good, and that of
    /// its edits. Its place, its type and its sender stay, and of state what the rules of the room
    /// need.
    async fn redact_event(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which event to take back, and why.")] input: RedactEventInput,
    ) -> Result<RedactEventPayload> {
        let RedactEventInput { room_id, event_id, reason, action_id } = input;
        let command = RoomCommand::Redact { event_id: event_id.0, reason };
        Ok(act(context, &room_id.0, command, action_id).await?.into())
    }
}
