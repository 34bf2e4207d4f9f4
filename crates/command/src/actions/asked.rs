//! What an action asks for, as its fingerprint has it.

use rookery_domain::{
    CreateRoom, EventId, Filter, Fingerprint, RoomCommand, RoomId, RoomVersionId,
};
use serde::Serialize;

use super::Action;
use crate::{Actor, ProfileChange, Retry};

/// Everything that can have a number. Fingerprints of it are in logs: what stands here keeps its
/// form.
#[derive(Serialize)]
#[serde(tag = "asked", rename_all = "snake_case")]
pub(crate) enum Asked<'a> {
    /// Something of a room, which is named by its ID or by an alias.
    Room { room: &'a str, command: &'a RoomCommand },
    /// A new room.
    Create { room: &'a CreateRoom },
    /// A new room of this version instead of one.
    Upgrade { room: &'a str, version: &'a RoomVersionId },
    /// Another profile.
    Profile { change: &'a ProfileChange },
    /// A room is read up to some event.
    Mark { room: &'a RoomId, event: &'a EventId, private: bool },
    /// A filter is to be kept.
    Filter { filter: &'a Filter },
    /// A filter is to be forgotten.
    DeleteFilter { filter_id: &'a str },
}

impl Actor {
    /// The action that `asked` is, if it has a number and a device.
    pub(super) fn action(&self, retry: Retry, asked: &Asked) -> Option<Action> {
        let Retry::Action(number) = retry else { return None };
        let (device, command) = (self.device.clone()?, self.command_id(number)?);
        let fingerprint = Fingerprint::of(&command.0, asked);
        Some(Action { user: self.user.clone(), device, number, fingerprint, command })
    }
}
