//! The mutation that replaces a room by a new one.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use rookery_command::Command;
use rookery_schema::{
    context::{app, retry, session},
    types::{
        errors::refusal::Refusal,
        events::event::RoomEvent,
        rooms::room::Room,
        values::scalars::{PositionScalar, RoomIdScalar},
    },
};

use super::{
    super::acted::{Acted, shows},
    room_version,
};

/// The room to upgrade, and the new version.
#[derive(InputObject)]
pub(crate) struct UpgradeRoomInput {
    /// The room.
    room_id: RoomIdScalar,
    /// The Matrix room version of the new room: `10`, `11` or `12`.
    new_version: String,
    /// Your number for this action.
    action_id: Option<i32>,
}

/// The result of `upgradeRoom`.
#[derive(SimpleObject)]
pub(crate) struct UpgradeRoomPayload {
    /// The tombstone of the old room. Null if it was closed before, or if it was refused.
    event: Option<RoomEvent>,
    /// The old room with the effect. Null if it was refused, or if the server takes longer than a
    /// second to show the effect.
    room: Option<Room>,
    /// The room that replaces it. Null in the same cases.
    replacement: Option<Room>,
    /// Ask for this `minPosition` to see the effect. Null if it was refused.
    position: Option<PositionScalar>,
    /// Why it was refused. Null if it was not.
    refusal: Option<Refusal>,
}

/// The mutation that replaces a room by a new one.
#[derive(Default)]
pub(crate) struct UpgradeMutation;

#[Object]
impl UpgradeMutation {
    /// Creates a new room that replaces another one, and closes the old room. The new room has the
    /// name, topic, avatar, rules, levels, aliases and bans of the old one. If the room is not
    /// public, 100 of its members are invited. If the request fails, repeat it: that continues the
    /// upgrade.
    async fn upgrade_room(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The room to upgrade, and the new version.")] input: UpgradeRoomInput,
    ) -> Result<UpgradeRoomPayload> {
        let UpgradeRoomInput { room_id, new_version, action_id } = input;
        let version = room_version("newVersion", &new_version)?;
        let actor = session(context).actor()?;
        let retry = retry(action_id)?;
        let command = Command::UpgradeRoom { room: &room_id.0, version: &version };
        let result = app(context).commands.execute(&actor, command, retry).await;
        let replacement = result.as_ref().ok().and_then(|outcome| outcome.replacement.clone());
        let position = result.as_ref().map(|outcome| outcome.position).ok();
        let shown = match position {
            Some(position) => shows(context, "replacement", position).await,
            None => false,
        };
        let Acted { event, room, position, refusal, .. } = Acted::of(context, result).await?;
        let replacement = replacement.filter(|_| shown && refusal.is_none()).map(Room::new);
        Ok(UpgradeRoomPayload { event, room, replacement, position, refusal })
    }
}
