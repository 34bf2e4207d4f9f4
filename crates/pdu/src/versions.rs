//! The room versions that this server knows.

use ruma_common::{RoomVersionId, room_version_rules::RoomVersionRules};

/// The rules of the room versions that this server writes.
#[must_use]
pub fn supported_rules(version: &RoomVersionId) -> Option<RoomVersionRules> {
    let supported = [RoomVersionId::V10, RoomVersionId::V11, RoomVersionId::V12];
    if supported.contains(version) { version.rules() } else { None }
}
