//! The port to the registered services.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use rookery_command::Actor;
use rookery_domain::{OwnedUserId, UserId};
use rookery_log::{Millis, Unavailable};

/// The services that are registered now.
pub trait Services: Send + Sync {
    /// Whether there is a service that may use the calls of Matrix.
    fn has_bridges(&self) -> bool;

    /// The service with this token; `None` if no service has it. Tokens of users are no tokens of services.
    ///
    /// # Errors
    /// [`Unavailable`] if the accounts cannot be read.
    fn authenticate(
        &self,
        token: &str,
        now: Millis,
    ) -> Result<Option<Arc<dyn Service>>, Unavailable>;
}

/// The address of a bridge, and the token that it expects from this server.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The `url` of its registration, without a slash at the end.
    pub url: String,
    /// The `hs_token` of its registration.
    pub token: String,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("url", &self.url).finish_non_exhaustive()
    }
}

/// The session in which a service acts as a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActingSession {
    /// It acts on this device.
    On {
        /// The device.
        device: String,
    },
    /// The service may not act as this user, for this reason.
    Refused(String),
    /// The service was removed, or has another token.
    Ended,
}

/// Whether a user existed before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ensured {
    /// The user was made.
    Created,
    /// The user existed.
    Existed,
    /// The name cannot be a user's, for this reason.
    InvalidName(String),
    /// The name is in no namespace of the service, or another service claims it.
    Reserved(String),
}

/// A registered service.
#[async_trait]
pub trait Service: Send + Sync {
    /// The `id` of its registration.
    fn id(&self) -> &str;

    /// Its bot user.
    fn bot(&self) -> &UserId;

    /// Where it takes requests; `None` if it takes none.
    fn endpoint(&self) -> Option<Endpoint>;

    /// The session in which it acts as `user`, who has to exist.
    ///
    /// # Errors
    /// [`Unavailable`] if the accounts cannot be read or written.
    async fn act_as(&self, user: &UserId, now: Millis) -> Result<ActingSession, Unavailable>;

    /// Makes a user of its namespaces, if there is none of this name.
    ///
    /// # Errors
    /// [`Unavailable`] if the accounts cannot be written.
    async fn ensure_user(&self, user: &UserId, now: Millis) -> Result<Ensured, Unavailable>;

    /// The actor of a command of `user` on the device of its session.
    fn actor(&self, user: OwnedUserId, device: String, now: Millis) -> Actor;

    /// Charges one request. Returns how long to wait if the service has made too many.
    fn charge(&self, now: Millis) -> Option<Duration>;
}
