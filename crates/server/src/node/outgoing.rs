//! The clients for requests to other programs.

use std::{net::IpAddr, sync::Arc};

use rookery_accounts::Accounts;
use rookery_delivery::{Consumers, Feeds};
use rookery_matrix_bridge::{Outgoing, client};
use rookery_outgoing::{Client, Guard, SystemResolver, system_tls};
use rookery_outgoing_webhooks::{OutgoingParts, OutgoingWebhooks};

use crate::{config::Config, node::clock};

/// Requests to bridges, whose addresses the operator wrote.
pub(super) fn to_bridges(config: &Config) -> Arc<dyn Outgoing> {
    client(guarded(Guard::for_operator(allowed(config))))
}

/// The outgoing webhooks, whose addresses users wrote.
pub(super) fn webhooks(
    config: &Config,
    accounts: Accounts,
    feeds: Feeds,
    consumers: Consumers,
) -> OutgoingWebhooks {
    let client = guarded(Guard::for_users(allowed(config)));
    let (clock, give_up_after) = (clock::now as fn() -> _, config.outgoing_give_up_after);
    let parts = OutgoingParts { accounts, feeds, consumers, client, clock, give_up_after };
    OutgoingWebhooks::new(parts)
}

/// Whether an address is one of `outgoing.allow`.
fn allowed(config: &Config) -> impl Fn(IpAddr) -> bool + Send + Sync + 'static {
    let allow = config.outgoing_allow.clone();
    move |address| allow.iter().any(|network| network.contains(address))
}

fn guarded(guard: Guard) -> Arc<Client> {
    Arc::new(Client::new(guard, Arc::new(SystemResolver), system_tls()))
}
