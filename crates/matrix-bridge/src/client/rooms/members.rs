//! The members of rooms.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{StatusCode, Uri},
};
use form_urlencoded::parse;
use rookery_domain::{JsonObject, Membership, RoomId};
use rookery_view::{Access, Unmetered, WantedMembers, WantedState};
use serde_json::{Value, json};

use crate::{
    client::{
        api::Api,
        refusal::{Answer, MatrixError, Reply},
        request::{acting::Acting, body::room_id},
    },
    event::{client_event, content_of},
};

/// The most members or state events in one answer.
pub(super) const MEMBERS_MAX: usize = 20_000;

/// The member events of a room. `membership` and `not_membership` choose among them; `at` is not read.
pub(crate) async fn members(
    State(api): State<Arc<Api>>,
    acting: Acting,
    Path(room): Path<String>,
    uri: Uri,
) -> Answer {
    let room = room_id(&room)?;
    inside(&api, &acting, &room)?;
    let query = |name: &str| {
        let mut fields = parse(uri.query().unwrap_or_default().as_bytes());
        fields.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let (only, not) = (query("membership"), query("not_membership"));
    let wanted =
        WantedState { kind: Some("m.room.member"), limit: MEMBERS_MAX + 1, ..Default::default() };
    let events = api.reader.state(&room, &acting.user, wanted, &Unmetered).await?;
    bounded(events.len())?;
    let chosen = events.iter().map(|event| &*event.event().pdu).filter(|pdu| {
        let content = content_of(pdu);
        let membership = content["membership"].as_str();
        only.as_deref().is_none_or(|only| Some(only) == membership)
            && not.as_deref().is_none_or(|not| Some(not) != membership)
    });
    let chunk: Vec<Value> = chosen.map(|pdu| client_event(pdu, None)).collect();
    Ok(Reply(json!({ "chunk": chunk })))
}

/// The names of the joined members.
pub(crate) async fn joined_members(
    State(api): State<Arc<Api>>,
    acting: Acting,
    Path(room): Path<String>,
) -> Answer {
    let room = room_id(&room)?;
    inside(&api, &acting, &room)?;
    let wanted = WantedMembers {
        membership: Membership::Join,
        after: None,
        limit: MEMBERS_MAX + 1,
        as_of: None,
    };
    let members = api.reader.members(&room, &acting.user, wanted, &Unmetered).await?;
    bounded(members.len())?;
    let mut joined = JsonObject::new();
    for member in members {
        let mut shown = JsonObject::new();
        let profile = member.profile;
        let fields = [("display_name", profile.displayname), ("avatar_url", profile.avatar_url)];
        for (name, value) in fields {
            shown.extend(value.map(|value| (name.to_owned(), value.into())));
        }
        joined.insert(member.user_id.to_string(), Value::Object(shown));
    }
    Ok(Reply(json!({ "joined": joined })))
}

/// Checks that the user may see members and state.
pub(super) fn inside(api: &Api, acting: &Acting, room: &RoomId) -> Result<(), MatrixError> {
    let is_inside = api.reader.view().room_for(room, &acting.user, Access::Inside).is_some();
    is_inside.then_some(()).ok_or_else(|| {
        MatrixError::forbidden(format!("{} is not in this room, or it does not exist", acting.user))
    })
}

/// Checks that an answer has not too many entries.
pub(super) fn bounded(count: usize) -> Result<(), MatrixError> {
    if count <= MEMBERS_MAX {
        return Ok(());
    }
    let message =
        format!("the answer has more than {MEMBERS_MAX} events; read the room over GraphQL");
    Err(MatrixError::new(StatusCode::PAYLOAD_TOO_LARGE, "M_TOO_LARGE", message))
}
