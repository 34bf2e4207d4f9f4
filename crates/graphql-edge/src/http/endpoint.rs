//! GraphQL over HTTP: one handler for every method at `/graphql`.
//!
//! **Invariant:** nothing executes before media type, size, gate and token were checked.
//! **Invariant:** the result of a query is not sent once its session is over. The answer of a
//! mutation that has begun is sent, because it reports its effect.
//!
//! Source: GraphQL over HTTP (draft), sections "Request" and "Response".

use std::pin::pin;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::UPGRADE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse as _, Redirect, Response};
use rookery_graphql_documents::{OperationKind, Outcome, Refusal, code};
use rookery_work::unburdened;

use super::body::params;
use super::media::{Accepted, Media, StreamMedia};
use super::origin::Origin;
use super::respond::{Manner, respond};
use super::router::Transport;
use crate::connection::connections::{Connection, Lasting};
use crate::connection::unsent::{Guard, Unsent, guarded};
use crate::limits::budget::Budget;
use crate::limits::callers::Holding;
use crate::limits::untaken::Untaken;
use crate::operation::operations::Run;
use crate::operation::refused::peer_of;
use crate::port::auth::{AuthFailure, Authenticator, Peer, SessionEnd, credentials};
use crate::port::frame::Frames;
use crate::socket;
use crate::streaming::{multipart, sse};

/// Answers a request to `/graphql`.
pub(crate) async fn graphql<E: Frames, A: Authenticator>(
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
                let peer = peer_of(request.extensions());
                transport.tell_refused("a socket", (None, peer), &foreign());
                let invalid = transport.options.invalid_status;
                let manner = Manner::new(request.headers(), Media::Json, invalid);
                respond(foreign().into(), manner, None).await
            }
            _ => socket::upgrade(transport, request).await,
        };
    }
    // This is not polled while its connection has an unsent answer.
    let answering = pin!(answer(&transport, request, &origin));
    let mut response = unburdened("an HTTP request", answering).await;
    origin.allow(&mut response);
    response
}

