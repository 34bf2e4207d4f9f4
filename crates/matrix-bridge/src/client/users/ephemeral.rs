//! Typing and presence.

use std::{sync::Arc, time::Duration};

use axum::extract::{Path, State};
use rookery_domain::UserId;
use rookery_ephemeral::{Presence, STATUS_BYTES_MAX, TYPING_DEFAULT, TYPING_MAX};
use rookery_view::Unmetered;
use serde::Deserialize;
use serde_json::json;

use crate::client::{
    api::Api,
    refusal::{Answer, MatrixError, Reply, nothing},
    request::{
        acting::Acting,
        body::{Content, room_id},
    },
};

/// The body of `typing`.
#[derive(Deserialize)]
pub(crate) struct Typing {
    typing: bool,
    /// In milliseconds.
    timeout: Option<u64>,
}

/// The body of `presence`.
#[derive(Deserialize)]
pub(crate) struct NewPresence {
    presence: String,
    status_msg: Option<String>,
}

pub(crate) async fn typing(
    State(api): State<Arc<Api>>,
    acting: Acting,
    Path((room, user)): Path<(String, String)>,
    Content(body): Content<Typing>,
) -> Answer {
    acting.own(&user)?;
    let room = room_id(&room)?;
    api.reader.view().check_joined(&room, &acting.user)?;
    let how_long = body.timeout.map_or(TYPING_DEFAULT, Duration::from_millis).min(TYPING_MAX);
    let how_long = body.typing.then_some(how_long);
    api.ephemeral.type_in(&room, &acting.user, &acting.device, how_long);
    Ok(nothing())
}

/// The presence holds for a minute, as after a poll: a bridge repeats it.
pub(crate) async fn set_presence(
    State(api): State<Arc<Api>>,
    acting: Acting,
    Path(user): Path<String>,
    Content(body): Content<NewPresence>,
) -> Answer {
    acting.own(&user)?;
    let presence = match &*body.presence {
        "online" => Presence::Online,
        "unavailable" => Presence::Unavailable,
        "offline" => Presence::Offline,
        _ => {
            let message = "`presence` is `online`, `unavailable` or `offline`";
            return Err(MatrixError::invalid(message));
        }
    };
    let status = body.status_msg.filter(|status| !status.is_empty());
    if status.as_deref().is_some_and(|status| status.len() > STATUS_BYTES_MAX) {
        let message = format!("`status_msg` has more than {STATUS_BYTES_MAX} bytes");
        return Err(MatrixError::invalid(message));
    }
    api.ephemeral.choose(&acting.user, &acting.device, presence, status);
    Ok(nothing())
}

pub(crate) async fn presence(
    State(api): State<Arc<Api>>,
    acting: Acting,
    Path(user): Path<String>,
) -> Answer {
    let user = UserId::parse(&*user)
        .map_err(|_| MatrixError::invalid(format!("{user:?} is no user ID")))?;
    if !api.reader.view().sees_presence(&user, &acting.user, &Unmetered)? {
        let message = format!("{} may not see the presence of {user}", acting.user);
        return Err(MatrixError::forbidden(message));
    }
    let shown = api.ephemeral.presence(&user);
    let presence = match shown.presence {
        Presence::Online => "online",
        Presence::Unavailable => "unavailable",
        Presence::Offline => "offline",
    };
    let mut answer = json!({ "presence": presence });
    if let Some(status) = shown.status_message {
        answer["status_msg"] = status.into();
    }
    if let Some(active) = shown.last_active_millis {
        answer["last_active_ago"] = acting.now.0.saturating_sub(active).into();
    }
    Ok(Reply(answer))
}
