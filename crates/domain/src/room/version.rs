//! The data that follows from a room's create event.

pub(super) mod creators;

use std::sync::Arc;

use rookery_pdu::supported_rules;
use ruma_common::{RoomVersionId, room_version_rules::RoomVersionRules};
use serde::Deserialize;

use self::creators::Creators;
use crate::Pdu;

/// The version of a room, with its rules.
#[derive(Clone, Debug)]
pub struct RoomVersion {
    pub(super) id: RoomVersionId,
    pub(super) rules: Arc<RoomVersionRules>,
    pub(super) creators: Creators,
    pub(super) is_federated: bool,
}

#[derive(Deserialize)]
struct CreateContent {
    room_version: Option<RoomVersionId>,
    #[serde(rename = "m.federate", default = "yes")]
    federate: bool,
}

fn yes() -> bool {
    true
}

impl RoomVersion {
    /// The version that a create event names; `None` if this server does not know it.
    #[must_use]
    pub fn of(create: &Pdu) -> Option<Self> {
        let content: CreateContent = create.content_as()?;
        let id = content.room_version.unwrap_or(RoomVersionId::V1);
        let rules = supported_rules(&id)?;
        let creators = Creators::of(create);
        Some(Self { id, rules: Arc::new(rules), creators, is_federated: content.federate })
    }

    /// Its ID.
    #[must_use]
    pub fn id(&self) -> &RoomVersionId {
        &self.id
    }

    /// Its rules.
    #[must_use]
    pub fn rules(&self) -> &RoomVersionRules {
        &self.rules
    }
}
