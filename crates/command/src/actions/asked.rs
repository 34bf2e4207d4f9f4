//! The request of an action, as its fingerprint covers it.

use rookery_domain::{
    CreateRoom, EventId, Filter, Fingerprint, RoomCommand, RoomId, RoomVersionId,
};
use serde::Serialize;

use super::Action;
use crate::{Actor, ProfileChange, Retry};

/// Every request that can have a number. The log holds fingerprints of these values, so their
/// serialised form never changes.
#[derive(Serialize)]
#[serde(tag = "asked", rename_all = "snake_case")]
pub(crate) enum Asked<'a> {
    /// A command for a room, which is named by its ID or by an alias.
    Room { room: &'a str, command: &'a RoomCommand },
    /// Create a room.
    Create { room: &'a CreateRoom },
    /// Replace a room by one of this version.
    Upgrade { room: &'a str, version: &'a RoomVersionId },
    /// Change the profile.
    Profile { change: &'a ProfileChange },
    /// Move the read receipt in a room.
    Mark { room: &'a RoomId, event: &'a EventId, private: bool },
    /// Store a filter.
    Filter { filter: &'a Filter },
    /// Delete a filter.
    DeleteFilter { filter_id: &'a str },
}

impl Actor {
    /// The action of `asked`, if it has a number and a device.
    pub(super) fn action(&self, retry: Retry, asked: &Asked) -> Option<Action> {
        let Retry::Action(number) = retry else { return None };
        let (device, command) = (self.device.clone()?, self.command_id(number)?);
        let fingerprint = Fingerprint::of(&command.0, asked);
        Some(Action { user: self.user.clone(), device, number, fingerprint, command })
    }
}
