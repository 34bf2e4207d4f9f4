//! From an outcome to an HTTP response.
//!
//! **Invariant:** the status of every answer at `/graphql` is decided in this file.

use axum::body::{Body, Bytes};
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER, VARY, WWW_AUTHENTICATE,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use rookery_graphql_documents::{Effect, Outcome, Refusal, code};

use super::compress::{COMPRESSED_BYTES_MIN, accepts_gzip, gzip};
use super::media::{Accepted, Media};
use crate::limits::budget::{Budget, Held};
use crate::operation::operations::WRITTEN_HERE_BYTES_MAX;
use crate::port::options::InvalidStatus;

/// The form of an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    pub(crate) media: Media,
    pub(crate) gzip: bool,
    pub(crate) invalid: InvalidStatus,
}

impl Manner {
    pub(crate) fn new(headers: &HeaderMap, media: Media, invalid: InvalidStatus) -> Self {
        Self { media, gzip: accepts_gzip(headers), invalid }
    }
}

/// The status of an outcome.
///
/// With `application/json`, a well-formed request gets 200 for every outcome, as old clients
/// expect. With `application/graphql-response+json`, an invalid document gets 400, or the status of
/// `invalid`. Refusals by HTTP rules, limits or authentication have their own status in both cases.
pub(crate) fn status(outcome: &Outcome, media: Media, invalid: InvalidStatus) -> StatusCode {
    let unprocessable = match invalid {
        InvalidStatus::BadRequest => StatusCode::BAD_REQUEST,
        InvalidStatus::UnprocessableContent => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let Outcome::Refused(refusal) = outcome else {
        return match (outcome, media) {
            (Outcome::Invalid(_), Media::GraphQl) => match outcome.code().as_deref() {
                Some(code::GRAPHQL_PARSE_FAILED) => StatusCode::BAD_REQUEST,
                _ => unprocessable,
            },
            _ => StatusCode::OK,
        };
    };
    match refusal.code {
        code::METHOD_NOT_ALLOWED => StatusCode::METHOD_NOT_ALLOWED,
        code::UNSUPPORTED_MEDIA_TYPE => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        code::NOT_ACCEPTABLE => StatusCode::NOT_ACCEPTABLE,
        code::BODY_TOO_LARGE => StatusCode::PAYLOAD_TOO_LARGE,
        code::BODY_TIMEOUT => StatusCode::REQUEST_TIMEOUT,
        code::UNAUTHENTICATED => StatusCode::UNAUTHORIZED,
        code::FORBIDDEN
        | code::ORIGIN_FORBIDDEN
        | code::DOCUMENT_NOT_ALLOWED
        | code::INTROSPECTION_FORBIDDEN => StatusCode::FORBIDDEN,
        code::HOST_NOT_ALLOWED => StatusCode::MISDIRECTED_REQUEST,
        code::RATE_LIMITED => StatusCode::TOO_MANY_REQUESTS,
        // The caller or the server has too many. Then the refusal says when to retry.
        code::TOO_MANY_SOCKETS if refusal.retry_after.is_none() => StatusCode::TOO_MANY_REQUESTS,
        code::UNAVAILABLE | code::TOO_MANY_STREAMS | code::TOO_MANY_SOCKETS => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        code::STREAM_UNKNOWN => StatusCode::NOT_FOUND,
        code::STREAM_TAKEN | code::OPERATION_ID_TAKEN => StatusCode::CONFLICT,
        code::INTERNAL => StatusCode::INTERNAL_SERVER_ERROR,
        code::GRAPHQL_PARSE_FAILED
        | code::GRAPHQL_VALIDATION_FAILED
        | code::OPERATION_NAME_REQUIRED
        | code::OPERATION_UNKNOWN
        | code::BAD_USER_INPUT
        | code::PERSISTED_QUERY_NOT_FOUND
        | code::TIMEOUT
            if media == Media::Json =>
        {
            StatusCode::OK
        }
        code::GRAPHQL_VALIDATION_FAILED
        | code::OPERATION_NAME_REQUIRED
        | code::OPERATION_UNKNOWN
        | code::BAD_USER_INPUT => unprocessable,
        code::TIMEOUT => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::BAD_REQUEST,
    }
}

/// The answer to a request that is refused before its operation is read.
pub async fn refused(headers: &HeaderMap, refusal: Refusal) -> Response {
    let media = Accepted::of(headers).single.unwrap_or(Media::Json);
    respond(refusal.into(), Manner::new(headers, media, InvalidStatus::default()), None).await
}

/// The response of an outcome.
///
/// The room that `budget` holds for the answer is released once the client has read it.
pub(crate) async fn respond(outcome: Outcome, manner: Manner, budget: Option<Budget>) -> Response {
    let status = status(&outcome, manner.media, manner.invalid);
    let mut outcome = outcome;
    if let Outcome::Refused(refusal) = &mut outcome
        && status.is_server_error()
    {
        // A started execution has set the outcome itself.
        refusal.outcome.get_or_insert(Effect::NothingChanged);
    }
    let is_long =
        budget.as_ref().is_some_and(|budget| budget.taken_bytes() > WRITTEN_HERE_BYTES_MAX);
    let (mut outcome, body) = if is_long {
        let serialising = tokio::task::spawn_blocking(move || serialised(outcome));
        serialising.await.unwrap_or_else(|error| (Outcome::of_panic(&error), FAILED.to_vec()))
    } else {
        serialised(outcome)
    };
    let body = Bytes::from(body);
    let compressed =
        if manner.gzip && body.len() >= COMPRESSED_BYTES_MIN { gzip(&body).await } else { None };
    let coded = compressed.is_some();
    let body = compressed.map_or(body, Bytes::from);
    let mut response = Response::new(Body::from(match budget {
        Some(budget) => {
            let held = budget.held(body.len());
            holding(body, held)
        }
        None => body,
    }));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if let Outcome::Executed(executed) = &mut outcome {
        headers.extend(std::mem::take(&mut executed.http_headers));
    }
    if coded {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(manner.media.content_type()));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding, Origin"));
    match status {
        StatusCode::METHOD_NOT_ALLOWED => {
            headers.insert(ALLOW, HeaderValue::from_static("GET, POST, PUT, DELETE, OPTIONS"));
        }
        StatusCode::UNAUTHORIZED => {
            let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        StatusCode::SERVICE_UNAVAILABLE => {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        _ => {}
    }
    if let Outcome::Refused(refusal) = &outcome
        && let Some(seconds) = refusal.retry_after_seconds()
    {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

const FAILED: &[u8] =
    br#"{"errors":[{"message":"The server failed to answer this.","extensions":{"code":"INTERNAL","outcome":"UNKNOWN"}}]}"#;

fn serialised(mut outcome: Outcome) -> (Outcome, Vec<u8>) {
    let body = outcome.text().into_bytes();
    if let Outcome::Executed(response) = &mut outcome {
        // It was written, and it may be large.
        response.data = async_graphql::Value::Null;
    }
    (outcome, body)
}

/// The body with its room, which is released when all of it was sent.
fn holding(body: Bytes, held: Held) -> Bytes {
    struct Holding {
        body: Bytes,
        _held: Held,
    }
    impl AsRef<[u8]> for Holding {
        fn as_ref(&self) -> &[u8] {
            &self.body
        }
    }
    Bytes::from_owner(Holding { body, _held: held })
}
