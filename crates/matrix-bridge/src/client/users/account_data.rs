//! Account data: the memory of many bridges.

use std::sync::Arc;

use axum::extract::{Path, State};
use rookery_command::{Command, Retry};
use rookery_domain::{JsonObject, RoomId};
use rookery_view::{Unmetered, WantedData};
use serde_json::Value;

use crate::client::{
    api::Api,
    refusal::{Answer, MatrixError, Reply, nothing},
    request::{
        acting::Acting,
        body::{Content, room_id},
    },
};

pub(crate) async fn get(
    State(api): State<Arc<Api>>,
    acting: Acting,
    Path((user, kind)): Path<(String, String)>,
) -> Answer {
    acting.own(&user)?;
    read(&api, &acting, None, &kind).await
}

pub(crate) async fn get_of_room(
    State(api): State<Arc<Api>>,
    acting: Acting,
    Path((user, room, kind)): Path<(String, String, String)>,
) -> Answer {
    acting.own(&user)?;
    read(&api, &acting, Some(&*room_id(&room)?), &kind).await
}

pub(crate) async fn set(
    State(api): State<Arc<Api>>,
    acting: Acting,
    Path((user, kind)): Path<(String, String)>,
    Content(content): Content<JsonObject>,
) -> Answer {
    acting.own(&user)?;
    store(&api, &acting, None, (&kind, &content)).await
}

pub(crate) async fn set_of_room(
    State(api): State<Arc<Api>>,
    acting: Acting,
    Path((user, room, kind)): Path<(String, String, String)>,
    Content(content): Content<JsonObject>,
) -> Answer {
    acting.own(&user)?;
    store(&api, &acting, Some(&*room_id(&room)?), (&kind, &content)).await
}

async fn read(api: &Api, acting: &Acting, room: Option<&RoomId>, kind: &str) -> Answer {
    let wanted = WantedData { room, kind: Some(kind), after: None, limit: 1 };
    let found = api.reader.account_data(&acting.user, wanted, &Unmetered).await?;
    let content = found.first().and_then(|entry| entry.content());
    content.map(|content| Reply(Value::Object(content.clone()))).ok_or_else(|| {
        MatrixError::not_found(format!("{} has no account data of this type", acting.user))
    })
}

async fn store(
    api: &Api,
    acting: &Acting,
    room: Option<&RoomId>,
    (kind, content): (&str, &JsonObject),
) -> Answer {
    let command = Command::SetAccountData { room, kind, content };
    api.execute(acting, command, Retry::Unnamed).await?;
    Ok(nothing())
}
