//! Joins, leaves and knocks of users of other servers.

pub(super) mod inviting;

use std::sync::Arc;

use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use rookery_command::Received;
use rookery_domain::{
    EventStatus, Incoming, Membership, OwnedEventId, OwnedRoomId, OwnedServerName, OwnedUserId,
    Pdu, Room, RoomId, RoomVersionId, UserId,
};
use serde::Serialize;
use serde_json::{json, value::RawValue};

use super::{
    authenticated::Authenticated,
    events::Query,
    refusal::{Answer, Refusal, Reply},
};
use crate::{
    home::Home,
    rooms::{Standing, Template, TemplateError, servers},
};

/// Most rooms of a join rule that are looked at.
const ALLOWED_ROOMS_MAX: usize = 50;

pub(super) async fn make_join(
    State(home): State<Arc<Home>>,
    Path((room, user)): Path<(OwnedRoomId, OwnedUserId)>,
    RawQuery(query): RawQuery,
    request: Authenticated,
) -> Answer {
    let query = Query::of(query.as_deref());
    make(&home, &request, (&room, &user), Membership::Join, Some(&query)).await
}

pub(super) async fn make_leave(
    State(home): State<Arc<Home>>,
    Path((room, user)): Path<(OwnedRoomId, OwnedUserId)>,
    request: Authenticated,
) -> Answer {
    make(&home, &request, (&room, &user), Membership::Leave, None).await
}

pub(super) async fn make_knock(
    State(home): State<Arc<Home>>,
    Path((room, user)): Path<(OwnedRoomId, OwnedUserId)>,
    RawQuery(query): RawQuery,
    request: Authenticated,
) -> Answer {
    let query = Query::of(query.as_deref());
    make(&home, &request, (&room, &user), Membership::Knock, Some(&query)).await
}

async fn make(
    home: &Home,
    request: &Authenticated,
    (room, user): (&RoomId, &UserId),
    membership: Membership,
    query: Option<&Query>,
) -> Answer {
    if user.server_name() != request.origin {
        return Err(Refusal::forbidden("the user is not one of your server"));
    }
    let version = let_in(home, request, room).await?;
    if let Some(query) = query {
        let is_known = query.all("ver").any(|known| known == version.as_str());
        if !is_known {
            let why = format!("your server does not know version {version} of rooms");
            let refusal = Refusal::bad("M_INCOMPATIBLE_ROOM_VERSION", why);
            return Err(Refusal { more: Some(("room_version", json!(version))), ..refusal });
        }
    }
    let (version, event) = template(home, room, user, membership).await?;
    Ok(Reply::of(&json!({ "room_version": version, "event": event })))
}

/// The event that a user may complete now.
async fn template(
    home: &Home,
    room: &RoomId,
    user: &UserId,
    membership: Membership,
) -> Result<(RoomVersionId, serde_json::Value), Refusal> {
    let template = Template {
        user,
        membership,
        now: home.now(),
        is_in_allowed_room: is_in_allowed_room(home, room, user).await?,
        server_name: &home.own.server_name,
    };
    let made = home.look(room, |room: &Room| template.of(room)).await?;
    let made = made.ok_or_else(|| Refusal::not_found("there is no such room"))?;
    made.map_err(|error| match error {
        TemplateError::Forbidden(why) => Refusal::forbidden(why),
        TemplateError::CannotAuthorise => Refusal::bad(
            "M_UNABLE_TO_GRANT_JOIN",
            "no user of this server may let the user in: ask another server of the room",
        ),
        TemplateError::Broken(why) => Refusal::fault(&why),
    })
}

/// The version of a room that exists and lets the server take part.
async fn let_in(
    home: &Home,
    request: &Authenticated,
    room: &RoomId,
) -> Result<RoomVersionId, Refusal> {
    let standing = Standing::of(&home.commands, &request.origin, room).await?;
    let version =
        standing.version.ok_or_else(|| Refusal::not_found("this server is not in such a room"))?;
    if !standing.is_let_in {
        return Err(Refusal::forbidden("the room does not let your server take part"));
    }
    Ok(version)
}

