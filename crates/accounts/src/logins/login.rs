//! Registration and login.

use std::{net::IpAddr, time::Duration};

use crate::{
    AccessToken, Accounts, LoginError, Millis, Password, RegisterError, RegistrationPolicy,
    Unavailable,
    file::{
        change::Change,
        format::{StoredDevice, StoredUser},
    },
    logins::{failures::Limited, turns::Asker},
    passwords::hashing::HashError,
    users::name::{Localpart, check_device_name, new_device_id},
};

/// The request of a registration.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The user name.
    pub localpart: String,
    /// The password.
    pub password: Password,
    /// The user's name for the device.
    pub device_name: Option<String>,
    /// The client's own address, not that of a proxy.
    pub from: IpAddr,
}

/// The request of a login.
#[derive(Clone, Debug)]
pub struct Login {
    /// A user ID or a local part.
    pub user: String,
    /// The password.
    pub password: Password,
    /// An existing device of the user to log in again; `None` for a new one.
    pub device_id: Option<String>,
    /// The user's name for the device.
    pub device_name: Option<String>,
    /// The client's own address, not that of a proxy.
    pub from: IpAddr,
}

/// A new session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The whole user ID.
    pub user_id: String,
    /// The device.
    pub device_id: String,
    /// The device's access token, which the server cannot show again.
    pub token: AccessToken,
    /// When the token expires.
    pub expires: Option<Millis>,
    /// Whether the user is an administrator.
    pub admin: bool,
}

impl Accounts {
    /// Creates an account with one device. The first user who ever registers becomes administrator,
    /// unless one was appointed before. A name that the log knows is taken, even without an
    /// account.
    ///
    /// # Errors
    /// [`RegisterError`]. There is no account then, except that after
    /// [`RegisterError::Unavailable`] there may be one.
    pub async fn register(
        &self,
        registration: Registration,
        now: Millis,
    ) -> Result<Session, RegisterError> {
        let Registration { localpart, password, device_name, from } = registration;
        let inner = &self.inner;
        match inner.options.registration {
            policy if policy.admits(from) => {}
            RegistrationPolicy::LoopbackOnly => return Err(RegisterError::LoopbackOnly),
            _ => return Err(RegisterError::Closed),
        }
        let name = Localpart::parse_free(&localpart, &inner.server_name)?;
        password.check()?;
        check_device_name(device_name.as_deref())?;
        if inner.stored_user(&name)?.is_some() || inner.is_in_history(&name) {
            return Err(RegisterError::Taken);
        }
        inner.storage.check_writable()?;
        let asker = Asker::client(from, name.as_str());
        let hash = inner.hashing.hash(password, asker).await.map_err(|error| match error {
            HashError::Busy { retry_after } => RegisterError::Busy { retry_after },
            HashError::Unavailable(error) => error.into(),
        })?;
        let registered = name.to_string();
        let session = self.change(move |change| {
            if change.user(&name)?.is_some() || change.is_in_history(&name) {
                return Err(RegisterError::Taken);
            }
            let admin = !change.has_appointed()?;
            let user = StoredUser { created: now, password: Some(hash), admin, deactivated: None };
            change.put_user(&name, &user)?;
            Ok(change.begin_session(&name, &user, device_name, now)?)
        });
        let session = session.await?;
        inner.failures.remember(&registered, from);
        Ok(session)
    }

    /// Opens a session for a user with the right password.
    ///
    /// An unknown user takes as long as a wrong password, and gets the same answer.
    ///
    /// # Errors
    /// [`LoginError`]. Errors that reveal facts about the user come only after the right password.
    pub async fn login(&self, login: Login, now: Millis) -> Result<Session, LoginError> {
        let Login { user, password, device_id, device_name, from } = login;
        check_device_name(device_name.as_deref())?;
        let (name, hash) = self.verify_password(&user, password, from, now).await?;
        self.change(move |change| {
            // The password may have changed while this one was hashed.
            let user = change
                .user(&name)?
                .filter(|user| user.deactivated.is_none() && user.password == hash);
            let user = user.ok_or(LoginError::WrongCredentials)?;
            if let Some(id) = device_id {
                return change.resume_session(&name, &user, &id, device_name, now);
            }
            if let Some(max) = change.devices_exceeded(&name)? {
                return Err(LoginError::TooManyDevices { max });
            }
            Ok(change.begin_session(&name, &user, device_name, now)?)
        })
        .await
    }

