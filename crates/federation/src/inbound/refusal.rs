//! Errors in the form of the server-server API.
//!
//! **Invariant:** after a 4xx nothing was changed. After a 5xx the outcome is unknown, and the same request is safe.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use rookery_command::HandleError;
use serde_json::{Value, json};

use crate::store::StoreError;

/// An error of a request.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) retry_after: Option<Duration>,
    /// More fields of the body.
    pub(super) more: Option<(&'static str, Value)>,
}

/// A JSON answer with the status 200.
pub(super) struct Reply(pub(super) Vec<u8>);

pub(super) type Answer = Result<Reply, Refusal>;

impl Reply {
    pub(super) fn of(value: &Value) -> Self {
        Self(value.to_string().into_bytes())
    }

    /// An answer that holds events as they are.
    pub(super) fn from(answer: &impl serde::Serialize) -> Answer {
        serde_json::to_vec(answer).map(Self).map_err(|error| Refusal::fault(&error))
    }
}

impl Refusal {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry_after: None, more: None }
    }

    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "M_FORBIDDEN", message)
    }

    pub(super) fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "M_UNAUTHORIZED", message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "M_NOT_FOUND", message)
    }

    pub(super) fn bad(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::bad("M_INVALID_PARAM", message)
    }

    pub(super) fn unrecognized() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "M_UNRECOGNIZED",
            "this server does not offer this request",
        )
    }

    pub(super) fn limited(wait: Duration) -> Self {
        let message = "too many requests in a short time: try again later";
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "M_LIMIT_EXCEEDED", message);
        Self { retry_after: Some(wait), ..error }
    }

    /// Something of this server does not work. The details are for its operator.
    pub(super) fn fault(reason: &dyn std::fmt::Display) -> Self {
        tracing::warn!(%reason, "a request of another server failed");
        let message = "this server cannot answer now: try again later";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "M_UNKNOWN", message)
    }
}

impl From<HandleError> for Refusal {
    fn from(error: HandleError) -> Self {
        match error {
            HandleError::Rejected(rejection) => Self::forbidden(rejection.to_string()),
            HandleError::NoSuchRoom => Self::not_found(error.to_string()),
            HandleError::RateLimited { wait, .. } => Self::limited(wait),
            other => Self::fault(&other),
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::fault(&error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut body = json!({ "errcode": self.code, "error": self.message });
        if let Some(wait) = self.retry_after {
            body["retry_after_ms"] = json!(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        }
        if let Some((name, value)) = self.more {
            body[name] = value;
        }
        let mut response = answer(self.status, body.to_string().into_bytes());
        if let Some(wait) = self.retry_after {
            let seconds = wait.as_secs().saturating_add(1);
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        answer(StatusCode::OK, self.0)
    }
}

fn answer(status: StatusCode, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
