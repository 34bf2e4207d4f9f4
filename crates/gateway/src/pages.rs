//! The pages for people: what this server is, and `GraphiQL`.

use axum::Router;

/// The routes of the pages.
pub fn router() -> Router {
    Router::new()
}
