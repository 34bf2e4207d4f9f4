//! The abilities of the server, and pings.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use serde::Deserialize;
use serde_json::json;

use crate::{
    OutgoingError,
    client::{
        api::Api,
        refusal::{Answer, MatrixError, Reply},
        request::{acting::Calling, body::Content},
    },
};

/// The version of rooms whose creator names none.
///
/// In version 12 a creator has power without a level. The libraries of many bridges look for a level.
pub(crate) const ROOM_VERSION: &str = "11";

/// The body of `ping`.
#[derive(Deserialize)]
pub(crate) struct Ping {
    transaction_id: Option<String>,
}

pub(crate) async fn versions(_: Calling) -> Answer {
    let versions =
        ["r0.6.1", "v1.1", "v1.2", "v1.3", "v1.4", "v1.5", "v1.6", "v1.7", "v1.8", "v1.9", "v1.10"];
    Ok(Reply(json!({ "versions": versions, "unstable_features": {} })))
}

pub(crate) async fn capabilities(_: Calling) -> Answer {
    Ok(Reply(json!({ "capabilities": {
        "m.change_password": { "enabled": false },
        "m.set_displayname": { "enabled": true },
        "m.set_avatar_url": { "enabled": true },
        "m.3pid_changes": { "enabled": false },
        "m.room_versions": {
            "default": ROOM_VERSION,
            "available": { "10": "stable", "11": "stable", "12": "stable" },
        },
    } })))
}

/// Sends a ping to the service that calls.
pub(crate) async fn ping(
    State(api): State<Arc<Api>>,
    calling: Calling,
    Path(id): Path<String>,
    Content(body): Content<Ping>,
) -> Answer {
    if id != calling.service.id() {
        return Err(MatrixError::forbidden("a service can ping only itself"));
    }
    let Some(endpoint) = calling.service.endpoint() else {
        return Err(MatrixError::bad("M_URL_NOT_SET", "the registration has no `url`"));
    };
    let (answer, took) = api.asking.ping(&endpoint, body.transaction_id.as_deref()).await;
    match answer {
        Ok(answer) if answer.status == 200 => {
            let took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
            Ok(Reply(json!({ "duration_ms": took })))
        }
        Ok(answer) => {
            let message = format!("the service answered with status {}", answer.status);
            let body = String::from_utf8_lossy(&answer.body);
            let more = json!({ "status": answer.status, "body": body });
            let error = MatrixError::new(StatusCode::BAD_GATEWAY, "M_BAD_STATUS", message);
            Err(MatrixError { more: Some(more), ..error })
        }
        Err(error @ OutgoingError::TimedOut) => {
            let status = StatusCode::GATEWAY_TIMEOUT;
            Err(MatrixError::new(status, "M_CONNECTION_TIMEOUT", error.to_string()))
        }
        Err(error @ OutgoingError::Failed(_)) => {
            let status = StatusCode::BAD_GATEWAY;
            Err(MatrixError::new(status, "M_CONNECTION_FAILED", error.to_string()))
        }
    }
}
