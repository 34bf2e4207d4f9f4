//! The common part of all mutations that act in a room.

use async_graphql::{Context, Result};
use rookery_command::{Actor, Command, HandleError, Outcome, Retry};
use rookery_domain::{RoomCommand, RoomId};
use rookery_log::Position;
use rookery_schema::{
    context::{STALE_AFTER, app, retry, session},
    types::{
        errors::refusal::{Refusal, refused},
        events::event::RoomEvent,
        rooms::room::Room,
        values::scalars::PositionScalar,
    },
};

/// The result of a mutation that acts in a room.
pub(crate) struct Acted {
    pub(crate) event: Option<RoomEvent>,
    pub(crate) room: Option<Room>,
    pub(crate) position: Option<PositionScalar>,
    pub(crate) refusal: Option<Refusal>,
    /// Other servers have not answered yet.
    pub(crate) is_pending: bool,
}

impl Acted {
    /// Turns the outcome of a command into the fields of a payload.
    pub(crate) async fn of(
        context: &Context<'_>,
        result: Result<Outcome, HandleError>,
    ) -> Result<Self> {
        match refused(context, result)? {
            Ok(outcome) => {
                app(context).wrote(session(context), outcome.position);
                let shown = shows(context, "room", outcome.position).await;
                let is_pending = outcome.remote.is_some();
                let last = outcome.events.len().checked_sub(1);
                let last = last.map(|index| RoomEvent::committed(&outcome, index));
                Ok(Self {
                    event: last,
                    room: outcome.room_id.filter(|_| shown && !is_pending).map(Room::new),
                    position: Some(app(context).token(outcome.position)),
                    refusal: None,
                    is_pending,
                })
            }
            Err(refusal) => Ok(Self::refused(refusal)),
        }
    }

    /// The result of a refused command.
    pub(crate) fn refused(refusal: Refusal) -> Self {
        Self { event: None, room: None, position: None, refusal: Some(refusal), is_pending: false }
    }
}

/// Whether `field` of the payload is requested and the read side shows the effect. Without the
/// field there is no wait.
pub(super) async fn shows(context: &Context<'_>, field: &str, position: Position) -> bool {
    context.look_ahead().field(field).exists()
        && app(context).models.wait_for(position, STALE_AFTER).await.is_ok()
}

/// Carries out a command in a room.
pub(crate) async fn act(
    context: &Context<'_>,
    room_id: &RoomId,
    command: RoomCommand,
    action_id: Option<i32>,
) -> Result<Acted> {
    act_with(context, room_id, command, retry(action_id)?).await
}

/// Carries out a command in a room that the server recognises by `retry`.
pub(crate) async fn act_with(
    context: &Context<'_>,
    room_id: &RoomId,
    command: RoomCommand,
    retry: Retry,
) -> Result<Acted> {
    let actor = session(context).actor()?;
    let command = Command::InRoom { room: room_id, command: &command };
    let result = carry_out(context, &actor, command, retry).await;
    Acted::of(context, result).await
}

/// Carries out a command, and waits for the answers of other servers as long as a request may take.
pub(crate) async fn carry_out(
    context: &Context<'_>,
    actor: &Actor,
    command: Command<'_>,
    retry: Retry,
) -> Result<Outcome, HandleError> {
    let app = app(context);
    let outcome = app.commands.execute(actor, command, retry).await?;
    app.commands.settled(outcome, app.remote_wait).await
}

/// Defines the payload of one mutation that acts in a room.
macro_rules! room_payload {
    ($name:ident, $doc:literal) => {
        #[doc = $doc]
        #[derive(async_graphql::SimpleObject)]
        pub(crate) struct $name {
            /// The event that it made, the last one if there are several. Null if it changed
            /// nothing, or if it was refused.
            pub(crate) event: Option<rookery_schema::types::events::event::RoomEvent>,
            /// The room with the effect. Null if it was refused, or if the server takes longer than
            /// a second to show the effect.
            pub(crate) room: Option<rookery_schema::types::rooms::room::Room>,
            /// Ask for this `minPosition` to see the effect. Null if it was refused.
            pub(crate) position: Option<rookery_schema::types::values::scalars::PositionScalar>,
            /// Why it was refused. Null if it was not.
            pub(crate) refusal: Option<rookery_schema::types::errors::refusal::Refusal>,
        }

        impl From<crate::acted::Acted> for $name {
            fn from(acted: crate::acted::Acted) -> Self {
                let crate::acted::Acted { event, room, position, refusal, .. } = acted;
                Self { event, room, position, refusal }
            }
        }
    };
}
pub(crate) use room_payload;

/// Defines the payload of one mutation that acts in a room, and for which other servers may have to
/// answer.
macro_rules! remote_payload {
    ($name:ident, $doc:literal) => {
        #[doc = $doc]
        #[derive(async_graphql::SimpleObject)]
        pub(crate) struct $name {
            /// The event that it made. Null if it changed nothing, if it was refused, or if this
            /// server is not in the room.
            pub(crate) event: Option<rookery_schema::types::events::event::RoomEvent>,
            /// The room with the effect. Null if it was refused, or if the server takes longer than
            /// a second to show the effect.
            pub(crate) room: Option<rookery_schema::types::rooms::room::Room>,
            /// Ask for this `minPosition` to see the effect. Null if it was refused.
            pub(crate) position: Option<rookery_schema::types::values::scalars::PositionScalar>,
            /// Other servers have not answered yet, and the action goes on. `RemoteActionEnded` on
            /// your stream tells how it ends. The same action ID gives the outcome then.
            pub(crate) is_pending: bool,
            /// Why it was refused. Null if it was not.
            pub(crate) refusal: Option<rookery_schema::types::errors::refusal::Refusal>,
        }

        impl From<crate::acted::Acted> for $name {
            fn from(acted: crate::acted::Acted) -> Self {
                let crate::acted::Acted { event, room, position, refusal, is_pending } = acted;
                Self { event, room, position, is_pending, refusal }
            }
        }
    };
}
pub(crate) use remote_payload;
