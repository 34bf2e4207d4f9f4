//! The clients for requests to other programs.

use std::sync::Arc;

use rookery_accounts::Accounts;
use rookery_delivery::{Consumers, Feeds};
use rookery_matrix_bridge::{Outgoing, client};
use rookery_outgoing::{Client, Guard, SystemResolver, system_tls};
use rookery_outgoing_webhooks::{OutgoingParts, OutgoingWebhooks};

use crate::{config::Config, failure::Failure, node::clock};

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

/// The outgoing webhooks, whose addresses users wrote.
///
/// # Errors
/// [`Failure`] if TLS cannot be used.
pub(super) fn webhooks(
    config: &Config,
    accounts: Accounts,
    feeds: Feeds,
    consumers: Consumers,
) -> Result<OutgoingWebhooks, Failure> {
    let allow = config.outgoing_allow.clone();
    let guard =
        Guard::for_users(move |address| allow.iter().any(|network| network.contains(address)));
    let tls = system_tls().map_err(|error| Failure::new(error.to_string()))?;
    let client = Arc::new(Client::new(guard, Arc::new(SystemResolver), tls));
    let (clock, give_up_after) = (clock::now as fn() -> _, config.outgoing_give_up_after);
    let parts = OutgoingParts { accounts, feeds, consumers, client, clock, give_up_after };
    Ok(OutgoingWebhooks::new(parts))
}
