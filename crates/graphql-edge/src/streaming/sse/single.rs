//! One event stream for all operations of a client; each operation is a request of its own.
//!
//! The reservation's token opens the stream once, because a browser's `EventSource` can send
//! nothing else. Operations also need the access token of the reservation, because URLs appear in
//! logs.
//!
//! **Invariant:** each request has a session that is not over, whatever state the stream is in.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_graphql::Value;
use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use futures_util::{FutureExt as _, StreamExt as _, stream};
use rookery_graphql_documents::{OperationKind, Outcome, Refusal, code};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::SINGLE;
use super::reservation::{Credentials, Reservation, unknown};
use crate::connection::connections::Connection;
use crate::http::body::params;
use crate::http::endpoint::{guard, lasting, peer, session, unauthenticated};
use crate::http::router::Transport;
use crate::operation::charge::RESERVATION_COST;
use crate::operation::operations::Run;
use crate::port::auth::{AuthFailure, Authenticator, credentials as named};
use crate::port::bookmark::Bookmark;
use crate::port::frame::{Frame, Frames, Payload};
use crate::streaming::delivery::{Delivery, Ends};

/// The header with the token of a reservation.
const TOKEN_HEADER: &str = "x-graphql-event-stream-token";

/// Length of an operation's ID, in bytes.
const ID_BYTES_MAX: usize = 128;

/// The token of a request's reservation.
pub(crate) fn token(parts: &Parts) -> Option<String> {
    let header = parts.headers.get(TOKEN_HEADER).map(|token| token.to_str().unwrap_or_default());
    header.map(str::to_owned).or_else(|| query_value(parts, "token"))
}

fn query_value(parts: &Parts, wanted: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(parts.uri.query()?.as_bytes());
    pairs.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
}

fn credentials(parts: &Parts) -> Result<Credentials, AuthFailure> {
    // No token and an empty token differ: the latter is invalid.
    let named = named(&parts.headers)?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(named.bearer.unwrap_or_default().as_bytes());
    // A token has no such byte.
    hasher.update(&[0]).update(named.act_as.unwrap_or_default().as_bytes());
    Ok(hasher.finalize())
}

