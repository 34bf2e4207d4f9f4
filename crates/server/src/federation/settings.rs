//! The settings of federation, and which of them go together.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

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
    pub public_rooms: bool,
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
        let is_named = |it: IpAddr| self.allow_networks.iter().any(|network| network.contains(it));
        rookery_federation::unreachable(name, is_named)
    }
}
