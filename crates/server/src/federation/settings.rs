//! The settings of federation, and which of them go together.

use std::{net::SocketAddr, path::PathBuf};

use rookery_domain::{OwnedServerName, ServerName};
use rookery_federation::{Access, Pauses, TlsFiles};

use crate::config::Network;

/// The settings of federation; [`crate::config::ALL`] describes each.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is described in `settings`")]
pub struct FederationSettings {
    pub listen: Option<SocketAddr>,
    pub certificate: Option<PathBuf>,
    pub key: Option<PathBuf>,
    pub ca: Option<PathBuf>,
    pub allow_networks: Vec<Network>,
    pub notaries: Vec<OwnedServerName>,
    pub access: Access,
    pub delegate: Option<String>,
    pub pauses: Pauses,
}

impl FederationSettings {
    /// The first rule that the settings break together, with the way to keep it.
    pub(crate) fn problem(&self) -> Option<String> {
        let text = if self.listen.is_none() && (self.certificate.is_some() || self.key.is_some()) {
            "federation.certificate and federation.key are for the listener of federation: set federation.listen too"
        } else if self.certificate.is_some() != self.key.is_some() {
            "federation.certificate and federation.key belong together: set both, or none of them behind a proxy that \
             does TLS"
        } else if self.pauses.first > self.pauses.longest {
            "federation.retry_first is longer than federation.retry_longest: make it shorter"
        } else {
            return None;
        };
        Some(text.to_owned())
    }

    /// The files of the listener's certificate; `None` behind a proxy that does TLS.
    pub(crate) fn tls(&self) -> Option<TlsFiles> {
        let (certificate, key) = self.certificate.clone().zip(self.key.clone())?;
        Some(TlsFiles { certificate, key })
    }

    /// Why other servers cannot reach a server of this name, with the way to mend it.
    pub(crate) fn unreachable(&self, name: &ServerName) -> Option<String> {
        let host = name.host();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse();
        let is_allowed = |address: std::net::IpAddr| {
            rookery_outgoing::Guard::for_users(|_| false).check(address, true).is_ok()
                || self.allow_networks.iter().any(|network| network.contains(address))
        };
        let is_reachable = match address {
            Ok(address) => is_allowed(address),
            Err(_) if host == "localhost" || host.ends_with(".localhost") => {
                name.port().is_some() && is_allowed(std::net::Ipv4Addr::LOCALHOST.into())
            }
            Err(_) => host.contains('.'),
        };
        (!is_reachable).then(|| {
            format!(
                "federation.listen is set, and other servers cannot reach a server with the name {name}: a server needs \
                 a server_name in the DNS, such as chat.example.org, and the name is fixed once there is data. For a \
                 test on one machine, name the server localhost:PORT and set federation.allow_networks to 127.0.0.1"
            )
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_others_cannot_reach_is_refused() {
        let mut settings = FederationSettings {
            listen: None,
            certificate: None,
            key: None,
            ca: None,
            allow_networks: Vec::new(),
            notaries: Vec::new(),
            access: Access::default(),
            delegate: None,
            pauses: Pauses::default(),
        };
        let is_reachable = |settings: &FederationSettings, name: &str| {
            settings.unreachable(<&ServerName>::try_from(name).unwrap()).is_none()
        };
        for name in ["localhost", "localhost:1", "chat", "10.0.0.1", "127.0.0.1:1", "[::1]"] {
            assert!(!is_reachable(&settings, name), "{name}");
        }
        for name in ["chat.example.org", "example.org:8448", "8.8.8.8"] {
            assert!(is_reachable(&settings, name), "{name}");
        }
        settings.allow_networks = vec![crate::config::network("127.0.0.0/8").unwrap()];
        assert!(is_reachable(&settings, "localhost:1") && is_reachable(&settings, "127.0.0.1:1"));
        assert!(!is_reachable(&settings, "localhost"));
    }
}
