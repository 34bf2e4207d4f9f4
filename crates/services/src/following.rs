//! The port to the rooms that services follow.

use std::sync::Arc;

use async_trait::async_trait;
use rookery_accounts::{Millis, Unavailable};
use rookery_namespaces::Service;
use serde::{Deserialize, Serialize};

/// The commit of the log after which a service follows rooms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowsSince {
    /// The epoch of the log.
    pub epoch: u64,
    /// The position of the commit.
    pub position: u64,
}

/// Lets services follow the rooms that concern them.
#[async_trait]
pub trait RoomFollowing: Send + Sync {
    /// Finds the rooms that concern the service, which follows them with their events after `since`;
    /// with those from now on for `None`. Returns that place. The service sees nothing of them before
    /// [`Self::show`]: its bot may turn out to be another user.
    ///
    /// # Errors
    /// [`Unavailable`] if the log cannot be read. The service follows no room then.
    async fn prepare(
        &self,
        service: &Arc<Service>,
        since: Option<FollowsSince>,
        added: Millis,
    ) -> Result<FollowsSince, Unavailable>;

    /// From now on the bot of a prepared service reads the rooms.
    fn show(&self, service: &Service);

    /// The service follows no room any more.
    fn end(&self, service: &Service);
}
