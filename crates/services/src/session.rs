//! Sessions of services, and their users.

use std::sync::Arc;

use rookery_accounts::{
    ActError, EnsureUserError, Identity, LocalpartError, MaybeUnavailable, Millis, Unavailable,
};
use rookery_domain::{OwnedUserId, UserId};

use crate::{Registered, ServiceDirectory};

/// A session in which a service acts.
#[derive(Clone, Debug)]
pub struct ServiceSession {
    /// The user and the device.
    pub identity: Identity,
    /// The service.
    pub service: Arc<Registered>,
    /// Whether it acts as its bot.
    pub is_bot: bool,
}

/// A service did not get a session.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// The service may not act as this user.
    #[error("{0}")]
    Forbidden(String),
    /// The service was removed, or has another token.
    #[error("the token of the service is not valid any more")]
    Ended,
    /// A fault: retry later.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// A service may not have this user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserRefusal {
    /// Choose another name.
    #[error("{0}")]
    Name(#[from] LocalpartError),
    /// The name is in no namespace of the service.
    #[error("{user} is in no namespace of the service {service}; choose another name")]
    Outside {
        /// The user.
        user: OwnedUserId,
        /// The service.
        service: String,
    },
    /// Another service claims the name exclusively.
    #[error("the name {user} is reserved for the service {other}; choose another one")]
    Reserved {
        /// The user.
        user: OwnedUserId,
        /// The other service.
        other: String,
    },
    /// The user is deactivated.
    #[error("the user {user} is deactivated permanently; choose another name")]
    Deactivated {
        /// The user.
        user: OwnedUserId,
    },
    /// A fault: retry later.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl MaybeUnavailable for UserRefusal {
    fn unavailable(&self) -> Option<&Unavailable> {
        match self {
            Self::Unavailable(fault) => Some(fault),
            _ => None,
        }
    }
}

impl ServiceDirectory {
    /// The session of a service's token; `None` if it is the token of no service. `act_as` is the ID
    /// of the user as whom the service wants to act; without it, it acts as its bot.
    ///
    /// # Errors
    /// [`SessionError`].
    pub async fn session(
        &self,
        token: &str,
        act_as: Option<&str>,
        now: Millis,
    ) -> Result<Option<ServiceSession>, SessionError> {
        let Some(registered) = self.with_token(token) else { return Ok(None) };
        let service = &registered.service;
        let user = match act_as {
            None => service.bot.clone(),
            Some(text) => self.acted_user(text).ok_or_else(|| {
                let server = self.server_name();
                SessionError::Forbidden(format!("name a user ID of this server, as @name:{server}"))
            })?,
        };
        self.act_as(&registered, &user, now).await.map(Some)
    }

    /// The session in which a service acts as a user who exists.
    ///
    /// # Errors
    /// [`SessionError`].
    pub async fn act_as(
        &self,
        registered: &Arc<Registered>,
        user: &UserId,
        now: Millis,
    ) -> Result<ServiceSession, SessionError> {
        let service = &registered.service;
        match self.may_have(registered, user) {
            Ok(()) => {}
            Err(UserRefusal::Unavailable(fault)) => return Err(fault.into()),
            Err(refusal) => return Err(SessionError::Forbidden(refusal.to_string())),
        }
        let act = self.accounts().act(&service.name, registered.token, user.as_str(), now);
        let identity = act.await.map_err(|error| match error {
            ActError::Ended => SessionError::Ended,
            ActError::Unavailable(fault) => SessionError::Unavailable(fault),
            ActError::NoSuchUser { .. }
            | ActError::Deactivated { .. }
            | ActError::TooManyDevices { .. } => SessionError::Forbidden(error.to_string()),
        })?;
        let is_bot = *user == service.bot;
        Ok(ServiceSession { identity, service: Arc::clone(registered), is_bot })
    }

    /// Creates a user without a password for a service, unless there is one of this name.
    ///
    /// # Errors
    /// [`UserRefusal`].
    pub async fn ensure_user(
        &self,
        registered: &Registered,
        localpart: &str,
        now: Millis,
    ) -> Result<OwnedUserId, UserRefusal> {
        let user = self.accounts().check_name(localpart)?;
        let user = OwnedUserId::try_from(user).map_err(|_| LocalpartError::Empty)?;
        self.may_have(registered, &user)?;
        match self.accounts().ensure_user_of_service(localpart, now).await {
            Ok(_) => Ok(user),
            Err(EnsureUserError::Localpart(error)) => Err(error.into()),
            Err(EnsureUserError::Deactivated) => Err(UserRefusal::Deactivated { user }),
            Err(EnsureUserError::Unavailable(fault)) => Err(fault.into()),
        }
    }

    /// Whether the service may have and act as the user.
    fn may_have(&self, registered: &Registered, user: &UserId) -> Result<(), UserRefusal> {
        let service = &registered.service;
        if !service.may_act_as(user) {
            let service = service.name.clone();
            return Err(UserRefusal::Outside { user: user.to_owned(), service });
        }
        let current = self.current();
        let Some(other) = current.reserving_user(user, Some(&service.name)) else { return Ok(()) };
        Err(UserRefusal::Reserved { user: user.to_owned(), other: other.name.clone() })
    }

    /// The user that a request names, in the form of this server's user IDs.
    fn acted_user(&self, text: &str) -> Option<OwnedUserId> {
        let user = self.accounts().user_id(text).filter(|_| text.starts_with('@'))?;
        OwnedUserId::try_from(user).ok()
    }
}