    /// Checks the password of a user who is logged in, before a change that a stolen token must not
    /// make. Wrong passwords count as failed logins.
    ///
    /// # Errors
    /// [`LoginError`].
    pub async fn confirm(
        &self,
        user: &str,
        password: Password,
        from: IpAddr,
        now: Millis,
    ) -> Result<(), LoginError> {
        self.verify_password(user, password, from, now).await.map(drop)
    }

    /// The name of a user with the right password, and the hash that it fitted.
    async fn verify_password(
        &self,
        user: &str,
        password: Password,
        from: IpAddr,
        now: Millis,
    ) -> Result<(Localpart, Option<String>), LoginError> {
        let inner = &self.inner;
        let name = inner.find(user);
        inner.storage.check_writable()?;
        let known = match name.clone() {
            Some(name) => inner.stored_user(&name)?.map(|user| (name, user)),
            None => None,
        };
        let hash = known
            .as_ref()
            .filter(|(_, user)| user.deactivated.is_none())
            .and_then(|(_, user)| user.password.clone());
        let tried = name.as_ref().map_or("", Localpart::as_str);
        let attempt = match inner.failures.admit(tried, hash.is_some(), from, now) {
            Ok(attempt) => attempt,
            Err(Limited { retry_after, looks_tried }) => {
                if looks_tried {
                    inner.hashing.pretend().await;
                }
                return Err(LoginError::RateLimited { retry_after });
            }
        };
        let limited = attempt.over_limit.map(|retry_after| LoginError::RateLimited { retry_after });
        let asker = Asker::client(from, tried);
        match inner.hashing.verify(password.or_misfit(), hash.clone(), asker).await {
            Ok(true) => attempt.succeeded(),
            Ok(false) => return Err(limited.unwrap_or(LoginError::WrongCredentials)),
            Err(HashError::Busy { retry_after }) => {
                attempt.refund();
                return Err(limited.unwrap_or(LoginError::Busy { retry_after }));
            }
            Err(HashError::Unavailable(error)) => {
                attempt.refund();
                return Err(error.into());
            }
        }
        let (name, _) = known.ok_or(LoginError::WrongCredentials)?;
        Ok((name, hash))
    }
}

impl Change<'_> {
    /// The greatest number of devices, if the user has that many.
    pub(crate) fn devices_exceeded(&self, name: &Localpart) -> Result<Option<usize>, Unavailable> {
        let max = self.inner().options.devices_per_user_max;
        Ok((self.devices(name)?.len() >= max).then_some(max))
    }

    /// Gives the user a new device and its token.
    pub(crate) fn begin_session(
        &mut self,
        name: &Localpart,
        user: &StoredUser,
        device_name: Option<String>,
        now: Millis,
    ) -> Result<Session, Unavailable> {
        let id = new_device_id()?;
        let device = StoredDevice { name: device_name, created: now, last_seen: now, token: None };
        let lifetime = self.inner().options.token_lifetime;
        self.continue_session(name, user, &id, device, now, lifetime)
    }

    /// Gives an existing device a new token.
    fn resume_session(
        &mut self,
        name: &Localpart,
        user: &StoredUser,
        id: &str,
        device_name: Option<String>,
        now: Millis,
    ) -> Result<Session, LoginError> {
        let mut device = self.device(name, id)?.ok_or(LoginError::NoSuchDevice)?;
        device.name = device_name.or(device.name);
        device.last_seen = device.last_seen.max(now);
        let lifetime = self.inner().options.token_lifetime;
        Ok(self.continue_session(name, user, id, device, now, lifetime)?)
    }

    /// Stores a device with a new token, which is valid for `lifetime`.
    pub(crate) fn continue_session(
        &mut self,
        name: &Localpart,
        user: &StoredUser,
        id: &str,
        device: StoredDevice,
        now: Millis,
        lifetime: Option<Duration>,
    ) -> Result<Session, Unavailable> {
        let expires = lifetime.map(|lifetime| now.plus(lifetime));
        let token = self.issue_token(name, id, device, now, expires)?;
        Ok(Session {
            user_id: name.user_id(&self.inner().server_name),
            device_id: id.into(),
            token,
            expires,
            admin: user.admin,
        })
    }
}
