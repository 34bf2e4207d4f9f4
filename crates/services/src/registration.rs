//! The registration of a service.

use rookery_accounts::{Millis, ServiceToken, ServiceTokenHash};
use rookery_domain::{OwnedUserId, ServerName};
use rookery_namespaces::{Claim, NamespacesError, Service, ServiceNameError, check_service_name};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

use crate::FollowsSince;

/// The statements of an operator about a service. They are stored as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// The name of the service.
    pub name: String,
    /// The local part of its bot.
    pub bot: String,
    /// The address to which the server pushes events, if any.
    pub url: Option<String>,
    /// Whether its actions have a rate limit.
    pub is_rate_limited: bool,
    /// Claims on user IDs.
    pub users: Vec<Claim>,
    /// Claims on aliases.
    pub aliases: Vec<Claim>,
    /// Claims on room IDs.
    pub rooms: Vec<Claim>,
    /// The names of the networks that it bridges.
    pub protocols: Vec<String>,
}

/// A registration, as it is stored.
#[derive(Serialize, Deserialize)]
pub(crate) struct StoredRegistration {
    #[serde(flatten)]
    pub(crate) registration: Registration,
    #[serde(default)]
    pub(crate) follows_since: Option<FollowsSince>,
}

/// A registration with its secrets, on its way from the operator to the server.
#[derive(Clone, Serialize, Deserialize)]
pub struct NewRegistration {
    /// The registration.
    pub registration: Registration,
    /// Its token; without one the server draws one.
    pub token: Option<ServiceToken>,
    /// The secret that the server sends to the service.
    pub hs_token: Option<String>,
}

/// A service that takes part.
#[derive(Debug)]
pub struct Registered {
    /// The rules about it.
    pub service: Arc<Service>,
    /// The registration.
    pub registration: Registration,
    /// When it was added.
    pub created: Millis,
    /// The commit after which it follows rooms; `None` if an earlier version of the program added
    /// it.
    pub follows_since: Option<FollowsSince>,
    pub(crate) token: ServiceTokenHash,
    hs_token: HiddenText,
    caller: String,
}

/// A secret that `Debug` does not show.
struct HiddenText(Option<String>);

impl std::fmt::Debug for HiddenText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("hidden")
    }
}

/// A registration cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationError {
    /// Choose another name.
    #[error(transparent)]
    Name(#[from] ServiceNameError),
    /// Choose another name for the bot.
    #[error("{bot:?} cannot be the name of the bot: use a-z, 0-9 and . _ = - / +")]
    Bot {
        /// The name.
        bot: String,
    },
    /// Change the pattern.
    #[error("{kind}: {error}")]
    Namespaces {
        /// The kind of names.
        kind: &'static str,
        /// The reason.
        error: NamespacesError,
    },
}

impl Registration {
    /// The service of this registration on a server.
    ///
    /// # Errors
    /// [`RegistrationError`].
    pub fn service(&self, server_name: &ServerName) -> Result<Service, RegistrationError> {
        check_service_name(&self.name)?;
        let bot = format!("@{}:{server_name}", self.bot);
        let bot = OwnedUserId::try_from(bot)
            .ok()
            .filter(|_| !self.bot.contains(':'))
            .ok_or_else(|| RegistrationError::Bot { bot: self.bot.clone() })?;
        let namespaces = Service::namespaces_of(&self.users, &self.aliases, &self.rooms);
        let namespaces =
            namespaces.map_err(|(kind, error)| RegistrationError::Namespaces { kind, error })?;
        let is_rate_limited = self.is_rate_limited;
        Ok(Service { name: self.name.clone(), bot, is_rate_limited, namespaces })
    }
}

impl Registered {
    pub(crate) fn new(
        service: Service,
        registration: Registration,
        (created, follows_since): (Millis, Option<FollowsSince>),
        token: ServiceTokenHash,
        hs_token: Option<String>,
    ) -> Self {
        let caller = format!("service:{}", service.name);
        let (service, hs_token) = (Arc::new(service), HiddenText(hs_token));
        Self { service, registration, created, follows_since, token, hs_token, caller }
    }

    /// The name under which limits count the service. It cannot be a user ID.
    #[must_use]
    pub fn caller(&self) -> &str {
        &self.caller
    }

    /// The secret that the server sends to the service.
    #[must_use]
    pub fn hs_token(&self) -> Option<&str> {
        self.hs_token.0.as_deref()
    }
}
