//! The answers to requests of webhooks.
//!
//! Source: Slack's documentation, "Handling errors" of incoming webhooks.

use std::time::Duration;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::content::payload::PayloadError;

/// The answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A message was made, and the log has it.
    Posted,
    /// The body is no payload.
    InvalidPayload,
    /// The payload shows nothing.
    NoText,
    /// The secret is not that of the webhook.
    InvalidToken,
    /// The rules of the room refuse messages of the webhook.
    ActionProhibited,
    /// There is no such webhook.
    NoService,
    /// The webhook's user is not in the room, or another room has replaced it.
    ChannelIsArchived,
    /// The body is too long.
    TooLarge,
    /// The body did not arrive in time.
    TooSlow,
    /// Too many requests: retry after this time.
    RateLimited(Duration),
    /// The server cannot store messages now. It is not known whether there is a message.
    Unavailable,
}

impl Answer {
    /// The status and the text.
    #[must_use]
    pub fn parts(self) -> (StatusCode, &'static str) {
        match self {
            Self::Posted => (StatusCode::OK, "ok"),
            Self::InvalidPayload => (StatusCode::BAD_REQUEST, "invalid_payload"),
            Self::NoText => (StatusCode::BAD_REQUEST, "no_text"),
            Self::InvalidToken => (StatusCode::FORBIDDEN, "invalid_token"),
            Self::ActionProhibited => (StatusCode::FORBIDDEN, "action_prohibited"),
            Self::NoService => (StatusCode::NOT_FOUND, "no_service"),
            Self::ChannelIsArchived => (StatusCode::GONE, "channel_is_archived"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large"),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "request_timeout"),
            Self::RateLimited(_) => (StatusCode::TOO_MANY_REQUESTS, "rate_limited"),
            Self::Unavailable => (StatusCode::INTERNAL_SERVER_ERROR, "rollup_error"),
        }
    }
}

impl From<PayloadError> for Answer {
    fn from(error: PayloadError) -> Self {
        match error {
            PayloadError::Invalid => Self::InvalidPayload,
            PayloadError::NoText => Self::NoText,
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = self.parts().into_response();
        if let Self::RateLimited(wait) = self {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }
}
