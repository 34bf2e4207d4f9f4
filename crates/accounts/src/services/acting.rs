//! Sessions of services: one for each user as whom a service acts.

use super::{error::ActError, token::ServiceTokenHash};
use crate::{Accounts, Identity, Millis, file::format::StoredDevice, users::name::new_device_id};

impl Accounts {
    /// The session in which `service` acts as the user, on a device of its own that is made at the
    /// first time. Whether the service may act as the user is the caller's to check.
    ///
    /// Later calls answer from memory, or after a few reads of the file.
    ///
    /// # Errors
    /// [`ActError`].
    pub async fn act(
        &self,
        service: &str,
        token: ServiceTokenHash,
        user: &str,
        now: Millis,
    ) -> Result<Identity, ActError> {
        let no_such_user = || ActError::NoSuchUser { user: user.to_owned() };
        let name = self.inner.find(user).ok_or_else(no_such_user)?;
        let hash = token.session_of(name.as_str());
        if let Some(identity) = self.inner.session(hash, now)? {
            return Ok(identity);
        }
        let service = service.to_owned();
        let user_id = name.user_id(self.server_name());
        self.change(move |change| {
            let is_current = change.service(&service)?.is_some_and(|known| known.token == token);
            if !is_current {
                return Err(ActError::Ended);
            }
            let Some(user) = change.user(&name)? else {
                return Err(ActError::NoSuchUser { user: user_id });
            };
            if user.deactivated.is_some() {
                return Err(ActError::Deactivated { user: user_id });
            }
            let known = match change.service_device(&service, &name)? {
                Some(id) => change.device(&name, &id)?.map(|device| (id, device)),
                None => None,
            };
            let (id, device) = if let Some(known) = known {
                known
            } else {
                if let Some(max) = change.devices_exceeded(&name)? {
                    return Err(ActError::TooManyDevices { user: user_id, max });
                }
                let label = Some(format!("service:{service}"));
                let device =
                    StoredDevice { name: label, created: now, last_seen: now, token: None };
                (new_device_id()?, device)
            };
            // Another request has opened the session meanwhile.
            if device.token == Some(hash.0) {
                return Ok(());
            }
            change.put_service_device(&service, &name, &id)?;
            change.give_token(&name, &id, device, hash, now, None)?;
            Ok(())
        })
        .await?;
        self.inner.session(hash, now)?.ok_or(ActError::Ended)
    }
}
