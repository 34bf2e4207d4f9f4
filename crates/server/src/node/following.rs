//! Lets services follow rooms in the read models.

use std::sync::Arc;

use async_trait::async_trait;
use rookery_accounts::{Millis, Unavailable};
use rookery_log::{Epoch, Position};
use rookery_namespaces::Service;
use rookery_services::{FollowsSince, RoomFollowing};
use rookery_view::{FollowPlace, Reader};

/// The rooms that services follow, in the index beside the models.
pub(super) struct InModels(pub(super) Reader);

#[async_trait]
impl RoomFollowing for InModels {
    async fn prepare(
        &self,
        service: &Arc<Service>,
        since: Option<FollowsSince>,
        added: Millis,
    ) -> Result<FollowsSince, Unavailable> {
        let place = since.map(|FollowsSince { epoch, position }| FollowPlace {
            epoch: Epoch(epoch),
            position: Position(position),
        });
        let added = rookery_log::Millis(added.0);
        let prepared = self.0.prepare_following(Arc::clone(service), place, added).await;
        let FollowPlace { epoch, position } =
            prepared.map_err(|error| Unavailable::new(error.to_string()))?;
        Ok(FollowsSince { epoch: epoch.0, position: position.0 })
    }

    fn show(&self, service: &Service) {
        self.0.show_following(&service.bot);
    }

    fn end(&self, service: &Service) {
        self.0.unfollow(&service.bot);
    }
}
