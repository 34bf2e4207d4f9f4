//! All ports through which the write side asks the read side.

use std::sync::Arc;

use async_trait::async_trait;
use rookery_domain::UserId;
use rookery_log::{Position, Unavailable};

use crate::{CallLookup, EventLookup, Memberships};

/// The greatest action numbers of devices, from a read model.
#[async_trait]
pub trait LastActions: Send + Sync + 'static {
    /// The greatest number that the device gave to an action that was carried out, as of `at_least`
    /// or later; 0 if there is none.
    ///
    /// # Errors
    /// [`Unavailable`] if the read model does not get there in time.
    async fn last_action(
        &self,
        user: &UserId,
        device: &str,
        at_least: Position,
    ) -> Result<u64, Unavailable>;
}

/// The sessions of devices.
pub trait LoggedIn: Send + Sync + 'static {
    /// Whether the device of the user has a session now.
    ///
    /// # Errors
    /// [`Unavailable`] if that cannot be read.
    fn is_logged_in(&self, user: &UserId, device: &str) -> Result<bool, Unavailable>;
}

/// All ports of the write side to the read side.
#[derive(Clone)]
pub struct Ports {
    /// The rooms of users.
    pub memberships: Arc<dyn Memberships>,
    /// Events by their IDs.
    pub events: Arc<dyn EventLookup>,
    /// The greatest action numbers of devices.
    pub last_actions: Arc<dyn LastActions>,
    /// The active calls of users.
    pub calls: Arc<dyn CallLookup>,
}
