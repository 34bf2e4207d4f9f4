//! Events that end an invite to a room that is not here, or a request to join one.

use rookery_domain::{ElsewhereEnd, Membership, RoomId, ServerName, UserId};
use rookery_log::Millis;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::verified;
use crate::home::Home;

#[derive(Deserialize)]
struct Aim {
    #[serde(rename = "type")]
    kind: String,
    state_key: Option<String>,
}

/// Takes an event that ends the standing of a user in a room that this server is not in. Returns
/// whether it was one. Only servers that are known to be in the room can end it.
pub(crate) async fn take_withdrawal(
    home: &Home,
    origin: &ServerName,
    room: &RoomId,
    event: &RawValue,
) -> Result<bool, rookery_command::HandleError> {
    // Most events are no memberships, and are not parsed here.
    if !event.get().contains("m.room.member") {
        return Ok(false);
    }
    let Ok(Aim { kind, state_key: Some(user) }) = serde_json::from_str(event.get()) else {
        return Ok(false);
    };
    let Ok(user) = <&UserId>::try_from(user.as_str()) else { return Ok(false) };
    if kind != "m.room.member" || user.server_name() != home.own.server_name {
        return Ok(false);
    }
    let rooms = home.commands.elsewhere(user).await?;
    let Some(standing) = rooms.get(room).map(|it| &it.standing) else { return Ok(false) };
    if !standing.via.iter().any(|server| server == origin) {
        return Ok(false);
    }
    let pdu = match verified(&home.keys, event, &standing.version).await {
        Ok(pdu) => pdu,
        Err(why) => {
            tracing::warn!(%origin, %room, "an event that ends an invite does not count: {why}");
            return Ok(false);
        }
    };
    let how = match Membership::of(&pdu) {
        Membership::Leave => ElsewhereEnd::Withdrawn,
        Membership::Ban => ElsewhereEnd::Banned,
        _ => return Ok(false),
    };
    let is_meant = pdu.room_id == room
        && pdu.state_key.as_deref() == Some(user.as_str())
        && pdu.sender.server_name() == origin;
    if !is_meant {
        return Ok(false);
    }
    let (id, by) = (pdu.event_id.as_str(), pdu.sender.clone());
    let now = Millis(home.now());
    home.commands.end_elsewhere(user, room.to_owned(), (how, by), id, now).await?;
    Ok(true)
}
