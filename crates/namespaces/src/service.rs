//! One service, as far as rules concern it.

use rookery_domain::{OwnedUserId, UserId};

use super::namespaces::{Claim, Claims, Namespaces, NamespacesError};

/// Longest name of a service, in bytes.
pub const SERVICE_NAME_BYTES_MAX: usize = 64;

/// A name cannot be that of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the name of a service has 1 to {SERVICE_NAME_BYTES_MAX} characters of a-z, A-Z, 0-9 and . _ -"
)]
pub struct ServiceNameError;

/// A program that takes part.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its name. It never changes.
    pub name: String,
    /// The user that it is.
    pub bot: OwnedUserId,
    /// Whether its actions have a rate limit.
    pub is_rate_limited: bool,
    /// The names that it claims.
    pub namespaces: Namespaces,
}

impl Service {
    /// The namespaces of these claims on users, aliases and rooms.
    ///
    /// # Errors
    /// The kind of names, with the reason.
    pub fn namespaces_of(
        users: &[Claim],
        aliases: &[Claim],
        rooms: &[Claim],
    ) -> Result<Namespaces, (&'static str, NamespacesError)> {
        let compile = |kind, claims| Claims::new(claims).map_err(|error| (kind, error));
        Ok(Namespaces {
            users: compile("users", users)?,
            aliases: compile("aliases", aliases)?,
            rooms: compile("rooms", rooms)?,
        })
    }

    /// Whether the service may act as this user: its bot, or a user in its namespaces.
    #[must_use]
    pub fn may_act_as(&self, user: &UserId) -> bool {
        *user == self.bot || self.namespaces.claims_user(user)
    }

    /// Whether nobody else may have this user ID.
    pub(crate) fn reserves_user(&self, user: &UserId) -> bool {
        *user == self.bot || self.namespaces.excludes_user(user)
    }
}

/// Checks the name of a service.
///
/// # Errors
/// [`ServiceNameError`].
pub fn check_service_name(name: &str) -> Result<(), ServiceNameError> {
    let fits = (1..=SERVICE_NAME_BYTES_MAX).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if fits { Ok(()) } else { Err(ServiceNameError) }
}
