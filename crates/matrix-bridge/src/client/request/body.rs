//! The bodies of requests, and the names in their paths.
//!
//! Source: Matrix client-server specification, "API Standards".

use axum::{
    body::to_bytes,
    extract::{FromRequest, Request},
    http::StatusCode,
};
use rookery_domain::{EventId, OwnedEventId, OwnedRoomAliasId, OwnedRoomId, RoomAliasId, RoomId};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::client::refusal::MatrixError;

/// The longest body, in bytes: a new room with much state. An event has a bound of its own.
pub(crate) const BODY_BYTES_MAX: usize = 256 * 1024;

/// A JSON body; an empty one counts as an object without fields.
pub(crate) struct Content<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Content<T> {
    type Rejection = MatrixError;

    async fn from_request(request: Request, _: &S) -> Result<Self, MatrixError> {
        let bytes = to_bytes(request.into_body(), BODY_BYTES_MAX).await.map_err(|_| {
            let message = format!("a body has at most {BODY_BYTES_MAX} bytes");
            MatrixError::new(StatusCode::PAYLOAD_TOO_LARGE, "M_TOO_LARGE", message)
        })?;
        let text: &[u8] = if bytes.trim_ascii().is_empty() { b"{}" } else { &bytes };
        serde_json::from_slice(text).map(Self).map_err(|error| match error.classify() {
            Category::Data => MatrixError::bad("M_BAD_JSON", format!("the body: {error}")),
            _ => MatrixError::bad("M_NOT_JSON", format!("the body is no JSON: {error}")),
        })
    }
}

pub(crate) fn room_id(text: &str) -> Result<OwnedRoomId, MatrixError> {
    RoomId::parse(text).map_err(|_| MatrixError::invalid(format!("{text:?} is no room ID")))
}

pub(crate) fn event_id(text: &str) -> Result<OwnedEventId, MatrixError> {
    EventId::parse(text).map_err(|_| MatrixError::invalid(format!("{text:?} is no event ID")))
}

pub(crate) fn alias(text: &str) -> Result<OwnedRoomAliasId, MatrixError> {
    RoomAliasId::parse(text).map_err(|_| MatrixError::invalid(format!("{text:?} is no alias")))
}
