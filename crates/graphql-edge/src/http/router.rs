//! The routes of the endpoint.

use std::sync::Arc;

use axum::Router;
use axum::routing::any;
use rookery_graphql_documents::{Documents, Types};
use tokio::sync::Semaphore;

use super::endpoint::graphql;
use crate::connection::shutdown::Shutdown;
use crate::limits::budget::Answers;
use crate::limits::callers::Callers;
use crate::limits::rate::{Rate, RateLimiter};
use crate::persisted::NamedDocuments;
use crate::port::auth::Authenticator;
use crate::port::frame::Frames;
use crate::port::options::TransportOptions;
use crate::streaming::sse::Reservations;

/// The state that every request needs.
pub(crate) struct Transport<E, A: Authenticator> {
    pub(crate) executor: E,
    pub(crate) authenticator: A,
    pub(crate) documents: Arc<Documents>,
    pub(crate) options: TransportOptions,
    /// All answers in progress.
    pub(crate) answers: Arc<Answers>,
    pub(crate) named: Arc<NamedDocuments>,
    /// `None` if callers have no rate limit.
    pub(crate) limiter: Option<Arc<RateLimiter>>,
    pub(crate) callers: Arc<Callers>,
    pub(crate) shutdown: Shutdown,
    /// Places for streamed answers.
    pub(crate) streams: Arc<Semaphore>,
    pub(crate) reservations: Arc<Reservations<A::Session>>,
}

/// GraphQL at `/graphql`, over HTTP, WebSocket, event streams and multipart answers.
///
/// `executor` is a schema that implements [`Frames`], or any `async_graphql::Schema` as
/// [`Unshared`](crate::Unshared), in [`Validated`](rookery_graphql_documents::Validated); `types` are those of its schema. Serve the router with
/// [`serve`](crate::serve()), or otherwise with connection information, so that [`Peer`](crate::Peer) knows the address.
pub fn router<E: Frames, A: Authenticator>(
    executor: E,
    types: Arc<Types>,
    authenticator: A,
    options: TransportOptions,
    shutdown: Shutdown,
) -> Router {
    let documents = Arc::new(Documents::new(&options.documents, types));
    let limits = &options.streams;
    let streams = Arc::new(Semaphore::new(limits.streams_max));
    let of_one = options.callers.reservations_max;
    let reservations =
        Reservations::new(limits.reservations_max, of_one, limits.reservation_deadline);
    let reservations = Arc::new(reservations);
    // A bucket smaller than the greatest cost of a request would refuse such a request for ever.
    let burst = |rate: Rate| Rate { burst: rate.burst.max(options.cost_max), ..rate };
    let limiter = options.rate.map(|rate| {
        Arc::new(RateLimiter::new(burst(rate), burst(options.program_rate.unwrap_or(rate))))
    });
    let answers = Answers::new(options.answers.clone());
    let named = Arc::new(NamedDocuments::new(options.allowed.clone()));
    let callers = Callers::new(options.callers.clone());
    let transport = Transport {
        executor,
        authenticator,
        documents,
        options,
        answers,
        named,
        limiter,
        callers,
        shutdown,
        streams,
        reservations,
    };
    Router::new().route("/graphql", any(graphql::<E, A>)).with_state(Arc::new(transport))
}
