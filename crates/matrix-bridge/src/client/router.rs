//! The routes.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    http::StatusCode,
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse as _, Response},
    routing::{any, get, post, put},
};

use super::{
    api::Api,
    refusal::MatrixError,
    rooms::{creation, directory, members, membership, sending, state},
    users::{account, account_data, ephemeral, profile, server},
};

/// The versions of the API whose paths are served. The calls are the same in all of them.
const VERSIONS: [&str; 3] = ["r0", "v1", "v3"];

/// The calls of the client-server API that services make, under `/_matrix`.
pub fn router(api: Api) -> Router {
    let api = Arc::new(api);
    let mut all = Router::new().route("/_matrix/client/versions", get(server::versions));
    for version in VERSIONS {
        all = all.nest(&format!("/_matrix/client/{version}"), calls());
    }
    all.route("/_matrix", any(unrecognized))
        .route("/_matrix/{*rest}", any(unrecognized))
        .method_not_allowed_fallback(unrecognized)
        .layer(from_fn_with_state(Arc::clone(&api), only_with_bridges))
        .with_state(api)
}

fn calls() -> Router<Arc<Api>> {
    Router::new()
        .route("/account/whoami", get(account::whoami))
        .route("/register", post(account::register))
        .route("/capabilities", get(server::capabilities))
        .route("/appservice/{id}/ping", post(server::ping))
        .route("/joined_rooms", get(membership::joined_rooms))
        .route("/createRoom", post(creation::create_room))
        .route("/join/{room}", post(membership::join))
        .route("/rooms/{room}/join", post(membership::join))
        .route("/rooms/{room}/invite", post(membership::invite))
        .route("/rooms/{room}/kick", post(membership::kick))
        .route("/rooms/{room}/leave", post(membership::leave))
        .route("/rooms/{room}/forget", post(membership::forget))
        .route("/rooms/{room}/members", get(members::members))
        .route("/rooms/{room}/joined_members", get(members::joined_members))
        .route("/rooms/{room}/state", get(state::all))
        .route("/rooms/{room}/state/{type}", get(state::get_unkeyed).put(state::set_unkeyed))
        .route("/rooms/{room}/state/{type}/", get(state::get_unkeyed).put(state::set_unkeyed))
        .route("/rooms/{room}/state/{type}/{key}", get(state::get).put(state::set))
        .route("/rooms/{room}/send/{type}/{txn}", put(sending::send))
        .route("/rooms/{room}/redact/{event}/{txn}", put(sending::redact))
        .route("/rooms/{room}/event/{event}", get(sending::event))
        .route("/rooms/{room}/receipt/{type}/{event}", post(sending::receipt))
        .route("/rooms/{room}/typing/{user}", put(ephemeral::typing))
        .route("/profile/{user}", get(profile::get))
        .route("/profile/{user}/{field}", get(profile::get_field).put(profile::set_field))
        .route("/user/{user}/account_data/{type}", get(account_data::get).put(account_data::set))
        .route(
            "/user/{user}/rooms/{room}/account_data/{type}",
            get(account_data::get_of_room).put(account_data::set_of_room),
        )
        .route("/presence/{user}/status", get(ephemeral::presence).put(ephemeral::set_presence))
        .route(
            "/directory/room/{alias}",
            get(directory::get).put(directory::add).delete(directory::remove),
        )
        .fallback(unrecognized)
}

async fn unrecognized() -> MatrixError {
    MatrixError::unrecognized()
}

/// Without a bridge there is nothing here.
async fn only_with_bridges(State(api): State<Arc<Api>>, request: Request, next: Next) -> Response {
    if api.services.has_bridges() {
        next.run(request).await
    } else {
        StatusCode::NOT_FOUND.into_response()
    }
}