/// Not every upgrade is to a WebSocket: some clients offer HTTP/2 this way.
fn asks_for_socket(headers: &HeaderMap) -> bool {
    headers
        .get(UPGRADE)
        .is_some_and(|protocol| protocol.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

fn foreign() -> Refusal {
    let message = "This origin is not allowed to open sockets or streams here. Add it to \
                   `allowed_origins` in the server's configuration.";
    Refusal::new(code::ORIGIN_FORBIDDEN, message)
}

/// The answer to a request.
enum Answer {
    /// One body, with its reader.
    Single(Outcome, Option<Reader>),
    /// A response: a stream, or one without a body.
    Ready(Response),
}

/// The user of an operation.
struct Reader {
    end: Arc<dyn SessionEnd>,
    kind: OperationKind,
    /// Holds room for the answer.
    budget: Budget,
}

impl Reader {
    /// Whether the session is over, so the result must not be sent.
    fn is_too_late(&self) -> bool {
        self.kind != OperationKind::Mutation && self.end.is_over()
    }
}

async fn answer<E: Frames, A: Authenticator>(
    transport: &Transport<E, A>,
    request: Request,
    origin: &Origin,
) -> Response {
    let (parts, body) = request.into_parts();
    let asks = parts.uri.query().is_some_and(|query| {
        form_urlencoded::parse(query.as_bytes())
            .any(|(name, _)| matches!(&*name, "query" | "extensions" | "documentId"))
    });
    if let Some(page) = transport.options.page
        && parts.method == Method::GET
        && !asks
        && Media::wants_page(&parts.headers)
    {
        return Redirect::to(page).into_response();
    }
    let accepted = Accepted::of(&parts.headers);
    let (outcome, reader) = match dispatch(transport, &parts, body, accepted, origin).await {
        Ok(Answer::Ready(response)) => return response,
        Ok(Answer::Single(outcome, reader)) => (outcome, reader),
        Err(refusal) => {
            transport.tell_refused("a request", (None, peer(&parts)), &refusal);
            (refusal.into(), None)
        }
    };
    let media = accepted.single.unwrap_or(Media::Json);
    let manner = Manner::new(&parts.headers, media, transport.options.invalid_status);
    let budget = reader.as_ref().map(|reader| reader.budget.clone());
    let response = respond(outcome, manner, budget).await;
    match reader {
        Some(reader) if reader.is_too_late() => {
            respond(unauthenticated(AuthFailure::Invalid).into(), manner, None).await
        }
        Some(reader) if !reader.end.is_over() => match guard(&parts, &reader.end) {
            Some(guard) => guarded(response, guard),
            None => response,
        },
        _ => response,
    }
}

/// Makes the connection of a request end with a session, if its answer is still pending then.
pub(crate) fn guard(parts: &Parts, end: &Arc<dyn SessionEnd>) -> Option<Guard> {
    Unsent::of(&parts.extensions).map(|unsent| unsent.guard(Arc::clone(end)))
}

/// Decides the kind of the request: an operation, or one for a reserved stream.
async fn dispatch<E: Frames, A: Authenticator>(
    transport: &Transport<E, A>,
    parts: &Parts,
    body: Body,
    accepted: Accepted,
    origin: &Origin,
) -> Result<Answer, Refusal> {
    let token = sse::token(parts);
    let streams = accepted.stream.is_some()
        || token.is_some()
        || matches!(parts.method, Method::PUT | Method::DELETE);
    if streams && *origin == Origin::Foreign {
        return Err(foreign());
    }
    match (&parts.method, token) {
        (&Method::PUT, _) => sse::reserve(transport, parts).await.map(Answer::Ready),
        (&Method::GET, Some(token)) if accepted.stream == Some(StreamMedia::EventStream) => {
            sse::open(transport, parts, &token).map(Answer::Ready)
        }
        (&Method::DELETE, Some(token)) => {
            sse::stop(transport, parts, &token).await.map(Answer::Ready)
        }
        (&Method::POST, Some(token)) => match sse::operate(transport, parts, body, &token).await {
            Ok(response) => Ok(Answer::Ready(response)),
            Err(outcome) => Ok(Answer::Single(outcome, None)),
        },
        _ if accepted.single.is_none() && accepted.stream.is_none() => Err(not_acceptable()),
        _ => run(transport, parts, body, accepted).await,
    }
}

impl<E, A: Authenticator> Transport<E, A> {
    /// Answers a browser that shows only streams to its page.
    fn told_in_stream(&self, parts: &Parts, refusal: Refusal) -> Response {
        self.tell_refused("a stream", (None, peer(parts)), &refusal);
        sse::refused(refusal)
    }
}

fn not_acceptable() -> Refusal {
    let message =
        "Accept application/graphql-response+json or application/json, or text/event-stream.";
    Refusal::new(code::NOT_ACCEPTABLE, message)
}

/// Runs an operation and answers it, with one body or a stream.
async fn run<E: Frames, A: Authenticator>(
    transport: &Transport<E, A>,
    parts: &Parts,
    body: Body,
    accepted: Accepted,
) -> Result<Answer, Refusal> {
    let mut params = params(parts, body, &transport.options)
        .await
        .map_err(|refusal| transport.charged_to_address(peer(parts), refusal))?;
    let session = session(transport, parts).await?;
    let admission = match transport.admit(&mut params, &session, peer(parts)) {
        Ok(admission) => admission,
        Err(refusal) if accepted.is_event_stream_only() => {
            return Ok(Answer::Ready(transport.told_in_stream(parts, refusal)));
        }
        Err(refusal) => return Err(refusal),
    };
    let kind = admission.admitted.kind;
    let subscribes = kind == OperationKind::Subscription;
    if kind == OperationKind::Mutation && parts.method == Method::GET {
        let message = "GET runs queries and subscriptions only; send mutations by POST.";
        return Err(Refusal::new(code::METHOD_NOT_ALLOWED, message));
    }
    let stream = if subscribes || accepted.single.is_none() { accepted.stream } else { None };
    if subscribes && stream.is_none() {
        let message = "Subscriptions go over WebSocket (graphql-transport-ws) at this same address, or accept \
                       text/event-stream or multipart/mixed;subscriptionSpec=1.0.";
        return Err(Refusal::new(code::SUBSCRIPTION_NEEDS_WEBSOCKET, message));
    }
    if !subscribes && stream == Some(StreamMedia::Multipart) {
        return Err(not_acceptable());
    }
    let prepared = match transport.prepare(params, admission, &session, peer(parts)).await {
        Err(refusal) if accepted.is_event_stream_only() => {
            return Ok(Answer::Ready(transport.told_in_stream(parts, refusal)));
        }
        prepared => prepared?,
    };
    let kind = prepared.admitted.kind;
    let end = transport.authenticator.end(&session);
    let untaken = Untaken::on(Connection::of(&parts.extensions));
    match (Run::new(transport, prepared, &untaken), stream) {
        (Run::Single(outcome, budget), None) => {
            let outcome = outcome.await;
            Ok(Answer::Single(outcome, Some(Reader { end, kind, budget })))
        }
        (run, Some(StreamMedia::Multipart)) => {
            let held = Box::new((guard(parts, &end), lasting(transport, parts, &session)?));
            multipart::subscribe(transport, (&session, end), run, held).map(Answer::Ready)
        }
        (run, _) => {
            let held = Box::new((guard(parts, &end), lasting(transport, parts, &session)?));
            sse::stream(transport, (&session, end), run, held).map(Answer::Ready)
        }
    }
}

/// The places that a stream takes: among the caller's, and among all.
pub(crate) type LastingPlace = (Holding, Option<Lasting>);

/// Makes the connection of a request a lasting one.
///
/// # Errors
/// A [`Refusal`] if the caller or the server has as many as they may have.
pub(crate) fn lasting<E, A: Authenticator>(
    transport: &Transport<E, A>,
    parts: &Parts,
    session: &A::Session,
) -> Result<LastingPlace, Refusal> {
    let holding = transport.callers.socket(transport.key(session, peer(parts)))?;
    let lasting = Connection::of(&parts.extensions).map(Connection::lasting).transpose()?;
    Ok((holding, lasting))
}

/// The session of a request.
pub(crate) async fn session<E, A: Authenticator>(
    transport: &Transport<E, A>,
    parts: &Parts,
) -> Result<A::Session, Refusal> {
    let refused = |failure| transport.charged_to_address(peer(parts), unauthenticated(failure));
    let credentials = credentials(&parts.headers).map_err(refused)?;
    let session = transport.authenticator.authenticate(credentials, &peer(parts)).await;
    let session = session.map_err(refused)?;
    if let Some(connection) = Connection::of(&parts.extensions)
        && transport.authenticator.caller(&session).user.is_some()
    {
        connection.is_known();
    }
    Ok(session)
}

/// The address of the client, if the server knows it.
pub(crate) fn peer(parts: &Parts) -> Peer {
    peer_of(&parts.extensions)
}

pub(crate) fn unauthenticated(failure: AuthFailure) -> Refusal {
    match failure {
        AuthFailure::Invalid => Refusal::new(
            code::UNAUTHENTICATED,
            "The access token is not valid; log in again, and send `Authorization: Bearer TOKEN`.",
        ),
        AuthFailure::Unavailable => Refusal::new(
            code::UNAVAILABLE,
            "The server cannot check access tokens now; try again later.",
        ),
        AuthFailure::Forbidden => Refusal::new(
            code::FORBIDDEN,
            "You may not act as the user in `Rookery-Act-As` (`actAs` in `connection_init`): only a service may, as \
             users in its namespaces that exist.",
        ),
    }
}
