//! The configuration in the types of the program.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use rookery_accounts::RegistrationPolicy;
use rookery_command::ActionRates;
use rookery_domain::ProfileAudience;
use rookery_graphql_edge::Introspection;
use rookery_rates::Pace;

use crate::{
    config::{Caches, Host, Network, TrustedProxies},
    federation::FederationSettings,
    turn::TurnSettings,
};

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object a line.
    Json,
}

/// All settings; [`crate::config::ALL`] describes each.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is described in `settings`")]
pub struct Config {
    pub data: PathBuf,
    pub log_format: LogFormat,
    pub log: String,
    pub listen: SocketAddr,
    /// `None` without a setting: then the name in the data folder counts.
    pub server_name: Option<String>,
    pub registration: RegistrationPolicy,
    pub token_lifetime: Option<Duration>,
    /// How long redacted content may stay in the files until a start rewrites them; `None` means
    /// until an operator compacts.
    pub compact_after: Option<Duration>,
    pub allowed_hosts: Vec<Host>,
    pub allowed_origins: Vec<String>,
    pub trusted_proxies: TrustedProxies,
    pub profiles: ProfileAudience,
    pub introspection: Introspection,
    /// The manifest of the allowed documents; without it all are allowed.
    pub allowed_documents: Option<PathBuf>,
    pub shutdown_timeout: Duration,
    pub fanout_sharing: bool,
    /// The sizes of the caches.
    pub cache: Caches,
    pub limits: Limits,
    pub turn: TurnSettings,
    pub federation: FederationSettings,
    /// Networks to which requests go although they are not public.
    pub outgoing_allow: Vec<Network>,
    /// How long the requests of a webhook may fail.
    pub outgoing_give_up_after: Duration,
}

/// Limits on requests.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is described in `settings`")]
pub struct Limits {
    pub body_bytes: usize,
    pub query_bytes: usize,
    pub frame_bytes: usize,
    pub nesting: usize,
    pub fragments: usize,
    pub fields: usize,
    pub root_fields: usize,
    pub answer_bytes: usize,
    pub answers_bytes: usize,
    pub work: usize,
    pub cost: usize,
    pub rate: Option<usize>,
    pub burst: usize,
    pub service_rate: usize,
    /// The rates of users' actions, unless `rate` is `none`.
    pub rates: ActionRates,
    pub registrations: Option<Pace>,
    pub logins: Option<Pace>,
    pub ice_servers: Option<Pace>,
    pub webhooks: Option<Pace>,
    pub webhook_requests: Option<Pace>,
    pub subscriptions: usize,
    pub user_subscriptions: usize,
    pub user_sockets: usize,
    pub address_sockets: usize,
    pub address_connections: usize,
    pub login_time: Duration,
    pub connections: usize,
    pub deadline: Duration,
    pub action_wait: Duration,
    pub consumer_silence: Duration,
    pub passwords_at_once: usize,
    pub passwords_waiting: usize,
}
