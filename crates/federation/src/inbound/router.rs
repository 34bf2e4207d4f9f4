//! The routes.

use std::sync::Arc;

use axum::{
    Router,
    routing::{any, get, post, put},
};

use super::{events, joining, queries, refusal::Refusal, send};
use crate::home::Home;

/// The requests that other servers may make.
pub(crate) fn router(home: Arc<Home>) -> Router {
    // Without nesting, which would shorten the path that the signature covers.
    Router::new()
        .route("/_matrix/federation/v1/version", get(queries::version))
        .route("/_matrix/federation/v1/send/{id}", put(send::send))
        .route("/_matrix/federation/v1/event/{id}", get(events::event))
        .route("/_matrix/federation/v1/event_auth/{room}/{id}", get(events::event_auth))
        .route("/_matrix/federation/v1/state/{room}", get(events::state))
        .route("/_matrix/federation/v1/state_ids/{room}", get(events::state_ids))
        .route("/_matrix/federation/v1/backfill/{room}", get(events::backfill))
        .route("/_matrix/federation/v1/timestamp_to_event/{room}", get(events::timestamp_to_event))
        .route("/_matrix/federation/v1/get_missing_events/{room}", post(events::missing_events))
        .route("/_matrix/federation/v1/make_join/{room}/{user}", get(joining::make_join))
        .route("/_matrix/federation/v2/send_join/{room}/{id}", put(joining::send_join))
        .route("/_matrix/federation/v1/make_leave/{room}/{user}", get(joining::make_leave))
        .route("/_matrix/federation/v2/send_leave/{room}/{id}", put(joining::send_leave))
        .route("/_matrix/federation/v1/make_knock/{room}/{user}", get(joining::make_knock))
        .route("/_matrix/federation/v1/send_knock/{room}/{id}", put(joining::send_knock))
        .route("/_matrix/federation/v2/invite/{room}/{id}", put(joining::inviting::invite))
        .route("/_matrix/federation/v1/query/directory", get(queries::directory))
        .route(
            "/_matrix/federation/v1/publicRooms",
            get(queries::rooms::page).post(queries::rooms::search),
        )
        .route("/_matrix/federation/v1/query/profile", get(queries::profile))
        .route("/_matrix/key/v2/server", get(queries::keys))
        .route("/_matrix/key/v2/server/{id}", get(queries::keys))
        .route("/.well-known/matrix/server", get(queries::well_known))
        .fallback(any(unrecognized))
        .method_not_allowed_fallback(unrecognized)
        .with_state(home)
}

async fn unrecognized() -> Refusal {
    Refusal::unrecognized()
}
