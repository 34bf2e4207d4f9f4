//! New rooms.
//!
//! Source: Matrix client-server specification, `POST /createRoom`.

use std::sync::Arc;

use axum::extract::State;
use rookery_command::{Command, Retry};
use rookery_domain::{
    CreateRoom, Invitee, JsonObject, OwnedUserId, Preset, RoomAliasId, RoomVersionId,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{settings, state::set_state};
use crate::client::{
    api::Api,
    refusal::{Answer, MatrixError, Reply},
    request::{acting::Acting, body::Content},
    users::server::ROOM_VERSION,
};

/// The most state events that come with a new room.
const INITIAL_STATE_MAX: usize = 50;

/// The body of `createRoom`. Unknown fields are not read.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct NewRoom {
    name: Option<String>,
    topic: Option<String>,
    room_alias_name: Option<String>,
    invite: Vec<OwnedUserId>,
    visibility: Option<String>,
    preset: Option<String>,
    is_direct: bool,
    room_version: Option<String>,
    creation_content: JsonObject,
    initial_state: Vec<InitialState>,
    power_level_content_override: JsonObject,
}

/// An event of `initial_state`.
#[derive(Deserialize)]
struct InitialState {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    state_key: String,
    content: JsonObject,
}

/// Creates a room. Settings, name and invites are one commit; other state of `initial_state` follows it.
pub(crate) async fn create_room(
    State(api): State<Arc<Api>>,
    acting: Acting,
    Content(body): Content<NewRoom>,
) -> Answer {
    let server = api.commands.server_name().as_str();
    let (room, rest) = body.split(server)?;
    let created = api.execute(&acting, Command::CreateRoom { room: &room }, Retry::Unnamed).await?;
    let room_id = created.room_id.ok_or_else(|| MatrixError::forbidden("there is no room"))?;
    for InitialState { kind, state_key, content } in rest {
        set_state(&api, &acting, &room_id, (&kind, &state_key, content)).await?;
    }
    Ok(Reply(json!({ "room_id": room_id })))
}

impl NewRoom {
    /// The command, and the state that has to follow it.
    fn split(self, server: &str) -> Result<(CreateRoom, Vec<InitialState>), MatrixError> {
        if self.initial_state.len() > INITIAL_STATE_MAX {
            let message = format!("`initial_state` has more than {INITIAL_STATE_MAX} events");
            return Err(MatrixError::invalid(message));
        }
        let listed = self.visibility.as_deref() == Some("public");
        let preset = match self.preset.as_deref() {
            Some("public_chat") => Preset::Public,
            Some("private_chat" | "trusted_private_chat") => Preset::Private,
            Some(other) => {
                return Err(MatrixError::invalid(format!("{other:?} is no `preset`")));
            }
            None if listed => Preset::Public,
            None => Preset::Private,
        };
        let version = self.room_version.as_deref().unwrap_or(ROOM_VERSION);
        let version = RoomVersionId::try_from(version).map_err(|_| {
            MatrixError::bad("M_UNSUPPORTED_ROOM_VERSION", "use room version 10, 11 or 12")
        })?;
        let levels = settings::of_content(&self.power_level_content_override)?;
        let mut levels = levels.added();
        if self.preset.as_deref() == Some("trusted_private_chat") {
            for user in &self.invite {
                levels.users.entry(user.clone()).or_insert(Some(100));
            }
        }
        let alias = self.room_alias_name.map(|name| {
            RoomAliasId::parse(format!("#{name}:{server}"))
                .map_err(|_| MatrixError::invalid(format!("{name:?} cannot be an alias")))
        });
        let room_type = self.creation_content.get("type").and_then(Value::as_str);
        let mut room = CreateRoom {
            version: Some(version),
            preset,
            name: self.name.filter(|name| !name.is_empty()),
            topic: self.topic.filter(|topic| !topic.is_empty()),
            avatar_url: None,
            alias: alias.transpose()?,
            invite: self.invite.into_iter().map(Invitee::from).collect(),
            join_rule: None,
            history_visibility: None,
            listed,
            power_levels: levels,
            is_direct: self.is_direct,
            room_type: room_type.map(ToOwned::to_owned),
        };
        let mut rest = Vec::new();
        for state in self.initial_state {
            if !take(&mut room, &state)? {
                rest.push(state);
            }
        }
        Ok((room, rest))
    }
}

/// Takes state that is a setting of the new room.
fn take(room: &mut CreateRoom, state: &InitialState) -> Result<bool, MatrixError> {
    let InitialState { kind, state_key, content } = state;
    let text = |key: &str| content.get(key).and_then(Value::as_str).map(ToOwned::to_owned);
    if !state_key.is_empty() {
        return Ok(false);
    }
    match &**kind {
        "m.room.join_rules" => room.join_rule = Some(settings::join_rule(content)?),
        "m.room.history_visibility" => {
            room.history_visibility = Some(settings::history_visibility(content)?);
        }
        // The fields of the body have priority.
        "m.room.name" => room.name = room.name.take().or_else(|| text("name")),
        "m.room.topic" => room.topic = room.topic.take().or_else(|| text("topic")),
        "m.room.avatar" => room.avatar_url = text("url"),
        "m.room.power_levels" => {
            let stated = settings::of_content(content)?.added();
            room.power_levels.users.extend(stated.users);
            room.power_levels.events.extend(stated.events);
            let levels = &mut room.power_levels;
            for (level, stated) in [
                (&mut levels.users_default, stated.users_default),
                (&mut levels.events_default, stated.events_default),
                (&mut levels.state_default, stated.state_default),
                (&mut levels.invite, stated.invite),
                (&mut levels.kick, stated.kick),
                (&mut levels.ban, stated.ban),
                (&mut levels.redact, stated.redact),
            ] {
                *level = level.or(stated);
            }
        }
        _ => return Ok(false),
    }
    Ok(true)
}
