//! Adding, changing and removing services.

use std::fmt;

use super::{
    error::{EnsureUserError, ServiceError},
    table::{self, StoredService},
    token::{ServiceToken, ServiceTokenHash},
};
use crate::{
    Accounts, LocalpartError, Millis, Revocation, Unavailable,
    file::{change::Change, format::StoredUser},
    passwords::secret::TokenHash,
    users::name::Localpart,
};

/// A service to add.
#[derive(Clone)]
pub struct NewService {
    /// Its name.
    pub name: String,
    /// Its token.
    pub token: ServiceToken,
    /// The local part of its bot. The user is created without a password.
    pub bot: String,
    /// The registration, as its owner writes it.
    pub registration: String,
    /// A secret that the server sends to the service.
    pub hs_token: Option<String>,
}

/// A registered service.
#[derive(Clone, PartialEq, Eq)]
pub struct ServiceRecord {
    /// Its name.
    pub name: String,
    /// The stored form of its token.
    pub token: ServiceTokenHash,
    /// When it was added.
    pub created: Millis,
    /// The registration, as its owner wrote it.
    pub registration: String,
    /// A secret that the server sends to the service.
    pub hs_token: Option<String>,
}

impl fmt::Debug for ServiceRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceRecord").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Accounts {
    /// All services, by name.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be read.
    pub fn services(&self) -> Result<Vec<ServiceRecord>, Unavailable> {
        let rows = self.inner.read(table::all)?;
        Ok(rows
            .into_iter()
            .map(|(name, stored)| {
                let StoredService { created, token, registration, hs_token } = stored;
                ServiceRecord { name, token, created, registration, hs_token }
            })
            .collect())
    }

    /// Stores a service, and creates its bot unless that exists without a password.
    ///
    /// # Errors
    /// [`ServiceError`]. Nothing was changed then.
    pub async fn add_service(&self, new: NewService, now: Millis) -> Result<(), ServiceError> {
        let bot = Localpart::parse_free(&new.bot, self.server_name())
            .map_err(|error| ServiceError::Localpart { name: new.bot.clone(), error })?;
        self.change(move |change| {
            if change.service(&new.name)?.is_some() {
                return Err(ServiceError::Exists { name: new.name });
            }
            let token = new.token.hash();
            if let Some(other) = change.service_with_token(token)? {
                return Err(ServiceError::TokenInUse { other });
            }
            match change.user(&bot)? {
                Some(user) if user.deactivated.is_some() => {
                    return Err(ServiceError::Deactivated { user: bot.to_string() });
                }
                Some(user) if user.password.is_some() => {
                    return Err(ServiceError::BotHasPassword { user: bot.to_string() });
                }
                Some(_) => change.hand_over(&bot)?,
                None => change.put_user(&bot, &StoredUser::without_password(now))?,
            }
            let NewService { name, registration, hs_token, .. } = new;
            let stored = StoredService { created: now, token, registration, hs_token };
            Ok(change.put_service(&name, &stored)?)
        })
        .await
    }

    /// Gives a service another token, and ends its sessions. Its devices stay, so its actions keep
    /// their numbers.
    ///
    /// # Errors
    /// [`ServiceError`]. Nothing was changed then.
    pub async fn rotate_service(
        &self,
        name: &str,
        token: &ServiceToken,
    ) -> Result<(), ServiceError> {
        let (name, token) = (name.to_owned(), token.hash());
        self.change(move |change| {
            let Some(mut service) = change.service(&name)? else {
                return Err(ServiceError::NoSuchService { name });
            };
            if let Some(other) = change.service_with_token(token)? {
                return Err(ServiceError::TokenInUse { other });
            }
            service.token = token;
            change.put_service(&name, &service)?;
            for (user, id) in change.devices_of_service(&name)? {
                change.end_session_of_service(&user, &id)?;
            }
            Ok(())
        })
        .await
    }

    /// Removes a service and its devices, and ends its sessions. Its users stay. Returns the removed
    /// devices, with the ID of the user of each.
    ///
    /// # Errors
    /// [`ServiceError`]. Nothing was changed then.
    pub async fn remove_service(&self, name: &str) -> Result<Vec<(String, String)>, ServiceError> {
        let name = name.to_owned();
        let server = self.inner.server_name.clone();
        self.change(move |change| {
            if change.service(&name)?.is_none() {
                return Err(ServiceError::NoSuchService { name });
            }
            change.delete_service(&name)?;
            let mut gone = Vec::new();
            for (user, id) in change.devices_of_service(&name)? {
                change.delete_service_device(&name, &user)?;
                if let Some(device) = change.device(&user, &id)? {
                    change.remove_device(&user, &id, &device, Revocation::LoggedOut)?;
                    gone.push((user.user_id(&server), id));
                }
            }
            Ok(gone)
        })
        .await
    }

    /// The whole ID of a new user with this local part.
    ///
    /// # Errors
    /// [`LocalpartError`] if no user can have the name.
    pub fn check_name(&self, localpart: &str) -> Result<String, LocalpartError> {
        let name = Localpart::parse_free(localpart, self.server_name())?;
        Ok(name.user_id(self.server_name()))
    }

    /// Creates a user without a password, unless there is one of this name. Returns whether it was
    /// created.
    ///
    /// # Errors
    /// [`EnsureUserError`].
    pub async fn ensure_user_of_service(
        &self,
        localpart: &str,
        now: Millis,
    ) -> Result<bool, EnsureUserError> {
        let name = Localpart::parse_free(localpart, self.server_name())?;
        // Most calls are about a user who exists, and need no sync.
        if let Some(user) = self.inner.stored_user(&name)? {
            return exists(&user);
        }
        self.change(move |change| {
            if let Some(user) = change.user(&name)? {
                return exists(&user);
            }
            change.put_user(&name, &StoredUser::without_password(now))?;
            Ok(true)
        })
        .await
    }
}

/// The answer for a user who exists: none was created.
fn exists(user: &StoredUser) -> Result<bool, EnsureUserError> {
    match user.deactivated {
        Some(_) => Err(EnsureUserError::Deactivated),
        None => Ok(false),
    }
}

impl Change<'_> {
    fn end_session_of_service(&mut self, user: &Localpart, id: &str) -> Result<(), Unavailable> {
        let Some(mut device) = self.device(user, id)? else { return Ok(()) };
        let Some(token) = device.token.take() else { return Ok(()) };
        self.put_device(user, id, &device)?;
        self.end_token(TokenHash(token), Revocation::Replaced)
    }
}