/// Makes a reservation.
pub(crate) async fn reserve<E, A: Authenticator>(
    transport: &Transport<E, A>,
    parts: &Parts,
) -> Result<Response, Refusal> {
    let session = session(transport, parts).await?;
    let credentials = credentials(parts).map_err(|_| unknown())?;
    let key = transport.key(&session, peer(parts));
    transport.charge(key, RESERVATION_COST, None)?;
    let token = transport.reservations.reserve(key, session, credentials)?;
    let mut response = (StatusCode::CREATED, token).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Opens the stream of a reservation.
pub(crate) fn open<E, A: Authenticator>(
    transport: &Transport<E, A>,
    parts: &Parts,
    token: &str,
) -> Result<Response, Refusal> {
    let reservation = if parts.headers.contains_key(AUTHORIZATION) {
        find(transport, parts, token)?
    } else {
        transport.reservations.find(token)?
    };
    let end = transport.authenticator.end(&reservation.session);
    if end.is_over() {
        return Err(unauthenticated(AuthFailure::Invalid));
    }
    let place = lasting(transport, parts, &reservation.session)?;
    let opened = transport.reservations.open(token)?;
    let line = Arc::clone(&reservation.line);
    line.lock().operations.untaken().taker().is(Connection::of(&parts.extensions));
    let form = (&SINGLE, Ends::WithClient);
    let held = Box::new((opened, guard(parts, &end), place));
    Ok(Delivery::new(transport, (&reservation.session, end), line, form, held)?.respond())
}

/// The reservation of the caller, whose session has not ended.
async fn find_own<E, A: Authenticator>(
    transport: &Transport<E, A>,
    parts: &Parts,
    token: &str,
) -> Result<Arc<Reservation<A::Session>>, Refusal> {
    // The token is checked first: a caller whose session is over learns that, and not the state of
    // its reservation.
    let _: A::Session = session(transport, parts).await?;
    find(transport, parts, token)
}

/// The reservation of the caller.
fn find<E, A: Authenticator>(
    transport: &Transport<E, A>,
    parts: &Parts,
    token: &str,
) -> Result<Arc<Reservation<A::Session>>, Refusal> {
    let reservation = transport.reservations.find(token)?;
    // The answer does not reveal another owner.
    let credentials = credentials(parts).map_err(|_| unknown())?;
    if reservation.is_of(credentials) { Ok(reservation) } else { Err(unknown()) }
}

/// Stops an operation.
pub(crate) async fn stop<E, A: Authenticator>(
    transport: &Transport<E, A>,
    parts: &Parts,
    token: &str,
) -> Result<Response, Refusal> {
    let reservation = find_own(transport, parts, token).await?;
    let id = query_value(parts, "operationId").ok_or_else(id_missing)?;
    reservation.line.lock().cut(&id);
    Ok(StatusCode::OK.into_response())
}

/// Runs an operation, whose results go to the stream.
///
/// # Errors
/// The answer, if the operation was not accepted.
pub(crate) async fn operate<E: Frames, A: Authenticator>(
    transport: &Transport<E, A>,
    parts: &Parts,
    body: Body,
    token: &str,
) -> Result<Response, Outcome> {
    let mut params = params(parts, body, &transport.options).await?;
    let reservation = find_own(transport, parts, token).await?;
    let end = transport.authenticator.end(&reservation.session);
    let lasts = || if end.is_over() { Err(unauthenticated(AuthFailure::Invalid)) } else { Ok(()) };
    let id = params.extension("operationId").and_then(|id| match id {
        Value::String(id) if !id.is_empty() && id.len() <= ID_BYTES_MAX => Some(id.clone()),
        _ => None,
    });
    let id = id.ok_or_else(id_missing)?;
    let admitted = transport.admit(&mut params, &reservation.session, peer(parts))?;
    reservation.opened(transport.options.streams.reservation_deadline).await?;
    lasts()?;
    let prepared = transport.prepare(params, admitted, &reservation.session, peer(parts)).await?;
    let untaken = reservation.line.lock().operations.untaken().clone();
    let untaken = match prepared.admitted.kind {
        OperationKind::Subscription => untaken,
        // Results of these have places of their own, for which they wait below.
        OperationKind::Query | OperationKind::Mutation => untaken.beside(),
    };
    match Run::new(transport, prepared, &untaken) {
        Run::Stream(frames, bookmark) => {
            let run = looked_at(frames, bookmark).map_err(|outcome| *outcome)?;
            start(transport, &reservation, &id, run)?;
        }
        Run::Single(outcome, budget) => {
            let (sender, receiver) = oneshot::channel();
            let untaken = Arc::clone(&reservation.line.lock().untaken);
            let place = timeout(transport.options.execution_deadline, untaken.acquire_owned());
            let Ok(Ok(place)) = place.await else {
                let message = "The stream is not read; read it, then repeat the request.";
                return Err(Refusal::new(code::TIMEOUT, message).into());
            };
            // The session may have ended during the wait for a place.
            lasts()?;
            let result = async move {
                let outcome = receiver.await.unwrap_or_else(|_| {
                    Refusal::new(code::BAD_REQUEST, "The request broke off.").into()
                });
                drop(place);
                outcome
            };
            start(transport, &reservation, &id, Run::Single(result.boxed(), budget))?;
            let outcome = outcome.await;
            if let Outcome::Invalid(_) = outcome {
                reservation.line.lock().cut(&id);
                return Err(outcome);
            }
            // If the client has stopped it meanwhile, there is no receiver.
            let _: Result<(), Outcome> = sender.send(outcome);
        }
    }
    Ok(StatusCode::ACCEPTED.into_response())
}

fn start<E, A: Authenticator>(
    transport: &Transport<E, A>,
    reservation: &Reservation<A::Session>,
    id: &str,
    run: Run,
) -> Result<(), Refusal> {
    let mut line = reservation.line.lock();
    if line.operations.contains(id) {
        let message = "An operation with this ID is running already; choose another ID.";
        return Err(Refusal::new(code::OPERATION_ID_TAKEN, message));
    }
    let max = transport.options.socket.operations_max;
    if line.operations.len() >= max {
        let message = format!("This stream is running {max} operations already; stop one first.");
        return Err(Refusal::new(code::TOO_MANY_SUBSCRIPTIONS, message));
    }
    line.start(id, run);
    Ok(())
}

/// Waits for the first step of the subscription, which reports at once whether it is valid. Then
/// that is the answer to its request.
fn looked_at(
    mut frames: stream::BoxStream<'static, Frame>,
    bookmark: Bookmark,
) -> Result<Run, Box<Outcome>> {
    let first = AssertUnwindSafe(frames.next()).catch_unwind().now_or_never();
    match first {
        None => Ok(Run::Stream(frames, bookmark)),
        Some(Err(panic)) => Err(Outcome::of_panic(&*panic).into()),
        Some(Ok(None)) => Ok(Run::Stream(stream::empty().boxed(), bookmark)),
        Some(Ok(Some(Frame { payload: Payload::Own(response), .. })))
            if !response.errors.is_empty()
                && response.errors.iter().all(|error| error.path.is_empty()) =>
        {
            Err(Outcome::of_execution(*response).into())
        }
        Some(Ok(Some(frame))) => {
            Ok(Run::Stream(stream::iter([frame]).chain(frames).boxed(), bookmark))
        }
    }
}

fn id_missing() -> Refusal {
    let message = "Give the operation an ID of 1 to 128 bytes: `operationId` in `extensions`, or in the URL of DELETE.";
    Refusal::new(code::BAD_REQUEST, message)
}
