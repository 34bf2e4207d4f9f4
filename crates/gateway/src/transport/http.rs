//! GraphQL over HTTP: one handler for every method at `/graphql`.
//!
//! **Invariant:** nothing executes before media type, size, gate and token were checked.
//!
//! Source: GraphQL over HTTP (draft), sections "Request" and "Response".

use std::sync::Arc;

use async_graphql::Executor;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, UPGRADE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse as _, Redirect, Response};
use futures_util::StreamExt as _;
use std::net::SocketAddr;
use tokio::time::timeout;

use super::Transport;
use super::auth::{AuthFailure, Authenticator, Peer, bearer};
use super::execute::execute;
use super::frame::Frames;
use super::gate::OperationKind;
use super::media::{Accepted, Media};
use super::options::TransportOptions;
use super::origin::Origin;
use super::outcome::Outcome;
use super::params::Params;
use super::refusal::{Refusal, code};
use super::respond::{Manner, respond};
use super::socket;

/// Answers a request to `/graphql`.
pub(super) async fn graphql<E: Frames, A: Authenticator>(
    State(transport): State<Arc<Transport<E, A>>>,
    request: Request,
) -> Response {
    let origin = Origin::of(request.headers(), &transport.options.allowed_origins);
    if request.method() == Method::OPTIONS {
        return origin.preflight();
    }
    if request.method() == Method::GET && asks_for_socket(request.headers()) {
        return match origin {
            Origin::Foreign => {
                let invalid = transport.options.invalid_status;
                let manner = Manner::new(request.headers(), Media::Json, invalid);
                respond(foreign().into(), manner).await
            }
            _ => socket::upgrade(transport, request).await,
        };
    }
    let mut response = answer(&transport, request).await;
    origin.allow(&mut response);
    response
}

/// Not every upgrade is to a socket: some clients offer HTTP/2 this way.
fn asks_for_socket(headers: &HeaderMap) -> bool {
    headers
        .get(UPGRADE)
        .is_some_and(|protocol| protocol.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

fn foreign() -> Refusal {
    let message = "Pages of this origin may not open sockets here; the server's configuration lists those that may.";
    Refusal::new(code::ORIGIN_FORBIDDEN, message)
}

async fn answer<E: Executor, A: Authenticator>(
    transport: &Transport<E, A>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let asks = parts.uri.query().is_some_and(|query| {
        form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "query")
    });
    if parts.method == Method::GET && !asks && Media::wants_page(&parts.headers) {
        return Redirect::to("/graphiql").into_response();
    }
    let invalid = transport.options.invalid_status;
    let Some(media) = Accepted::of(&parts.headers).single else {
        let message = "Accept application/graphql-response+json or application/json.";
        let manner = Manner::new(&parts.headers, Media::Json, invalid);
        return respond(Refusal::new(code::NOT_ACCEPTABLE, message).into(), manner).await;
    };
    let outcome = match run(transport, &parts, body).await {
        Ok(outcome) => outcome,
        Err(refusal) => {
            tracing::debug!(target: "rookery::operation", code = refusal.code, "refused");
            refusal.into()
        }
    };
    respond(outcome, Manner::new(&parts.headers, media, invalid)).await
}

async fn run<E: Executor, A: Authenticator>(
    transport: &Transport<E, A>,
    parts: &Parts,
    body: Body,
) -> Result<Outcome, Refusal> {
    let options = &transport.options;
    let params = params(parts, body, options).await?;
    let (admitted, reading) = params.admit(&transport.documents, &options.gate)?;
    match admitted.kind {
        OperationKind::Mutation if parts.method == Method::GET => {
            let message = "GET runs queries only; send mutations by POST.";
            return Err(Refusal::new(code::METHOD_NOT_ALLOWED, message));
        }
        OperationKind::Subscription => {
            let message =
                "Subscriptions go over WebSocket (graphql-transport-ws), at this same address.";
            return Err(Refusal::new(code::SUBSCRIPTION_NEEDS_WEBSOCKET, message));
        }
        _ => {}
    }
    let peer = peer(parts);
    let token = bearer(&parts.headers).map_err(unauthenticated)?;
    let session =
        transport.authenticator.authenticate(token, &peer).await.map_err(unauthenticated)?;
    let prepared = transport.prepare(params, (admitted, reading), &session, peer)?;
    Ok(execute(transport.executor.clone(), prepared, options.execution_deadline).await)
}

/// The address that connected, if the server was told.
pub(super) fn peer(parts: &Parts) -> Peer {
    parts
        .extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(Peer::UNKNOWN, |ConnectInfo(address)| Peer { address: *address })
}

fn unauthenticated(failure: AuthFailure) -> Refusal {
    match failure {
        AuthFailure::Invalid => Refusal::new(
            code::UNAUTHENTICATED,
            "The access token is not valid; log in again, and send `Authorization: Bearer TOKEN`.",
        ),
        AuthFailure::Unavailable => Refusal::new(
            code::UNAVAILABLE,
            "The server cannot check access tokens now; try again later.",
        ),
    }
}

async fn params(parts: &Parts, body: Body, options: &TransportOptions) -> Result<Params, Refusal> {
    match parts.method {
        Method::GET => Params::from_url(parts.uri.query().unwrap_or_default(), &options.gate),
        Method::POST => {
            if !is_json(&parts.headers) {
                let message = "Send the request as `Content-Type: application/json`, in UTF-8.";
                return Err(Refusal::new(code::UNSUPPORTED_MEDIA_TYPE, message));
            }
            let body = read(parts, body, options).await?;
            Params::from_json(&body, &options.gate)
        }
        _ => Err(Refusal::new(code::METHOD_NOT_ALLOWED, "Use POST, or GET for queries.")),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let mut parts = value.split(';').map(str::trim);
    let json = parts.next().is_some_and(|media| media.eq_ignore_ascii_case("application/json"));
    let utf8 = parts.filter_map(|parameter| parameter.split_once('=')).all(|(name, value)| {
        !name.trim().eq_ignore_ascii_case("charset")
            || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
    });
    json && utf8
}

/// What is read and thrown away of a body that is too long, so that the client reads our answer.
const DRAINED_BYTES_MAX: usize = 8 * 1024 * 1024;

async fn read(parts: &Parts, body: Body, options: &TransportOptions) -> Result<Bytes, Refusal> {
    let max = options.body_bytes_max;
    let announced = parts
        .headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok())
        .and_then(|length| usize::try_from(length).ok());
    if announced.is_some_and(|length| length > DRAINED_BYTES_MAX) {
        return Err(too_large(max));
    }
    let mut chunks = body.into_data_stream();
    let collect = async {
        let (mut collected, mut total) = (Vec::new(), 0usize);
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| {
                Refusal::new(code::BAD_REQUEST, "The body of the request broke off.")
            })?;
            total = total.saturating_add(chunk.len());
            if total <= max {
                collected.extend_from_slice(&chunk);
            } else {
                collected = Vec::new();
            }
            if total > DRAINED_BYTES_MAX {
                break;
            }
        }
        if total > max { Err(too_large(max)) } else { Ok(Bytes::from(collected)) }
    };
    timeout(options.body_deadline, collect).await.unwrap_or_else(|_| {
        let seconds = options.body_deadline.as_secs_f64();
        let message = format!("The body of the request did not arrive within {seconds} s.");
        Err(Refusal::new(code::BODY_TIMEOUT, message))
    })
}

fn too_large(max: usize) -> Refusal {
    Refusal::new(code::BODY_TOO_LARGE, format!("The body is longer than {max} bytes."))
}
