//! Errors in the form of the client-server API.
//!
//! **Invariant:** after a 4xx nothing was changed. After a 5xx the outcome is unknown, and the same request with the
//! same transaction ID is safe.
//!
//! Source: Matrix client-server specification, "Standard error response".

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use rookery_command::HandleError;
use rookery_domain::Rejection;
use rookery_log::Unavailable;
use rookery_view::{NotJoined, TimelineError};
use serde_json::{Value, json};

/// An error of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MatrixError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) retry_after: Option<Duration>,
    /// More fields of the body.
    pub(crate) more: Option<Value>,
}

/// A JSON answer with the status 200.
pub(crate) struct Reply(pub(crate) Value);

pub(crate) type Answer = Result<Reply, MatrixError>;

/// An answer without content.
pub(crate) fn nothing() -> Reply {
    Reply(json!({}))
}

impl MatrixError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry_after: None, more: None }
    }

    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "M_FORBIDDEN", message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "M_NOT_FOUND", message)
    }

    pub(crate) fn bad(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::bad("M_INVALID_PARAM", message)
    }

    pub(crate) fn unrecognized() -> Self {
        let message = "this server has no such call for services";
        Self::new(StatusCode::NOT_FOUND, "M_UNRECOGNIZED", message)
    }

    pub(crate) fn limited(wait: Duration) -> Self {
        let message = "too many requests in a short time; try again later";
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "M_LIMIT_EXCEEDED", message);
        Self { retry_after: Some(wait), ..error }
    }

    /// A refusal of other servers, by the code that the log keeps.
    fn refused_before(code: &str, message: String) -> Self {
        match code {
            "SERVER_UNREACHABLE" => Self::new(StatusCode::BAD_GATEWAY, "M_UNKNOWN", message),
            "UNKNOWN_ROOM_VERSION" => Self::bad("M_UNSUPPORTED_ROOM_VERSION", message),
            _ => Self::forbidden(message),
        }
    }

    pub(super) fn unknown(message: String) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "M_UNKNOWN", message)
    }
}

impl From<Unavailable> for MatrixError {
    fn from(error: Unavailable) -> Self {
        tracing::error!("a call of a service failed: {error}");
        Self::unknown("the server cannot do this now; repeat the same request".to_owned())
    }
}

impl From<NotJoined> for MatrixError {
    fn from(error: NotJoined) -> Self {
        Self::forbidden(error.to_string())
    }
}

impl From<TimelineError> for MatrixError {
    fn from(error: TimelineError) -> Self {
        let message = error.to_string();
        match error {
            TimelineError::NoSuchRoom => Self::forbidden(message),
            TimelineError::NoSuchEvent(_) => Self::not_found(message),
            TimelineError::Exhausted => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "M_TOO_LARGE", message)
            }
            TimelineError::Log(_)
            | TimelineError::Models(_)
            | TimelineError::Backfill(_)
            | TimelineError::Stale(_) => {
                tracing::error!("a call of a service failed: {message}");
                Self::unknown("the server cannot read this now; repeat the request".to_owned())
            }
        }
    }
}

impl From<HandleError> for MatrixError {
    fn from(error: HandleError) -> Self {
        let message = error.to_string();
        match error {
            HandleError::Rejected(rejection) => Self::from(rejection),
            // A bridge invites a user whose join is forbidden. It cannot do more about a room that is not there.
            HandleError::NoSuchRoom | HandleError::LoggedOut => Self::forbidden(message),
            HandleError::RefusedBefore { code, .. } => Self::refused_before(&code, message),
            HandleError::ActionIdReused | HandleError::ActionTooLate { .. } => {
                Self::invalid(message)
            }
            HandleError::RateLimited { wait, .. } => Self { message, ..Self::limited(wait) },
            HandleError::TooLarge => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "M_TOO_LARGE", message)
            }
            HandleError::Contended { .. } => Self::unknown(message),
            HandleError::Unavailable(error) => Self::from(error),
            HandleError::Unreadable { .. } => {
                tracing::error!("a call of a service failed: {message}");
                Self::unknown("the server cannot read its log; ask its operator".to_owned())
            }
        }
    }
}

impl From<Rejection> for MatrixError {
    fn from(rejection: Rejection) -> Self {
        let message = rejection.to_string();
        match rejection {
            Rejection::UnknownRoomVersion(_) => Self::bad("M_UNSUPPORTED_ROOM_VERSION", message),
            Rejection::InvalidAlias { .. } => Self::invalid(message),
            Rejection::NameReserved { .. } => Self::bad("M_EXCLUSIVE", message),
            Rejection::AliasTaken { .. } | Rejection::AliasUnavailable { .. } => {
                Self::bad("M_ROOM_IN_USE", message)
            }
            Rejection::TooLarge { .. } | Rejection::TooMany { .. } => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "M_TOO_LARGE", message)
            }
            Rejection::NoSuchEvent(_)
            | Rejection::NoSuchUser(_)
            | Rejection::EventRedacted(_)
            | Rejection::NoSuchCall(_) => Self::not_found(message),
            Rejection::InvalidContent(_)
            | Rejection::ShowsNothing { .. }
            | Rejection::NotEditable { .. }
            | Rejection::NotAThreadRoot(_) => Self::bad("M_BAD_JSON", message),
            Rejection::Bound(_) => {
                Self::new(StatusCode::FORBIDDEN, "M_RESOURCE_LIMIT_EXCEEDED", message)
            }
            Rejection::ServerUnreachable(_) => {
                Self::new(StatusCode::BAD_GATEWAY, "M_UNKNOWN", message)
            }
            Rejection::NoSuchRoom
            | Rejection::FederationOff
            | Rejection::NotAMember
            | Rejection::Banned
            | Rejection::NotInvited
            | Rejection::NotInAllowedRoom
            | Rejection::NobodyCanAdmit
            | Rejection::NotKnockable
            | Rejection::TargetNotInRoom(_)
            | Rejection::TargetBanned(_)
            | Rejection::TargetIsSelf
            | Rejection::TargetNotBelow(_)
            | Rejection::InsufficientPower { .. }
            | Rejection::LevelAboveOwn { .. }
            | Rejection::CreatorHasNoLevel(_)
            | Rejection::WouldLockOut
            | Rejection::LastHead
            | Rejection::AliasNotYours { .. }
            | Rejection::RoomReplaced(_)
            | Rejection::EventNotYours(_)
            | Rejection::ReservedType(_)
            | Rejection::StateKeyNotYours(_)
            | Rejection::NotRedactable(_)
            | Rejection::AdmitsItself(_)
            | Rejection::CallEventType { .. }
            | Rejection::CallToSelf
            | Rejection::CalleeIgnored(_)
            | Rejection::CalleeElsewhere(_)
            | Rejection::CallInProgress { .. }
            | Rejection::BusyInCall(_)
            | Rejection::CalledTooOften(_)
            | Rejection::CallEnded(_)
            | Rejection::CallAnsweredElsewhere(_)
            | Rejection::NotYourCall(_)
            | Rejection::Forbidden { .. } => Self::forbidden(message),
        }
    }
}

impl IntoResponse for MatrixError {
    fn into_response(self) -> Response {
        let mut body = json!({ "errcode": self.code, "error": self.message });
        if let Some(Value::Object(more)) = self.more {
            more.into_iter().for_each(|(key, value)| body[key] = value);
        }
        if let Some(wait) = self.retry_after {
            body["retry_after_ms"] = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).into();
        }
        let mut response = answer(self.status, &body);
        if let Some(wait) = self.retry_after {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        answer(StatusCode::OK, &self.0)
    }
}

fn answer(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
