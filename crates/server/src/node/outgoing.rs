//! The clients for requests to other programs.

use std::{net::IpAddr, sync::Arc};

use rookery_accounts::Accounts;
use rookery_delivery::{Consumers, Feeds};
use rookery_matrix_bridge::{Outgoing, client};
use rookery_outgoing::{Client, Guard, SystemResolver, system_tls};
use rookery_outgoing_webhooks::{OutgoingParts, OutgoingWebhooks};

use crate::{config::Config, failure::Failure, node::clock};

/// Requests to bridges, whose addresses the operator wrote.
pub(super) fn to_bridges(config: &Config) -> Result<Arc<dyn Outgoing>, Failure> {
    Ok(client(guarded(Guard::for_operator(allowed(config)))?))
}

/// The outgoing webhooks, whose addresses users wrote.
pub(super) fn webhooks(
    config: &Config,
    accounts: Accounts,
    feeds: Feeds,
    consumers: Consumers,
) -> Result<OutgoingWebhooks, Failure> {
    let client = guarded(Guard::for_users(allowed(config)))?;
    let (clock, give_up_after) = (clock::now as fn() -> _, config.outgoing_give_up_after);
    let parts = OutgoingParts { accounts, feeds, consumers, client, clock, give_up_after };
    Ok(OutgoingWebhooks::new(parts))
}

/// Whether an address is one of `outgoing.allow`.
fn allowed(config: &Config) -> impl Fn(IpAddr) -> bool + Send + Sync + 'static {
    let allow = config.outgoing_allow.clone();
    move |address| allow.iter().any(|network| network.contains(address))
}

fn guarded(guard: Guard) -> Result<Arc<Client>, Failure> {
    let tls = system_tls().map_err(|error| Failure::new(error.to_string()))?;
    Ok(Arc::new(Client::new(guard, Arc::new(SystemResolver), tls)))
}
