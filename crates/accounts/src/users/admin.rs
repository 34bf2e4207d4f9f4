//! Operations on users for administrators, the command line and imports.

use std::time::Duration;

use crate::{
    Accounts, Millis, NewUserError, Password, Revocation, Session, UserError,
    file::{
        change::Change,
        format::{StoredDevice, StoredUser},
    },
    logins::turns::Asker,
    passwords::hashing::HashError,
    users::name::{Localpart, check_device_name, new_device_id},
};

impl Accounts {
    /// Creates an account without a device, whatever the registration policy is. Without a password
    /// nobody can log in until one is set.
    ///
    /// # Errors
    /// [`NewUserError`].
    pub async fn create_user(
        &self,
        localpart: &str,
        password: Option<Password>,
        admin: bool,
        now: Millis,
    ) -> Result<(), NewUserError> {
        let name = self.new_name(localpart)?;
        let password = match password {
            None => None,
            Some(password) => {
                password.check()?;
                Some(self.inner.hashing.hash(password, Asker::operator(localpart)).await.map_err(
                    |error| match error {
                        HashError::Busy { retry_after } => NewUserError::Busy { retry_after },
                        HashError::Unavailable(error) => error.into(),
                    },
                )?)
            }
        };
        self.change(move |change| {
            if change.user(&name)?.is_some() {
                return Err(NewUserError::Taken { name: name.to_string() });
            }
            let user = StoredUser { created: now, password, admin, deactivated: None };
            Ok(change.put_user(&name, &user)?)
        })
        .await
    }

    /// Creates an account without a password for each of these names that has none, in one
    /// transaction. Returns how many were created. Repeating it creates none.
    ///
    /// # Errors
    /// [`NewUserError::Localpart`] names the first invalid name; then none was created.
    pub async fn ensure_users(
        &self,
        localparts: impl IntoIterator<Item = impl AsRef<str>> + Send,
        now: Millis,
    ) -> Result<usize, NewUserError> {
        let names = localparts.into_iter().map(|name| self.any_name(name.as_ref()));
        let names = names.collect::<Result<Vec<_>, _>>()?;
        self.change(move |change| {
            let user = StoredUser::without_password(now);
            let mut made = 0;
            for name in names {
                if change.user(&name)?.is_none() {
                    change.put_user(&name, &user)?;
                    made += 1;
                }
            }
            Ok(made)
        })
        .await
    }

    /// Sets the password of a user. With `log_out`, also removes all their devices. Returns the
    /// removed devices.
    ///
    /// # Errors
    /// [`UserError`].
    pub async fn set_password(
        &self,
        user: &str,
        password: Password,
        log_out: bool,
    ) -> Result<Vec<String>, UserError> {
        password.check()?;
        let name = self.known_name(user)?;
        let hash =
            self.inner.hashing.hash(password, Asker::operator(user)).await.map_err(|error| {
                match error {
                    HashError::Busy { retry_after } => UserError::Busy { retry_after },
                    HashError::Unavailable(error) => error.into(),
                }
            })?;
        self.change(move |change| {
            let mut user = change.active_user(&name)?;
            user.password = Some(hash);
            change.put_user(&name, &user)?;
            change.hand_over(&name)?;
            if !log_out {
                return Ok(Vec::new());
            }
            Ok(change.remove_devices(&name, Revocation::PasswordChanged)?)
        })
        .await
    }

    /// Makes a user an administrator, or no longer one. Their sessions change at once.
    ///
    /// # Errors
    /// [`UserError`].
    pub async fn set_admin(&self, user: &str, admin: bool) -> Result<(), UserError> {
        let name = self.known_name(user)?;
        self.change(move |change| {
            let mut user = change.active_user(&name)?;
            change.hand_over(&name)?;
            if user.admin != admin {
                user.admin = admin;
                change.put_user(&name, &user)?;
                change.tell_admin(&name, admin)?;
            }
            Ok(())
        })
        .await
    }

    /// Deactivates an account permanently: its devices, consumers and outgoing webhooks are removed, nobody can log in,
    /// and the name stays taken. Returns the removed devices. Repeating it changes nothing.
    ///
    /// # Errors
    /// [`UserError::NoSuchUser`], or a fault.
    pub async fn deactivate(&self, user: &str, now: Millis) -> Result<Vec<String>, UserError> {
        let name = self.known_name(user)?;
        self.change(move |change| {
            let mut user = match change.active_user(&name) {
                Err(UserError::Deactivated { .. }) => return Ok(Vec::new()),
                other => other?,
            };
            user.deactivated = Some(now);
            user.password = None;
            user.admin = false;
            change.put_user(&name, &user)?;
            change.hand_over(&name)?;
            change.remove_outgoing_of(&name)?;
            change.remove_consumers(&name)?;
            Ok(change.remove_devices(&name, Revocation::Deactivated)?)
        })
        .await
    }

    /// Opens a session for a user without a password, on a new device of this name. It is valid for
    /// `lifetime` (`None`: until logout).
    ///
    /// # Errors
    /// [`UserError`].
    pub async fn mint_token(
        &self,
        user: &str,
        device_name: Option<&str>,
        lifetime: Option<Duration>,
        now: Millis,
    ) -> Result<Session, UserError> {
        check_device_name(device_name)?;
        let name = self.known_name(user)?;
        let device_name = device_name.map(str::to_owned);
        self.change(move |change| {
            let user = change.active_user(&name)?;
            change.hand_over(&name)?;
            if let Some(max) = change.devices_exceeded(&name)? {
                return Err(UserError::TooManyDevices { max });
            }
            let device =
                StoredDevice { name: device_name, created: now, last_seen: now, token: None };
            let id = new_device_id()?;
            Ok(change.continue_session(&name, &user, &id, device, now, lifetime)?)
        })
        .await
    }

    /// The name of a new user with an owner.
    fn new_name(&self, name: &str) -> Result<Localpart, NewUserError> {
        Localpart::parse_free(name, &self.inner.server_name)
            .map_err(|error| NewUserError::Localpart { name: name.into(), error })
    }

    /// Any valid name, reserved ones included.
    pub(crate) fn any_name(&self, name: &str) -> Result<Localpart, NewUserError> {
        Localpart::parse(name, &self.inner.server_name)
            .map_err(|error| NewUserError::Localpart { name: name.into(), error })
    }

    fn known_name(&self, user: &str) -> Result<Localpart, UserError> {
        self.inner.find(user).ok_or_else(|| UserError::NoSuchUser { user: user.into() })
    }
}

impl Change<'_> {
    /// A user who exists and is not deactivated.
    fn active_user(&self, name: &Localpart) -> Result<StoredUser, UserError> {
        let user =
            self.user(name)?.ok_or_else(|| UserError::NoSuchUser { user: name.to_string() })?;
        if user.deactivated.is_some() {
            return Err(UserError::Deactivated { user: name.to_string() });
        }
        Ok(user)
    }
}
