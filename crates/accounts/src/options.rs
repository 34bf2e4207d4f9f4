//! The operator's options.

use std::{net::IpAddr, time::Duration};

use crate::HashCost;

/// The clients that may register an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RegistrationPolicy {
    /// Any client.
    Open,
    /// Clients that connect from this machine.
    #[default]
    LoopbackOnly,
    /// No client; an administrator or the command line creates accounts.
    Closed,
}

impl RegistrationPolicy {
    /// Whether a client at `from` may register.
    ///
    /// `from` has to be the client's own address. For a client behind a proxy it must not be a
    /// loopback address: behind a reverse proxy on this machine, every peer has one.
    #[must_use]
    pub fn admits(self, from: IpAddr) -> bool {
        match self {
            Self::Open => true,
            Self::LoopbackOnly => from.to_canonical().is_loopback(),
            Self::Closed => false,
        }
    }
}

/// Limits and policies; [`Default`] suits a server on the Internet.
#[derive(Clone, Debug)]
pub struct Options {
    /// The clients that may register.
    pub registration: RegistrationPolicy,
    /// How long an access token is valid; `None`: until logout.
    pub token_lifetime: Option<Duration>,
    /// The cost of hashing one password.
    pub hash_cost: HashCost,
    /// Passwords hashed at the same time; each takes 19 MiB and a core.
    pub hashes_at_once: usize,
    /// Requests that may wait for their password to be hashed; the server asks all others to retry
    /// later.
    pub hashes_waiting_max: usize,
    /// Failed logins of one account from one address within [`Self::failure_window`].
    pub failures_per_account_max: usize,
    /// Failed logins from one address (IPv6: one /64) within [`Self::failure_window`].
    pub failures_per_address_max: usize,
    /// How long a failure counts.
    pub failure_window: Duration,
    /// Cached sessions beside those in use.
    pub sessions_cached_max: usize,
    /// Devices of one user.
    pub devices_per_user_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            registration: RegistrationPolicy::default(),
            token_lifetime: None,
            hash_cost: HashCost::Owasp,
            hashes_at_once: 2,
            hashes_waiting_max: 64,
            failures_per_account_max: 10,
            failures_per_address_max: 100,
            failure_window: Duration::from_mins(5),
            sessions_cached_max: 10_000,
            devices_per_user_max: 1_000,
        }
    }
}
