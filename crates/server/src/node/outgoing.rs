//! The clients for requests to other programs.

use std::sync::Arc;

use rookery_matrix_bridge::{Outgoing, client};
use rookery_outgoing::{Client, Guard, SystemResolver, system_tls};

use crate::{config::Config, failure::Failure};

/// Requests to bridges, whose addresses the operator wrote.
///
/// # Errors
/// [`Failure`] if TLS cannot be used.
pub(super) fn to_bridges(config: &Config) -> Result<Arc<dyn Outgoing>, Failure> {
    let allow = config.outgoing_allow.clone();
    let guard =
        Guard::for_operator(move |address| allow.iter().any(|network| network.contains(address)));
    let tls = system_tls().map_err(|error| Failure::new(error.to_string()))?;
    Ok(client(Arc::new(Client::new(guard, Arc::new(SystemResolver), tls))))
}
