//! The tables of services.

use redb::{ReadTransaction, ReadableTable as _, TableDefinition};
use serde::{Deserialize, Serialize};

use crate::{
    Millis, ServiceTokenHash, Unavailable,
    file::{
        change::Change,
        format::Stored,
        store::{Bytes, OwnedKey, stored},
    },
    users::name::Localpart,
};

/// Services by name.
pub(crate) const SERVICES: TableDefinition<'_, &str, Bytes> = TableDefinition::new("services");
/// The device on which a service acts as a user, by the name of the service and the local part of the user.
pub(crate) const SERVICE_DEVICES: TableDefinition<'_, OwnedKey, &str> =
    TableDefinition::new("service_devices");

/// A service, by name.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredService {
    pub(crate) created: Millis,
    pub(crate) token: ServiceTokenHash,
    /// The registration, as its owner writes it.
    pub(crate) registration: String,
    /// A secret that the server sends to the service, so it is stored as it is.
    pub(crate) hs_token: Option<String>,
}

impl Stored for StoredService {
    const VERSION: u8 = 1;
    const WHAT: &'static str = "the record of a service";
}

/// All services, by name.
pub(super) fn all(read: &ReadTransaction) -> Result<Vec<(String, StoredService)>, Unavailable> {
    let table = read.open_table(SERVICES)?;
    let rows = table.iter()?.map(|row| {
        let (key, value) = row?;
        Ok((key.value().to_owned(), StoredService::decode(value.value())?))
    });
    rows.collect()
}

impl Change<'_> {
    pub(super) fn service(&self, name: &str) -> Result<Option<StoredService>, Unavailable> {
        stored(&self.services, name)
    }

    pub(super) fn put_service(
        &mut self,
        name: &str,
        service: &StoredService,
    ) -> Result<(), Unavailable> {
        self.changed();
        self.services.insert(name, service.encode()?.as_slice())?;
        Ok(())
    }

    pub(super) fn delete_service(&mut self, name: &str) -> Result<(), Unavailable> {
        self.changed();
        self.services.remove(name)?;
        Ok(())
    }

    /// The name of the service that has this token.
    pub(super) fn service_with_token(
        &self,
        token: ServiceTokenHash,
    ) -> Result<Option<String>, Unavailable> {
        for row in self.services.iter()? {
            let (key, value) = row?;
            if StoredService::decode(value.value())?.token == token {
                return Ok(Some(key.value().to_owned()));
            }
        }
        Ok(None)
    }

    /// The ID of the device on which the service acts as the user.
    pub(super) fn service_device(
        &self,
        service: &str,
        user: &Localpart,
    ) -> Result<Option<String>, Unavailable> {
        let id = self.service_devices.get((service, user.as_str()))?;
        Ok(id.map(|id| id.value().to_owned()))
    }

    pub(super) fn put_service_device(
        &mut self,
        service: &str,
        user: &Localpart,
        device_id: &str,
    ) -> Result<(), Unavailable> {
        self.changed();
        self.service_devices.insert((service, user.as_str()), device_id)?;
        Ok(())
    }

    /// The local parts of the users as whom the service has acted, with the devices.
    pub(super) fn devices_of_service(
        &self,
        service: &str,
    ) -> Result<Vec<(Localpart, String)>, Unavailable> {
        let mut devices = Vec::new();
        for row in self.service_devices.range((service, "")..)? {
            let (key, id) = row?;
            let (owner, user) = key.value();
            if owner != service {
                break;
            }
            devices.push((Localpart::stored(user), id.value().to_owned()));
        }
        Ok(devices)
    }

    pub(super) fn delete_service_device(
        &mut self,
        service: &str,
        user: &Localpart,
    ) -> Result<(), Unavailable> {
        self.changed();
        self.service_devices.remove((service, user.as_str()))?;
        Ok(())
    }
}
