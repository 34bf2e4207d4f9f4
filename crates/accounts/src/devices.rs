//! The devices of a user.

use crate::{
    Accounts, DeviceError, Millis, Revocation, Unavailable,
    name::check_device_name,
    secret::TokenHash,
    store::{self, DEVICES},
};

/// One login of one user, as its owner may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Ten letters; unique for this user, and never used again.
    pub device_id: String,
    /// What the user calls it.
    pub name: Option<String>,
    /// When it first logged in.
    pub created: Millis,
    /// When it was last seen, to some minutes.
    pub last_seen: Millis,
    /// Whether it has a token; if not, it has to log in again.
    pub logged_in: bool,
}

impl Accounts {
    /// The devices of a user, by ID; none for an unknown user.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be read.
    pub fn devices(&self, user: &str) -> Result<Vec<Device>, Unavailable> {
        let Some(name) = self.inner.find(user) else { return Ok(Vec::new()) };
        let stored = self.inner.read(|read| store::devices(&read.open_table(DEVICES)?, &name))?;
        let seen = |token| {
            let live = self.inner.sessions.get(TokenHash(token)).ok()?;
            Some(live.seen())
        };
        let devices = stored.into_iter().map(|(device_id, stored)| Device {
            device_id,
            name: stored.name,
            created: stored.created,
            last_seen: stored.token.and_then(seen).unwrap_or_default().max(stored.last_seen),
            logged_in: stored.token.is_some(),
        });
        Ok(devices.collect())
    }

    /// Removes a device, which ends its session: this is how a device logs out, and how its owner
    /// throws another one out.
    ///
    /// # Errors
    /// [`DeviceError::NoSuchDevice`] if it is gone, or of another user.
    pub async fn remove_device(&self, user: &str, device_id: &str) -> Result<(), DeviceError> {
        let name = self.inner.find(user).ok_or(DeviceError::NoSuchDevice)?;
        let id = device_id.to_owned();
        self.change(move |change| {
            let device = change.device(&name, &id)?.ok_or(DeviceError::NoSuchDevice)?;
            Ok(change.remove_device(&name, &id, &device, Revocation::LoggedOut)?)
        })
        .await
    }

    /// Removes all devices of a user; answers how many there were.
    ///
    /// # Errors
    /// [`Unavailable`] if the file cannot be written.
    pub async fn logout_all(&self, user: &str) -> Result<Vec<String>, Unavailable> {
        let Some(name) = self.inner.find(user) else { return Ok(Vec::new()) };
        self.change(move |change| change.remove_devices(&name, Revocation::LoggedOut)).await
    }

    /// Gives a device another name, or none.
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
