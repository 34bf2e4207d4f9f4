//! The alias aggregate: the room that a name of this server points to.
//!
//! **Invariant:** names that look the same are one name. An alias is kept, compared and shown in
//! its normal form.

use ruma_common::{
    OwnedRoomAliasId, OwnedRoomId, OwnedUserId, RoomAliasId, RoomId, ServerName, UserId,
};

use crate::{AliasEvent, Rejection, limits::ID_BYTES_MAX};

/// A command about an alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AliasCommand {
    /// Point the alias to a room.
    Claim {
        /// The room.
        room_id: OwnedRoomId,
    },
    /// Point the alias to another room.
    Move {
        /// The room that it points to now.
        from: OwnedRoomId,
        /// The room that it will point to. The caller has checked that the sender has power over
        /// the aliases of both rooms.
        to: OwnedRoomId,
    },
    /// Remove the alias.
    Release {
        /// The sender has power over the server or over the aliases of the room. The caller has
        /// checked this.
        with_power: bool,
    },
}

/// The state of an alias, folded from its events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alias {
    claim: Option<(OwnedRoomId, OwnedUserId)>,
}

impl Alias {
    /// Folds the events of an alias, oldest first.
    #[must_use]
    pub fn replay<'a>(events: impl IntoIterator<Item = &'a AliasEvent>) -> Self {
        let mut alias = Self::default();
        events.into_iter().for_each(|event| alias.evolve(event));
        alias
    }

    /// The room that it points to.
    #[must_use]
    pub fn room_id(&self) -> Option<&RoomId> {
        self.claim.as_ref().map(|(room_id, _)| &**room_id)
    }

    /// The user who claimed it.
    #[must_use]
    pub fn claimed_by(&self) -> Option<&UserId> {
        self.claim.as_ref().map(|(_, by)| &**by)
    }

    /// Decides which events a command makes. The list is empty if the command changes nothing.
    ///
    /// # Errors
    /// [`Rejection`] if the alias is malformed, of another server, taken, or claimed by another
    /// user.
    pub fn decide(
        &self,
        alias: &RoomAliasId,
        command: &AliasCommand,
        sender: &UserId,
        server_name: &ServerName,
    ) -> Result<Vec<AliasEvent>, Rejection> {
        check_alias(alias, server_name)?;
        let by = sender.to_owned();
        match (command, &self.claim) {
            (AliasCommand::Claim { room_id }, None) => {
                Ok(vec![AliasEvent::Claimed { room_id: room_id.clone(), by }])
            }
            (AliasCommand::Claim { room_id }, Some((current, _))) if room_id == current => {
                Ok(Vec::new())
            }
            (AliasCommand::Claim { .. }, Some(_)) => {
                Err(Rejection::AliasTaken { alias: alias.to_owned() })
            }
            (AliasCommand::Move { from, to }, Some((current, _))) if current == from => {
                Ok(vec![AliasEvent::Claimed { room_id: to.clone(), by }])
            }
            // The alias has moved already, or points to another room by now.
            (AliasCommand::Move { .. }, _) | (AliasCommand::Release { .. }, None) => Ok(Vec::new()),
            (AliasCommand::Release { with_power }, Some((_, owner))) => {
                if *with_power || owner == sender {
                    return Ok(vec![AliasEvent::Released { by }]);
                }
                Err(Rejection::AliasNotYours { alias: alias.to_owned() })
            }
        }
    }

    /// Folds one event. Total.
    pub fn evolve(&mut self, event: &AliasEvent) {
        self.claim = match event {
            AliasEvent::Claimed { room_id, by } => Some((room_id.clone(), by.clone())),
            AliasEvent::Released { .. } => None,
        };
    }
}

/// The normal form of an alias: without invisible characters, case folded and composed.
#[must_use]
pub fn normal_alias(alias: &RoomAliasId) -> OwnedRoomAliasId {
    let visible = rookery_text::without_invisible(alias.alias());
    let name = rookery_text::normal(&visible);
    if name == alias.alias() {
        return alias.to_owned();
    }
    let same = format!("#{name}:{}", alias.server_name()).try_into();
    same.unwrap_or_else(|_| alias.to_owned())
}

/// Refuses aliases of other servers and malformed aliases.
pub(crate) fn check_alias(alias: &RoomAliasId, server_name: &ServerName) -> Result<(), Rejection> {
    let refuse = |reason: String| {
        let alias = alias.to_owned();
        Err(Rejection::InvalidAlias { alias, reason })
    };
    let localpart = alias.alias();
    if alias.server_name() != server_name {
        return refuse(format!("it is not of this server; end it with :{server_name}"));
    }
    if alias.as_str().len() > ID_BYTES_MAX {
        return refuse(format!("it is longer than {ID_BYTES_MAX} bytes"));
    }
    let is_name = |char: char| !char.is_whitespace() && !char.is_control();
    if rookery_text::shows_nothing(localpart) || !localpart.chars().all(is_name) {
        return refuse("a name without white space goes between # and :".to_owned());
    }
    // Some clients and proxies read these as parts of a path.
    if localpart.contains(['/', '\\']) || [".", ".."].contains(&localpart) {
        return refuse("slashes, and names of dots only, are not allowed".to_owned());
    }
    Ok(())
}
