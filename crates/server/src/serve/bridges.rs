//! Matrix bridges on the server's listener, and the pushes to them.

use std::sync::Arc;

use axum::Router;
use rookery_matrix_bridge::{Api, Asking, Pushing, bridges, router};
use rookery_view::OtherServers;

use crate::node::{Node, clock};

/// The routes of the calls that bridges make.
pub(super) fn edge(node: &Node, other_servers: Arc<dyn OtherServers>) -> Router {
    router(Api {
        commands: Arc::clone(&node.commands),
        reader: node.reader.clone(),
        ephemeral: node.ephemeral.clone(),
        services: bridges(node.services.clone(), node.accounts.clone()),
        asking: Asking::new(Arc::clone(&node.to_bridges)),
        profiles: node.profiles,
        other_servers,
        clock: clock::now,
        known: rookery_graphql_edge::known,
    })
}

/// The pushes to all bridges.
pub(super) fn pushing(node: &Node) -> Pushing {
    Pushing {
        services: node.services.clone(),
        feeds: node.feeds.clone(),
        consumers: node.consumers.clone(),
        clock: clock::now,
        outgoing: Arc::clone(&node.to_bridges),
    }
}
