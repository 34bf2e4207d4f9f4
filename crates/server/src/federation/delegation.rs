//! `GET /.well-known/matrix/server` on the listener for clients: the name at which other servers find this one.

use axum::{
    Router,
    http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE},
    routing::get,
};
use serde_json::json;

/// How long other servers remember the answer.
const CACHED: &str = "public, max-age=3600";

/// The route, if the settings delegate to a name.
pub(crate) fn well_known(delegate: Option<&str>) -> Router {
    let Some(delegate) = delegate else { return Router::new() };
    let answer = json!({ "m.server": delegate }).to_string();
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, CACHED),
        (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    Router::new().route("/.well-known/matrix/server", get(async move || (headers, answer)))
}
