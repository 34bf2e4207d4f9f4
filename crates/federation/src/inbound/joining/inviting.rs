//! Invites of users of this server by users of other servers.
//!
//! **Invariant:** this server signs an invite only if it is that of the asking server, in every field.

use std::sync::Arc;

use axum::extract::{Path, State};
use rookery_domain::{
    Elsewhere, Incoming, Membership, OwnedEventId, OwnedRoomId, OwnedUserId, Pdu, RoomVersionId,
};
use rookery_log::Millis;
use rookery_pdu::supported_rules;
use serde::Deserialize;
use serde_json::{json, value::RawValue};

use crate::{
    elsewhere::{preview_of, verified},
    home::Home,
    inbound::{
        authenticated::Authenticated,
        refusal::{Answer, Refusal, Reply},
    },
};

#[derive(Deserialize)]
struct Invited {
    room_version: RoomVersionId,
    event: Box<RawValue>,
    #[serde(default)]
    invite_room_state: Vec<Box<RawValue>>,
}

pub(in crate::inbound) async fn invite(
    State(home): State<Arc<Home>>,
    Path((room, id)): Path<(OwnedRoomId, OwnedEventId)>,
    request: Authenticated,
) -> Answer {
    // The work goes on if the other side goes away: its retry finds the invite.
    let work = tokio::spawn(async move { take(&home, &request, &room, &id).await });
    work.await.map_err(|error| Refusal::fault(&error))?
}

async fn take(
    home: &Home,
    request: &Authenticated,
    room: &OwnedRoomId,
    id: &OwnedEventId,
) -> Answer {
    let Invited { room_version: version, event, invite_room_state } = request.json()?;
    if supported_rules(&version).is_none() {
        let why = format!("this server does not know version {version} of rooms");
        let refusal = Refusal::bad("M_INCOMPATIBLE_ROOM_VERSION", why);
        return Err(Refusal { more: Some(("room_version", json!(version))), ..refusal });
    }
    let incoming = Incoming::read(&event, &version);
    let incoming = incoming.map_err(|error| Refusal::bad("M_BAD_JSON", error.to_string()))?;
    if incoming.event_id() != id {
        return Err(Refusal::invalid("the event has another ID than the path names"));
    }
    let pdu = verified(&home.keys, &event, &version).await;
    let pdu = pdu.map_err(|why| Refusal::forbidden(format!("the invite does not count: {why}")))?;
    let user = invited(home, request, room, &pdu)?;
    if !home.commands.user_exists(&user).await? {
        return Err(Refusal::not_found("there is no such user"));
    }
    home.rates.invite(&request.origin, &user, home.now())?;
    let cosigned = home.events().cosigned(&pdu, &version).map_err(|it| Refusal::fault(&it))?;
    // In a room of this server the invite comes as an event.
    if !home.commands.is_in_room(room).await? {
        let standing = Elsewhere {
            membership: Membership::Invite,
            preview: preview_of(&pdu, &invite_room_state),
            event_id: id.clone(),
            sent: pdu.origin_server_ts.0.into(),
            version,
            via: vec![request.origin.clone()],
        };
        home.commands.set_elsewhere(&user, standing, Millis(home.now())).await?;
    }
    Ok(Reply::of(&json!({ "event": cosigned })))
}

/// The invited user, if the event is an invite of a user of this server by a user of the other one.
fn invited(
    home: &Home,
    request: &Authenticated,
    room: &OwnedRoomId,
    pdu: &Pdu,
) -> Result<OwnedUserId, Refusal> {
    let user = pdu.state_key.as_deref().and_then(|user| OwnedUserId::try_from(user).ok());
    let user = user.filter(|user| user.server_name() == home.own.server_name);
    let is_invite =
        pdu.kind.to_string() == "m.room.member" && Membership::of(pdu) == Membership::Invite;
    match user {
        Some(user)
            if is_invite && pdu.room_id == *room && pdu.sender.server_name() == request.origin =>
        {
            Ok(user)
        }
        _ => Err(Refusal::invalid(
            "the event is not an invite of a user of this server by a user of yours to this room",
        )),
    }
}
