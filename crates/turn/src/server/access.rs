//! The credentials of requests, and the budgets of senders without any.

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher as _,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Instant,
};

use crate::{
    Secret,
    bucket::Bucket,
    credentials::split,
    nonce::Nonces,
    server::options::{Now, STRANGER_REQUESTS},
    wire::{Key, Message, attribute, code},
};

/// Addresses share this many budgets, so that the table never grows.
const SLOTS: usize = 4_096;

/// The budgets of addresses for what the relay answers without valid credentials.
///
/// An address has the slot of its hash under a random key. So a sender with many addresses cannot aim at another's slot.
pub(super) struct Strangers {
    slots: Box<[Bucket]>,
    hasher: RandomState,
}

impl Strangers {
    pub(super) fn new(now: Instant) -> Self {
        Self { slots: vec![Bucket::full(now); SLOTS].into(), hasher: RandomState::new() }
    }

    /// Takes one answer from the budget of the address. IPv6 addresses of one network share a budget.
    pub(super) fn takes(&mut self, address: IpAddr, now: Instant) -> bool {
        let hash = match address {
            IpAddr::V4(address) => self.hasher.hash_one(address.to_bits()),
            IpAddr::V6(address) => self.hasher.hash_one(address.to_bits() >> 64),
        };
        let slot = usize::try_from(hash % SLOTS as u64).unwrap_or(0);
        self.slots[slot].take(1, STRANGER_REQUESTS, now)
    }
}

/// The sender of a request with valid credentials.
pub(super) struct Caller<'a> {
    pub(super) user: &'a str,
    pub(super) key: Key,
}

/// Why a request counts as that of a stranger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unauthenticated {
    pub(super) code: u16,
    pub(super) reason: &'static str,
    /// Whether the answer tells the realm and a nonce, so that the client can try again.
    pub(super) asks: bool,
}

/// Checks the credentials of requests.
pub(super) struct Gate {
    pub(super) secret: Secret,
    pub(super) realm: Arc<str>,
    pub(super) nonces: Nonces,
}

impl Gate {
    /// Checks the credentials of a request: nonce, end and code, the cheap checks first.
    ///
    /// Source: RFC 8489, section 9.2.4.
    pub(super) fn check<'a>(
        &self,
        message: &Message<'a>,
        client: SocketAddr,
        now: Now,
    ) -> Result<Caller<'a>, Unauthenticated> {
        let ask = |code, reason| Unauthenticated { code, reason, asks: true };
        if !message.is_signed() {
            return Err(ask(code::UNAUTHENTICATED, "credentials are required"));
        }
        let text = |kind| message.text(kind);
        let (Some(username), Some(realm), Some(nonce)) =
            (text(attribute::USERNAME), text(attribute::REALM), text(attribute::NONCE))
        else {
            let reason = "a signed request needs username, realm and nonce";
            return Err(Unauthenticated { code: code::BAD_REQUEST, reason, asks: false });
        };
        if !self.nonces.is_valid(nonce, client, now.at) {
            return Err(ask(code::STALE_NONCE, "the nonce is stale"));
        }
        let invalid = ask(code::UNAUTHENTICATED, "the credentials are invalid");
        let (expires_at, user) = split(username).ok_or(invalid)?;
        if realm != &*self.realm {
            return Err(invalid);
        }
        let key = Key::new(username, realm, &self.secret.credential(username));
        if !message.is_signed_by(&key) {
            return Err(invalid);
        }
        if expires_at <= now.since_1970.as_secs() {
            return Err(ask(code::UNAUTHENTICATED, "the credentials have expired"));
        }
        Ok(Caller { user, key })
    }
}
