//! The devices of a user.

use crate::{
    Accounts, DeviceError, Millis, Revocation, Unavailable,
    file::{
        format::StoredDevice,
        store::{self, DEVICES},
    },
    passwords::secret::TokenHash,
    users::name::check_device_name,
};

/// One login of one user, as the user sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Ten letters; unique for this user, and never used again.
    pub device_id: String,
    /// The user's name for it.
    pub name: Option<String>,
    /// When it first logged in.
    pub created: Millis,
    /// When it was last seen, accurate to some minutes.
    pub last_seen: Millis,
    /// Whether it has a token; otherwise it has to log in again.
    pub logged_in: bool,
}

impl Accounts {
    /// The devices of a user, by ID; empty for an unknown user.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be read.
    pub fn devices(&self, user: &str) -> Result<Vec<Device>, Unavailable> {
        self.devices_after(user, None, usize::MAX)
    }

    /// Up to `limit` devices of a user, after the one with a given ID.
    ///
    /// # Errors
    /// As [`devices`](Self::devices).
    pub fn devices_after(
        &self,
        user: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Device>, Unavailable> {
        let Some(name) = self.inner.find(user) else { return Ok(Vec::new()) };
        let devices = self
            .inner
            .read(|read| store::devices_after(&read.open_table(DEVICES)?, &name, after, limit))?;
        Ok(devices.into_iter().map(|device| self.shown(device)).collect())
    }

    /// One device of a user.
    ///
    /// # Errors
    /// As [`devices`](Self::devices).
    pub fn device(&self, user: &str, device_id: &str) -> Result<Option<Device>, Unavailable> {
        let Some(name) = self.inner.find(user) else { return Ok(None) };
        let device =
            self.inner.read(|read| store::device(&read.open_table(DEVICES)?, &name, device_id))?;
        Ok(device.map(|stored| self.shown((device_id.to_owned(), stored))))
    }

    fn shown(&self, (device_id, stored): (String, StoredDevice)) -> Device {
        let seen = |token| {
            let live = self.inner.sessions.get(TokenHash(token)).ok()?;
            Some(live.seen())
        };
        Device {
            device_id,
            name: stored.name,
            created: stored.created,
            last_seen: stored.token.and_then(seen).unwrap_or_default().max(stored.last_seen),
            logged_in: stored.token.is_some(),
        }
    }

    /// Whether a device of a user has a session.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be read.
    pub fn is_logged_in(&self, user: &str, device_id: &str) -> Result<bool, Unavailable> {
        let Some(name) = self.inner.find(user) else { return Ok(false) };
        let read = |read: &redb::ReadTransaction| {
            store::device(&read.open_table(DEVICES)?, &name, device_id)
        };
        Ok(self.inner.read(read)?.is_some_and(|device| device.token.is_some()))
    }

    /// Removes a device and ends its session. A device logs out in this way, and its owner logs
    /// other devices out.
    ///
    /// # Errors
    /// [`DeviceError::NoSuchDevice`] if it does not exist, or belongs to another user.
    pub async fn remove_device(&self, user: &str, device_id: &str) -> Result<(), DeviceError> {
        let name = self.inner.find(user).ok_or(DeviceError::NoSuchDevice)?;
        let id = device_id.to_owned();
        self.change(move |change| {
            let device = change.device(&name, &id)?.ok_or(DeviceError::NoSuchDevice)?;
            Ok(change.remove_device(&name, &id, &device, Revocation::LoggedOut)?)
        })
        .await
    }

    /// Removes all devices of a user, and returns their IDs.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be written.
    pub async fn logout_all(&self, user: &str) -> Result<Vec<String>, Unavailable> {
        let Some(name) = self.inner.find(user) else { return Ok(Vec::new()) };
        self.change(move |change| change.remove_devices(&name, Revocation::LoggedOut)).await
    }

    /// Changes or removes the name of a device.
    ///
    /// # Errors
    /// [`DeviceError`].
    pub async fn rename_device(
        &self,
        user: &str,
        device_id: &str,
        device_name: Option<&str>,
    ) -> Result<(), DeviceError> {
        check_device_name(device_name)?;
        let name = self.inner.find(user).ok_or(DeviceError::NoSuchDevice)?;
        let (id, device_name) = (device_id.to_owned(), device_name.map(str::to_owned));
        self.change(move |change| {
            let mut device = change.device(&name, &id)?.ok_or(DeviceError::NoSuchDevice)?;
            device.name = device_name;
            Ok(change.put_device(&name, &id, &device)?)
        })
        .await
    }
}
