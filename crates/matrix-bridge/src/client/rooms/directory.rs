//! Aliases of rooms.
//!
//! An alias belongs to the state of its room. So a user who adds one needs power over that state.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use rookery_command::Retry;
use rookery_domain::{OwnedRoomAliasId, RoomAliasId, RoomCommand, RoomId, normal_alias};
use serde::Deserialize;
use serde_json::json;

use crate::client::{
    api::{Api, no_such_alias},
    refusal::{Answer, MatrixError, Reply, nothing},
    request::{
        acting::Acting,
        body::{Content, alias, room_id},
    },
};

/// The body of `PUT /directory/room`.
#[derive(Deserialize)]
pub(crate) struct Target {
    room_id: Option<String>,
}

pub(crate) async fn get(
    State(api): State<Arc<Api>>,
    acting: Acting,
    Path(name): Path<String>,
) -> Answer {
    let found = api.room_of(&acting, &alias(&name)?).await?;
    Ok(Reply(json!({ "room_id": found.room_id, "servers": found.servers })))
}

/// Adds an alias to a room: as its canonical alias if it has none.
pub(crate) async fn add(
    State(api): State<Arc<Api>>,
    acting: Acting,
    Path(name): Path<String>,
    Content(body): Content<Target>,
) -> Answer {
    let alias = normal_alias(&alias(&name)?);
    let room = body.room_id.ok_or_else(|| {
        MatrixError::bad("M_MISSING_PARAM", "`room_id` is missing; name the room")
    })?;
    let room = room_id(&room)?;
    if api.commands.resolve_alias(&alias).await?.is_some() {
        let message = format!("the alias {alias} is taken");
        return Err(MatrixError::new(StatusCode::CONFLICT, "M_UNKNOWN", message));
    }
    let (mut canonical, mut alternative) = aliases(&api, &room);
    match canonical {
        None => canonical = Some(alias),
        Some(_) => alternative.push(alias),
    }
    let command = RoomCommand::SetAliases { canonical, alternative };
    api.act(&acting, &room, &command, Retry::Unnamed).await?;
    Ok(nothing())
}

pub(crate) async fn remove(
    State(api): State<Arc<Api>>,
    acting: Acting,
    Path(name): Path<String>,
) -> Answer {
    let alias = normal_alias(&alias(&name)?);
    let room = api.commands.resolve_alias(&alias).await?.ok_or_else(no_such_alias)?;
    let (canonical, alternative) = aliases(&api, &room);
    let stays = |other: &OwnedRoomAliasId| *other != alias;
    let command = RoomCommand::SetAliases {
        canonical: canonical.filter(stays),
        alternative: alternative.into_iter().filter(stays).collect(),
    };
    api.act(&acting, &room, &command, Retry::Unnamed).await?;
    Ok(nothing())
}

/// The aliases in the state of a room. The command that uses them decides who may change them.
fn aliases(api: &Api, room: &RoomId) -> (Option<OwnedRoomAliasId>, Vec<OwnedRoomAliasId>) {
    let view = api.reader.view();
    let Some(room) = view.room(room) else { return (None, Vec::new()) };
    let summary = room.summary();
    let parse = |text: &String| RoomAliasId::parse(text).ok();
    let canonical = summary.canonical_alias.as_ref().and_then(parse);
    (canonical, summary.alt_aliases.iter().filter_map(parse).collect())
}
