//! Names that services claim for themselves.
//!
//! **Invariant:** nobody but the service gets a new alias or enters a room under such a name. Names
//! that were in use before the service came stay in use.

use rookery_domain::{Rejection, RoomAliasId, RoomCommand};
use rookery_namespaces::Service;

use crate::{Actor, Command, Commands, HandleError};

impl Commands {
    /// Takes the making of one user from the rate of a service.
    ///
    /// # Errors
    /// [`HandleError::RateLimited`], with the time to wait.
    pub fn admit_user_of(&self, service: &Service, actor: &Actor) -> Result<(), HandleError> {
        self.rates.charge_service(service, 1, actor.now)
    }

    /// Refuses to let a user enter a room whose ID belongs to a service, unless the service acts.
    pub(crate) fn refuse_reserved(
        &self,
        actor: &Actor,
        command: &Command<'_>,
    ) -> Result<(), HandleError> {
        let enters = match command {
            Command::InRoom { command, .. } | Command::Enter { command, .. } => {
                matches!(command, RoomCommand::Join { .. } | RoomCommand::Knock { .. })
            }
            Command::CreateRoom { .. } => true,
            _ => false,
        };
        // The server's own tasks and operators act for anybody.
        if !enters || actor.device.is_none() {
            return Ok(());
        }
        let services = self.services.borrow();
        let by = actor.service.as_ref().map(|service| service.name.as_str());
        match services.reserving_user(&actor.user, by) {
            Some(service) => Err(reserved(actor.user.as_str(), service)),
            None => Ok(()),
        }
    }

    /// Refuses a new alias that belongs to a service, unless the service asks for it.
    pub(crate) fn refuse_reserved_alias(
        &self,
        actor: &Actor,
        alias: &RoomAliasId,
    ) -> Result<(), HandleError> {
        let services = self.services.borrow();
        let by = actor.service.as_ref().map(|service| service.name.as_str());
        match services.reserving_alias(alias, by) {
            Some(service) => Err(reserved(alias.as_str(), service)),
            None => Ok(()),
        }
    }
}

fn reserved(name: &str, service: &Service) -> HandleError {
    Rejection::NameReserved(name.to_owned(), service.name.clone()).into()
}
