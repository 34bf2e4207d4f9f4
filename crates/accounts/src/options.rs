//! What an operator may choose.

use std::{net::IpAddr, time::Duration};

use crate::HashCost;

/// Who may register an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RegistrationPolicy {
    /// Anyone.
    Open,
    /// Who connects from this very machine.
    #[default]
    LoopbackOnly,
    /// No one; an administrator or the command line makes accounts.
    Closed,
}

impl RegistrationPolicy {
    /// Whether a client at `from` may register.
    ///
    /// `from` has to be the client's own address, and no loopback address for a client that a proxy speaks for: behind
    /// a reverse proxy on this machine, every peer is a loopback address.
    #[must_use]
    pub fn admits(self, from: IpAddr) -> bool {
        match self {
            Self::Open => true,
            Self::LoopbackOnly => from.to_canonical().is_loopback(),
            Self::Closed => false,
        }
    }
}

/// Limits and choices; [`Default`] is fit for a server on the Internet.
#[derive(Clone, Debug)]
pub struct Options {
    /// Who may register.
    pub registration: RegistrationPolicy,
    /// How long an access token is valid; `None`: until logout.
    pub token_lifetime: Option<Duration>,
    /// How dear one guess of a password is.
    pub hash_cost: HashCost,
    /// Passwords hashed at the same time; each takes 19 MiB and a core.
    pub hashes_at_once: usize,
    /// Requests that may wait for their password to be hashed; the others are told to come back.
    pub hashes_waiting_max: usize,
    /// Failed logins of one account from one address within [`Self::failure_window`].
    pub failures_per_account_max: usize,
    /// Failed logins from one address (IPv6: one /64) within [`Self::failure_window`].
    pub failures_per_address_max: usize,
    /// For how long a failure counts.
    pub failure_window: Duration,
    /// Sessions kept in memory beside those in use.
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
