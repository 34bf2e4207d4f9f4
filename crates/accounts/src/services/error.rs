//! Errors about services.

use crate::{LocalpartError, MaybeUnavailable, Unavailable};

/// A service was not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    /// Check the list of services.
    #[error("there is no service {name:?}: `rookery service list` shows all")]
    NoSuchService {
        /// The requested name.
        name: String,
    },
    /// Remove the service first, or choose another name.
    #[error("there is a service {name:?} already: remove it first, or choose another name")]
    Exists {
        /// The name.
        name: String,
    },
    /// Choose another token.
    #[error("the service {other:?} has the same token: give each service a token of its own")]
    TokenInUse {
        /// The other service.
        other: String,
    },
    /// Choose another name for the bot.
    #[error("{name:?} cannot be the name of a user: {error}")]
    Localpart {
        /// The requested name.
        name: String,
        /// The reason.
        error: LocalpartError,
    },
    /// Choose another name for the bot.
    #[error("the user {user:?} has a password, so it belongs to somebody: choose another bot")]
    BotHasPassword {
        /// The user.
        user: String,
    },
    /// Choose another name.
    #[error("the user {user:?} is deactivated permanently: choose another name")]
    Deactivated {
        /// The user.
        user: String,
    },
    /// A fault: retry later.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// A service did not get a session.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActError {
    /// The service was removed, or has another token.
    #[error("the token of the service is not valid any more")]
    Ended,
    /// Create the user first.
    #[error("there is no user {user}: create it with `ensureUser` first")]
    NoSuchUser {
        /// The user.
        user: String,
    },
    /// Act as another user.
    #[error("the user {user} is deactivated permanently")]
    Deactivated {
        /// The user.
        user: String,
    },
    /// The user has too many devices.
    #[error("the user {user} has {max} devices already: remove one")]
    TooManyDevices {
        /// The user.
        user: String,
        /// Most devices of a user.
        max: usize,
    },
    /// A fault: retry later.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// A user of a service was not created.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnsureUserError {
    /// Choose another name.
    #[error(transparent)]
    Localpart(#[from] LocalpartError),
    /// Choose another name.
    #[error("the user is deactivated permanently: choose another name")]
    Deactivated,
    /// A fault: retry later.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl MaybeUnavailable for EnsureUserError {
    fn unavailable(&self) -> Option<&Unavailable> {
        match self {
            Self::Unavailable(fault) => Some(fault),
            _ => None,
        }
    }
}

impl MaybeUnavailable for ServiceError {
    fn unavailable(&self) -> Option<&Unavailable> {
        match self {
            Self::Unavailable(fault) => Some(fault),
            _ => None,
        }
    }
}

impl MaybeUnavailable for ActError {
    fn unavailable(&self) -> Option<&Unavailable> {
        match self {
            Self::Unavailable(fault) => Some(fault),
            _ => None,
        }
    }
}
