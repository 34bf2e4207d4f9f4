//! The settings of TURN, and which of them go together.

use std::{
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
};

use rookery_domain::SigningKey;
use rookery_turn::{Bounds, Secret, Target, Transport};

use crate::config::Network;

/// The settings of TURN; [`crate::config::ALL`] describes each.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is described in `settings`")]
pub struct TurnSettings {
    pub listen: Option<SocketAddr>,
    pub relay_addresses: Vec<IpAddr>,
    pub relay_ports: RangeInclusive<u16>,
    pub allowed_peers: Vec<Network>,
    pub uris: Vec<Target>,
    pub secret: Option<Secret>,
    pub bounds: Bounds,
}

impl TurnSettings {
    /// The first rule that the settings break together, with the way to keep it.
    pub(crate) fn problem(&self) -> Option<String> {
        let relays = self.uris.iter().any(|uri| uri.relays);
        if self.listen.is_none() {
            if !self.relay_addresses.is_empty() || !self.allowed_peers.is_empty() {
                let text = "turn.relay_address and turn.allowed_peers are for a relay of this server: set turn.listen too";
                return Some(text.to_owned());
            }
            if relays && self.secret.is_none() {
                let text = "turn.uris names a relay, and turn.secret is not set: set it to the secret that the relay has \
                            (coturn: static-auth-secret), or set turn.listen to start a relay in this server";
                return Some(text.to_owned());
            }
            if self.uris.is_empty() && self.secret.is_some() {
                let text =
                    "turn.secret is set without a relay: name it in turn.uris, or set turn.listen";
                return Some(text.to_owned());
            }
            return None;
        }
        let told = self.told_addresses();
        for is_of_family in [IpAddr::is_ipv4, IpAddr::is_ipv6] {
            if told.iter().filter(|address| is_of_family(address)).count() > 1 {
                let text = "turn.relay_address names two addresses of one family: name one IPv4 address, one IPv6 \
                            address, or both";
                return Some(text.to_owned());
            }
        }
        told.is_empty().then(|| {
            "turn.listen names no single address, so clients cannot be told where the relay is: set turn.relay_address to \
             the public address of this machine"
                .to_owned()
        })
    }

    /// The descriptors that the relay may take.
    pub(crate) fn descriptors(&self) -> u64 {
        let Bounds { allocations, connections, .. } = self.bounds;
        let ports = self.relay_ports.len() * self.told_addresses().len();
        let most = allocations.min(ports) + connections;
        self.listen.map_or(0, |_| u64::try_from(most).unwrap_or(u64::MAX))
    }

    /// The addresses under which peers reach the relay.
    pub(crate) fn told_addresses(&self) -> Vec<IpAddr> {
        let listening = self.listen.map(|listen| listen.ip());
        let single = listening.filter(|address| !address.is_unspecified());
        if self.relay_addresses.is_empty() {
            single.into_iter().collect()
        } else {
            self.relay_addresses.clone()
        }
    }

    /// The URIs for clients, given the port of the relay in this server.
    pub(crate) fn told_uris(&self, port: u16) -> Vec<Target> {
        let Some(listen) = self.listen.filter(|_| self.uris.is_empty()) else {
            return self.uris.clone();
        };
        // A socket for IPv4 hears nothing by IPv6. One for IPv6 hears both if it is for all addresses.
        let hears = |address: &IpAddr| {
            address.is_ipv4() == listen.is_ipv4()
                || (listen.is_ipv6() && listen.ip().is_unspecified())
        };
        let addresses = self.told_addresses();
        let uris = addresses.iter().filter(|address| hears(address)).flat_map(|address| {
            [Transport::Udp, Transport::Tcp].map(|transport| Target {
                host: address.to_string(),
                port,
                transport,
                relays: true,
                secure: false,
            })
        });
        uris.collect()
    }

    /// The secret behind the credentials: that of the operator, or else one that follows from the key of the server, so
    /// that all gateways of a server issue the same credentials.
    pub(crate) fn secret(&self, key: &SigningKey) -> Secret {
        self.secret.clone().unwrap_or_else(|| {
            // Another purpose would invalidate the credentials of clients.
            let derived =
                key.derive_secret("rookery 2026-11-30 credentials of the relay for calls");
            let text = derived.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
            Secret::new(text).unwrap_or_else(|_| unreachable!("64 digits are a secret"))
        })
    }
}
