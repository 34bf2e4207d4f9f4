//! Aliases, profiles, the public directory, the version, the keys.

pub(super) mod rooms;

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use rookery_command::HandleError;
use rookery_domain::{OwnedRoomAliasId, OwnedUserId};
use serde_json::json;

use super::{
    authenticated::Authenticated,
    events::Query,
    refusal::{Answer, Refusal, Reply},
};
use crate::{home::Home, rooms::servers};

pub(super) async fn version() -> Reply {
    Reply::of(&json!({ "server": { "name": "Rookery", "version": env!("CARGO_PKG_VERSION") } }))
}

pub(super) async fn keys(State(home): State<Arc<Home>>) -> Answer {
    let published = home.own.published(home.now());
    published.map(|text| Reply(text.into_bytes())).map_err(|error| Refusal::fault(&error))
}

pub(super) async fn well_known(State(home): State<Arc<Home>>) -> Answer {
    let Some(server) = &home.delegated else { return Err(Refusal::unrecognized()) };
    Ok(Reply::of(&json!({ "m.server": server })))
}

pub(super) async fn directory(
    State(home): State<Arc<Home>>,
    RawQuery(query): RawQuery,
    _request: Authenticated,
) -> Answer {
    let alias: OwnedRoomAliasId = Query::of(query.as_deref()).required("room_alias")?;
    let unknown = || Refusal::not_found("there is no such alias");
    if alias.server_name() != home.own.server_name {
        return Err(unknown());
    }
    // A bridge makes the rooms of its aliases when somebody looks for them.
    let room = home.commands.room_of_alias(&alias).await.map_err(|error| match error {
        HandleError::NoSuchRoom => unknown(),
        error => error.into(),
    })?;
    let servers = home.look(&room, servers).await?.ok_or_else(unknown)?;
    Ok(Reply::of(&json!({ "room_id": room, "servers": servers })))
}

pub(super) async fn profile(
    State(home): State<Arc<Home>>,
    RawQuery(query): RawQuery,
    _request: Authenticated,
) -> Answer {
    let query = Query::of(query.as_deref());
    let user: OwnedUserId = query.required("user_id")?;
    let unknown = || Refusal::not_found("there is no such user");
    if user.server_name() != home.own.server_name || !home.shows_profiles {
        return Err(unknown());
    }
    let view = home.reader.view();
    let profile = view.profile(&user).ok_or_else(unknown)?;
    let mut answer = serde_json::Map::new();
    let is_wanted = |name: &str| query.one("field").is_none_or(|field| field == name);
    for (name, value) in
        [("displayname", &profile.displayname), ("avatar_url", &profile.avatar_url)]
    {
        if let Some(value) = value.as_ref().filter(|_| is_wanted(name)) {
            answer.insert(name.to_owned(), json!(value));
        }
    }
    Ok(Reply::of(&answer.into()))
}
