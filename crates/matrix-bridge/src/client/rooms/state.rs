//! The state of rooms.

use std::sync::Arc;

use axum::extract::{Path, State};
use rookery_command::Retry;
use rookery_domain::{JsonObject, OwnedEventId, PowerLevels, RoomId};
use rookery_view::{TimelineEvent, Unmetered, WantedState};
use serde_json::{Value, json};

use super::{
    members::{MEMBERS_MAX, bounded, inside},
    sending::last,
    settings,
};
use crate::{
    client::{
        api::Api,
        refusal::{Answer, MatrixError, Reply},
        request::{
            acting::Acting,
            body::{Content, room_id},
        },
    },
    event::{client_event, content_of},
};

/// The slots of a path.
type Slot = (String, String, String);

pub(crate) async fn all(
    State(api): State<Arc<Api>>,
    acting: Acting,
    Path(room): Path<String>,
) -> Answer {
    let room = room_id(&room)?;
    inside(&api, &acting, &room)?;
    let wanted = WantedState { limit: MEMBERS_MAX + 1, ..Default::default() };
    let events = api.reader.state(&room, &acting.user, wanted, &Unmetered).await?;
    bounded(events.len())?;
    let events = events.iter().map(|event| client_event(&event.event().pdu, None));
    Ok(Reply(Value::Array(events.collect())))
}

pub(crate) async fn get_unkeyed(
    state: State<Arc<Api>>,
    acting: Acting,
    Path((room, kind)): Path<(String, String)>,
) -> Answer {
    get(state, acting, Path((room, kind, String::new()))).await
}

pub(crate) async fn get(
    State(api): State<Arc<Api>>,
    acting: Acting,
    Path((room, kind, key)): Path<Slot>,
) -> Answer {
    let room = room_id(&room)?;
    inside(&api, &acting, &room)?;
    let held = held(&api, &acting, &room, (&kind, &key)).await?;
    let held = held.ok_or_else(|| {
        MatrixError::not_found(format!("the room has no state of type {kind} and key {key:?}"))
    })?;
    Ok(Reply(content_of(&held.event().pdu)))
}

pub(crate) async fn set_unkeyed(
    state: State<Arc<Api>>,
    acting: Acting,
    Path((room, kind)): Path<(String, String)>,
    content: Content<JsonObject>,
) -> Answer {
    set(state, acting, Path((room, kind, String::new())), content).await
}

/// Sets state. If the room has it already, the answer names the event that holds it.
pub(crate) async fn set(
    State(api): State<Arc<Api>>,
    acting: Acting,
    Path((room, kind, key)): Path<Slot>,
    Content(content): Content<JsonObject>,
) -> Answer {
    let room = room_id(&room)?;
    let event_id = set_state(&api, &acting, &room, (&kind, &key, content)).await?;
    Ok(Reply(json!({ "event_id": event_id })))
}

/// Sets state by the command that is made for its type.
pub(super) async fn set_state(
    api: &Api,
    acting: &Acting,
    room: &RoomId,
    (kind, key, content): (&str, &str, JsonObject),
) -> Result<Option<OwnedEventId>, MatrixError> {
    let levels = if kind == "m.room.power_levels" {
        let held = held(api, acting, room, (kind, key)).await?;
        held.map(|held| PowerLevels::of(&held.event().pdu)).unwrap_or_default()
    } else {
        PowerLevels::default()
    };
    let command = settings::command(&acting.user, (kind, key), content, &levels)?;
    let outcome = api.act(acting, room, &command, Retry::Unnamed).await?;
    if let Some(made) = last(&outcome) {
        return Ok(Some(made));
    }
    let held = held(api, acting, room, (kind, key)).await?;
    Ok(held.map(|held| held.event().pdu.event_id.clone()))
}

/// The event that holds a slot.
async fn held(
    api: &Api,
    acting: &Acting,
    room: &RoomId,
    (kind, key): (&str, &str),
) -> Result<Option<TimelineEvent>, MatrixError> {
    let wanted =
        WantedState { kind: Some(kind), state_key: Some(key), limit: 1, ..Default::default() };
    Ok(api.reader.state(room, &acting.user, wanted, &Unmetered).await?.pop())
}
