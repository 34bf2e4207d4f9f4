//! Names and avatars of users.

use std::sync::Arc;

use axum::extract::{Path, State};
use rookery_command::{Command, ProfileChange, Retry};
use rookery_domain::{JsonObject, Profile, UserId};
use rookery_view::Unmetered;
use serde_json::{Value, json};

use crate::client::{
    api::Api,
    refusal::{Answer, MatrixError, Reply, nothing},
    request::{acting::Acting, body::Content},
};

pub(crate) async fn get(
    State(api): State<Arc<Api>>,
    acting: Acting,
    Path(user): Path<String>,
) -> Answer {
    let profile = profile(&api, &acting, &user).await?;
    let mut fields = JsonObject::new();
    for (name, value) in [("displayname", profile.displayname), ("avatar_url", profile.avatar_url)]
    {
        fields.extend(value.map(|value| (name.to_owned(), value.into())));
    }
    Ok(Reply(Value::Object(fields)))
}

pub(crate) async fn get_field(
    State(api): State<Arc<Api>>,
    acting: Acting,
    Path((user, field)): Path<(String, String)>,
) -> Answer {
    let profile = profile(&api, &acting, &user).await?;
    let value = match &*field {
        "displayname" => profile.displayname,
        "avatar_url" => profile.avatar_url,
        _ => return Err(MatrixError::unrecognized()),
    };
    Ok(Reply(value.map_or_else(|| json!({}), |value| json!({ field: value }))))
}

pub(crate) async fn set_field(
    State(api): State<Arc<Api>>,
    acting: Acting,
    Path((user, field)): Path<(String, String)>,
    Content(body): Content<JsonObject>,
) -> Answer {
    acting.own(&user)?;
    let value = match body.get(&field) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()).filter(|text| !text.is_empty()),
        Some(_) => return Err(MatrixError::bad("M_BAD_JSON", format!("`{field}` is no text"))),
    };
    let change = match &*field {
        "displayname" => ProfileChange { displayname: Some(value), avatar_url: None },
        "avatar_url" => ProfileChange { displayname: None, avatar_url: Some(value) },
        _ => return Err(MatrixError::unrecognized()),
    };
    api.execute(&acting, Command::SetProfile { change: &change }, Retry::Unnamed).await?;
    Ok(nothing())
}

/// The profile of a user, if the acting one may see it. The server of a user elsewhere is asked.
async fn profile(api: &Api, acting: &Acting, user: &str) -> Result<Profile, MatrixError> {
    let user =
        UserId::parse(user).map_err(|_| MatrixError::invalid(format!("{user:?} is no user ID")))?;
    let found = if user.server_name() == api.commands.server_name() {
        let view = api.reader.view();
        let is_seen = view.sees_profile(&user, (&acting.user, api.profiles), &Unmetered)?;
        view.profile(&user).filter(|_| is_seen).cloned()
    } else {
        api.other_servers.profile(&acting.user, &user).await
    };
    found.ok_or_else(|| {
        MatrixError::not_found(format!("{user} has no profile, or {} may not see it", acting.user))
    })
}