/// Whether a user is in a room that the join rule of another room names.
async fn is_in_allowed_room(home: &Home, room: &RoomId, user: &UserId) -> Result<bool, Refusal> {
    let allowed = home.look(room, |room: &Room| room.join_rule().allowed_rooms().to_vec()).await?;
    for allowed in allowed.unwrap_or_default().iter().take(ALLOWED_ROOMS_MAX) {
        let joined = |room: &Room| room.membership(user) == Membership::Join;
        if home.look(allowed, joined).await? == Some(true) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[derive(Serialize)]
struct Joined {
    origin: OwnedServerName,
    event: Box<RawValue>,
    state: Vec<Box<RawValue>>,
    auth_chain: Vec<Box<RawValue>>,
    members_omitted: bool,
    servers_in_room: Vec<OwnedServerName>,
}

pub(super) async fn send_join(
    State(home): State<Arc<Home>>,
    Path((room, id)): Path<(OwnedRoomId, OwnedEventId)>,
    request: Authenticated,
) -> Answer {
    // The work goes on if the other side goes away: it may have joined then.
    let work = tokio::spawn(async move { join(&home, &request, &room, &id).await });
    work.await.map_err(|error| Refusal::fault(&error))?
}

async fn join(home: &Home, request: &Authenticated, room: &RoomId, id: &OwnedEventId) -> Answer {
    let version = take(home, request, (room, id), Membership::Join).await?;
    let _turn = home.large_answers.take(&request.origin).await?;
    let fault = |error: String| Refusal::fault(&error);
    let events = home.events();
    let own = events.get(room, std::slice::from_ref(id)).await.map_err(fault)?;
    let event = own.first().ok_or_else(|| Refusal::fault(&"the join is not in the log"))?;
    let state = home.state_before(room, event).await?.unwrap_or_default();
    let state = events.get(room, &state).await.map_err(fault)?;
    let chain_of: Vec<_> = state.iter().chain(&own).cloned().collect();
    let chain = events.auth_chain(room, &chain_of).await.map_err(fault)?;
    let bytes = |pdu: &Pdu| events.bytes(pdu, &version).map_err(fault);
    let servers = home.look(room, servers).await?.unwrap_or_default();
    Reply::from(&Joined {
        origin: home.own.server_name.clone(),
        event: bytes(&event.pdu)?,
        state: state.iter().map(|it| bytes(&it.pdu)).collect::<Result<_, _>>()?,
        auth_chain: chain.iter().map(|it| bytes(&it.pdu)).collect::<Result<_, _>>()?,
        members_omitted: false,
        servers_in_room: servers.into_iter().collect(),
    })
}

pub(super) async fn send_leave(
    State(home): State<Arc<Home>>,
    Path((room, id)): Path<(OwnedRoomId, OwnedEventId)>,
    request: Authenticated,
) -> Answer {
    let work = tokio::spawn(async move {
        take(&home, &request, (&room, &id), Membership::Leave).await?;
        Ok(Reply::of(&json!({})))
    });
    work.await.map_err(|error| Refusal::fault(&error))?
}

pub(super) async fn send_knock(
    State(home): State<Arc<Home>>,
    Path((room, id)): Path<(OwnedRoomId, OwnedEventId)>,
    request: Authenticated,
) -> Answer {
    let work = tokio::spawn(async move {
        take(&home, &request, (&room, &id), Membership::Knock).await?;
        let state = home.look(&room, preview).await?.unwrap_or_default();
        Ok(Reply::of(&json!({ "knock_room_state": state })))
    });
    work.await.map_err(|error| Refusal::fault(&error))?
}

/// The stripped state of a room, which users outside of the room may know.
pub(crate) fn preview(room: &Room) -> Vec<serde_json::Value> {
    const SHOWN: [&str; 7] = [
        "m.room.create",
        "m.room.name",
        "m.room.avatar",
        "m.room.topic",
        "m.room.join_rules",
        "m.room.canonical_alias",
        "m.room.encryption",
    ];
    let held = SHOWN.iter().filter_map(|kind| room.state(kind, ""));
    let stripped = held.map(|event| {
        json!({
            "type": event.kind.to_string(), "state_key": "", "sender": event.sender,
            "content": event.content,
        })
    });
    stripped.collect()
}

/// Takes a membership event of a user of the asking server, and passes it on to the other servers of the room.
async fn take(
    home: &Home,
    request: &Authenticated,
    (room, id): (&RoomId, &OwnedEventId),
    membership: Membership,
) -> Result<RoomVersionId, Refusal> {
    let version = let_in(home, request, room).await?;
    let event: Box<RawValue> = request.json()?;
    let pdu = checked(request, (room, id, membership), &version, &event)?;
    let event = if membership == Membership::Join && needs_signature(home, &pdu) {
        // The other server wrote the event. Whether the user may be let in is decided again here, since the rules of
        // the room do not know who is in the rooms that it names.
        template(home, room, &pdu.sender, membership).await?;
        home.events().cosigned(&pdu, &version).map_err(|error| Refusal::fault(&error))?
    } else {
        event
    };
    home.store.relay(id.clone(), request.origin.clone()).await?;
    let receipts = home.receive(&request.origin, room, &[event]).await?;
    let received = receipts.into_iter().next().map(|receipt| receipt.received);
    let is_taken = matches!(
        received,
        Some(
            Received::Accepted { .. }
                | Received::SoftFailed { .. }
                | Received::Known { status: EventStatus::Accepted }
        )
    );
    if !is_taken {
        home.store.do_not_relay(id.clone()).await?;
    }
    match received {
        Some(Received::Accepted { position }) => {
            home.caught_up(position).await.map_err(|error| Refusal::fault(&error))?;
            Ok(version)
        }
        Some(Received::Known { status: EventStatus::Accepted }) => Ok(version),
        Some(Received::SoftFailed { reason, .. } | Received::Rejected { reason, .. }) => {
            Err(Refusal::forbidden(reason))
        }
        Some(Received::Known { .. }) => {
            Err(Refusal::forbidden("the room refused this event before"))
        }
        Some(Received::Held { .. }) => {
            let why = "the event follows events that this server does not have";
            Err(Refusal::new(StatusCode::CONFLICT, "M_UNKNOWN", why))
        }
        Some(Received::Refused { reason }) => Err(Refusal::forbidden(reason)),
        None => Err(Refusal::fault(&"an event has no receipt")),
    }
}

/// The event, if it is what its path says.
fn checked(
    request: &Authenticated,
    (room, id, membership): (&RoomId, &OwnedEventId, Membership),
    version: &RoomVersionId,
    event: &RawValue,
) -> Result<Pdu, Refusal> {
    let incoming = Incoming::read(event, version);
    let incoming = incoming.map_err(|error| Refusal::bad("M_BAD_JSON", error.to_string()))?;
    if incoming.event_id() != id {
        return Err(Refusal::invalid("the event has another ID than the path names"));
    }
    let pdu = incoming.unverified();
    let is_own = pdu.sender.server_name() == request.origin
        && pdu.state_key.as_deref() == Some(pdu.sender.as_str());
    let is_membership =
        pdu.kind.to_string() == "m.room.member" && Membership::of(&pdu) == membership;
    if !is_own || !is_membership || pdu.room_id != room {
        let what = membership.as_str();
        let why = format!("the event is not the {what} of a user of your server in this room");
        return Err(Refusal::invalid(why));
    }
    Ok(pdu)
}

/// Whether a join names a user of this server who lets the user in.
fn needs_signature(home: &Home, join: &Pdu) -> bool {
    #[derive(serde::Deserialize)]
    struct Content {
        join_authorised_via_users_server: Option<OwnedUserId>,
    }
    let content = join.content_as::<Content>();
    let authoriser = content.and_then(|content| content.join_authorised_via_users_server);
    authoriser.is_some_and(|user| user.server_name() == home.own.server_name)
}
