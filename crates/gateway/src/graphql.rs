//! The route of the schema.

use std::sync::Arc;

use axum::Router;
use rookery_graphql_edge::{Shutdown, TransportOptions};

use crate::{
    Tokens,
    schema::{App, costs, executor, types},
};

/// GraphQL at `/graphql`, with the costs of the schema. Serve it with [`serve`](rookery_graphql_edge::serve()).
///
/// The function has no type parameter, so this crate compiles the resolvers and its callers do not compile them again.
pub fn router(
    app: Arc<App>,
    tokens: Tokens,
    options: TransportOptions,
    shutdown: Shutdown,
) -> Router {
    let executor = executor(app);
    let options = TransportOptions { costs: Some(costs()), ..options };
    rookery_graphql_edge::router(executor, types(), tokens, options, shutdown)
}
