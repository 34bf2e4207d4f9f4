//! Asks bridges for users and aliases that do not exist yet: a bridge makes them when somebody looks for them.
//!
//! **Invariant:** a bridge is asked only for names of its own namespaces.

use std::sync::Arc;

use rookery_domain::{RoomAliasId, UserId};
use rookery_services::ServiceDirectory;

use super::directory::endpoint;
use crate::{Asking, Outgoing};

/// Asks the bridges of a directory.
pub struct Bridges {
    services: ServiceDirectory,
    asking: Asking,
}

impl Bridges {
    /// The bridges of this directory, asked through `outgoing`.
    #[must_use]
    pub fn new(services: ServiceDirectory, outgoing: Arc<dyn Outgoing>) -> Self {
        Self { services, asking: Asking::new(outgoing) }
    }

    /// Whether a bridge has made the user now.
    pub async fn make_user(&self, user: &UserId) -> bool {
        for registered in self.services.list() {
            let claims = registered.service.namespaces.claims_user(user);
            let Some(bridge) = endpoint(&registered).filter(|_| claims) else { continue };
            if self.asking.has_user(&bridge, user.as_str()).await {
                return true;
            }
        }
        false
    }

    /// Whether a bridge has made a room with the alias now.
    pub async fn make_alias(&self, alias: &RoomAliasId) -> bool {
        for registered in self.services.list() {
            let claims = registered.service.namespaces.claims_alias(alias);
            let Some(bridge) = endpoint(&registered).filter(|_| claims) else { continue };
            if self.asking.has_alias(&bridge, alias.as_str()).await {
                return true;
            }
        }
        false
    }
}
