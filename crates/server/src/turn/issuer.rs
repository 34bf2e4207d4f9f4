//! Credentials of users for the relay.

use std::time::Duration;

use rookery_domain::UserId;
use rookery_gateway::schema::{IceServer, IceServers};
use rookery_log::Millis;
use rookery_turn::{Login, Secret, Target};

/// Tells users the relay, with credentials for each.
pub(crate) struct Issuer {
    uris: Vec<Target>,
    /// `None` if the URIs only tell clients their addresses.
    secret: Option<Secret>,
}

impl Issuer {
    /// Tells `uris`. The relays among them have `secret`.
    pub(crate) fn new(uris: Vec<Target>, secret: Secret) -> Self {
        let relays = uris.iter().any(|uri| uri.relays);
        Self { uris, secret: relays.then_some(secret) }
    }

    /// The URIs for users.
    pub(crate) fn uris(&self) -> &[Target] {
        &self.uris
    }

    /// The login of the user at the relay. `None` if there is no relay.
    pub(crate) fn login(&self, user: &str, now: Millis) -> Option<Login> {
        let issued = self.secret.as_ref()?.issue(user, Duration::from_millis(now.0));
        Some(Login { username: issued.username, credential: issued.credential })
    }
}

impl IceServers for Issuer {
    fn for_user(&self, user: &UserId, now: Millis) -> Vec<IceServer> {
        if self.uris.is_empty() {
            return Vec::new();
        }
        let issued =
            self.secret.as_ref().map(|it| it.issue(user.as_str(), Duration::from_millis(now.0)));
        let (username, credential, expires_at) = match issued {
            Some(issued) => {
                let end = Millis(issued.expires_at.saturating_mul(1_000));
                (Some(issued.username), Some(issued.credential), Some(end))
            }
            None => (None, None, None),
        };
        let urls = self.uris.iter().map(ToString::to_string).collect();
        vec![IceServer { urls, username, credential, expires_at }]
    }
}
