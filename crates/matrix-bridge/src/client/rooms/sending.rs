//! Messages and other events, redactions, receipts, and reading one event.

use std::sync::Arc;

use axum::extract::{Path, State};
use rookery_command::{Command, Outcome, ReadMark, Retry};
use rookery_domain::{EventId, JsonObject, OwnedEventId, RoomCommand, RoomId};
use rookery_view::Viewer;
use serde::Deserialize;
use serde_json::json;

use crate::{
    client::{
        api::Api,
        refusal::{Answer, MatrixError, Reply, nothing},
        request::{
            acting::Acting,
            body::{Content, event_id, room_id},
        },
    },
    event::client_event,
};

/// The body of `redact`.
#[derive(Deserialize)]
pub(crate) struct Redaction {
    reason: Option<String>,
}

/// Sends an event. A repeated transaction ID returns the first event.
pub(crate) async fn send(
    State(api): State<Arc<Api>>,
    acting: Acting,
    Path((room, event_type, txn)): Path<(String, String, String)>,
    Content(content): Content<JsonObject>,
) -> Answer {
    let (room, retry) = (room_id(&room)?, acting.named(&txn)?);
    if event_type == "m.room.redaction" {
        let target =
            content.get("redacts").and_then(|target| target.as_str()).ok_or_else(|| {
                MatrixError::bad("M_BAD_JSON", "`redacts` is missing; name the event to redact")
            })?;
        let reason = content.get("reason").and_then(|reason| reason.as_str());
        let command =
            RoomCommand::Redact { event_id: event_id(target)?, reason: reason.map(str::to_owned) };
        return redacted(&api, &acting, &room, &command, retry).await;
    }
    let command = RoomCommand::SendEvent { event_type, content };
    let outcome = api.act(&acting, &room, &command, retry).await?;
    let event_id = last(&outcome).ok_or_else(|| {
        let message = "you have sent the same reaction to this event already";
        MatrixError::bad("M_DUPLICATE_ANNOTATION", message)
    })?;
    Ok(Reply(json!({ "event_id": event_id })))
}

/// Redacts an event. An event that is redacted already has one redaction.
pub(crate) async fn redact(
    State(api): State<Arc<Api>>,
    acting: Acting,
    Path((room, event, txn)): Path<(String, String, String)>,
    Content(body): Content<Redaction>,
) -> Answer {
    let (room, retry) = (room_id(&room)?, acting.named(&txn)?);
    let reason = body.reason.filter(|reason| !reason.is_empty());
    let command = RoomCommand::Redact { event_id: event_id(&event)?, reason };
    redacted(&api, &acting, &room, &command, retry).await
}

async fn redacted(
    api: &Api,
    acting: &Acting,
    room: &RoomId,
    command: &RoomCommand,
    retry: Retry,
) -> Answer {
    let outcome = api.act(acting, room, command, retry).await?;
    let redaction = match (last(&outcome), command) {
        (None, RoomCommand::Redact { event_id, .. }) => {
            earlier_redaction(api, acting, room, event_id).await?
        }
        (found, _) => found,
    };
    Ok(Reply(json!({ "event_id": redaction })))
}

async fn earlier_redaction(
    api: &Api,
    acting: &Acting,
    room: &RoomId,
    event: &EventId,
) -> Result<Option<OwnedEventId>, MatrixError> {
    let viewer = Viewer::User(acting.user.clone());
    let Some((place, _)) = api.reader.event(event, &viewer).await? else { return Ok(None) };
    let index = u16::try_from(place.index).unwrap_or(u16::MAX);
    let redaction = api.reader.redacted_by(room, &viewer, (place.position, index)).await?;
    Ok(redaction.map(|redaction| redaction.event().pdu.event_id.clone()))
}

/// One event, if the user may see it.
pub(crate) async fn event(
    State(api): State<Arc<Api>>,
    acting: Acting,
    Path((room, event)): Path<(String, String)>,
) -> Answer {
    let (room, id) = (room_id(&room)?, event_id(&event)?);
    let viewer = Viewer::User(acting.user.clone());
    let found = api.reader.event(&id, &viewer).await?;
    let found = found.filter(|(place, _)| place.room_id == room);
    let (_, found) = found.ok_or_else(|| {
        let message = format!("{} sees no such event in this room", acting.user);
        MatrixError::not_found(message)
    })?;
    let replaced = api.reader.replaced_by(&room, &found, &viewer).await?;
    let replaced = replaced.as_ref().map(|replaced| &*replaced.event().pdu);
    Ok(Reply(client_event(&found.event().pdu, replaced)))
}

/// Moves the read receipt of the user.
pub(crate) async fn receipt(
    State(api): State<Arc<Api>>,
    acting: Acting,
    Path((room, kind, event)): Path<(String, String, String)>,
) -> Answer {
    let private = match &*kind {
        "m.read" => false,
        "m.read.private" => true,
        _ => {
            let message = "a receipt is `m.read` or `m.read.private`";
            return Err(MatrixError::invalid(message));
        }
    };
    let mark = ReadMark { room_id: room_id(&room)?, event_id: event_id(&event)?, private };
    api.execute(&acting, Command::MarkRead(&mark), Retry::Unnamed).await?;
    Ok(nothing())
}

/// The ID of the event that a command made.
pub(super) fn last(outcome: &Outcome) -> Option<OwnedEventId> {
    outcome.events.last().map(|event| event.event_id.clone())
}
