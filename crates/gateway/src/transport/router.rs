//! Where everything is found.

use std::sync::Arc;

use axum::Router;
use axum::routing::any;
use tokio::sync::Semaphore;

use super::auth::Authenticator;
use super::budget::Answers;
use super::callers::Callers;
use super::documents::{Documents, Types};
use super::frame::Frames;
use super::http::graphql;
use super::options::TransportOptions;
use super::persisted::NamedDocuments;
use super::rate::{Rate, RateLimiter};
use super::shutdown::Shutdown;
use super::sse::Reservations;

/// What every request needs.
pub(super) struct Transport<E, A: Authenticator> {
    pub(super) executor: E,
    pub(super) authenticator: A,
    pub(super) documents: Arc<Documents>,
    pub(super) options: TransportOptions,
    /// All answers that are being made.
    pub(super) answers: Arc<Answers>,
    pub(super) named: Arc<NamedDocuments>,
    /// `None` if callers may spend as much as they like.
    pub(super) limiter: Option<Arc<RateLimiter>>,
    pub(super) callers: Arc<Callers>,
    pub(super) shutdown: Shutdown,
    /// Places for answers that go on.
    pub(super) streams: Arc<Semaphore>,
    pub(super) reservations: Arc<Reservations<A::Session>>,
}

/// GraphQL at `/graphql`, over HTTP, WebSocket, event streams and multipart answers, and the pages.
///
/// `executor` is [`executor`](crate::schema::executor), or any `async_graphql::Schema` as
/// [`Unshared`](super::Unshared) in [`Validated`](super::Validated); `types` are those of its schema. Serve the router with [`serve`](super::serve()), or otherwise with
/// connection information, so that [`Peer`](super::Peer) knows the address.
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
    // A bucket that never holds what one request may cost would refuse it for ever.
    let burst = |rate: Rate| Rate { burst: rate.burst.max(options.cost_max), ..rate };
    let limiter = options.rate.map(burst).map(RateLimiter::new).map(Arc::new);
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
    Router::new()
        .route("/graphql", any(graphql::<E, A>))
        .with_state(Arc::new(transport))
        .merge(crate::pages::router())
}
