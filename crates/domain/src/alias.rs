//! The alias aggregate: which room a name of this server points to.
//!
//! **Invariant:** names that look the same are one name: an alias is kept, compared and shown in its normal form.

use ruma_common::{
    OwnedRoomAliasId, OwnedRoomId, OwnedUserId, RoomAliasId, RoomId, ServerName, UserId,
};

use crate::{AliasEvent, Rejection, limits::ID_BYTES_MAX, text};

/// What a user asks of an alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AliasCommand {
    /// Let it point to a room.
    Claim {
        /// The room.
        room_id: OwnedRoomId,
    },
    /// Let it point to another room than it does, which takes the place of that one.
    Move {
        /// Where it points.
        from: OwnedRoomId,
        /// Where it is to point. The sender has power over the aliases of both, which the caller
        /// has checked.
        to: OwnedRoomId,
    },
    /// Let it point nowhere.
    Release {
        /// The sender has power over the aliases of the room it points to (or over the server),
        /// which the caller has checked.
        with_power: bool,
    },
}

/// An alias as its events so far have made it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alias {
    claim: Option<(OwnedRoomId, OwnedUserId)>,
}

impl Alias {
    /// The alias that these events make, oldest first.
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

    /// Who claimed it.
    #[must_use]
    pub fn claimed_by(&self) -> Option<&UserId> {
        self.claim.as_ref().map(|(_, by)| &**by)
    }

    /// Decides what a command makes happen. An empty list means that it already holds.
    ///
    /// # Errors
    /// [`Rejection`] if the alias is no name of this server, taken, or somebody else's.
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
            // It has moved already, or points elsewhere by now.
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

/// The alias that all look like: without characters that show nothing, case folded and composed.
#[must_use]
pub fn normal_alias(alias: &RoomAliasId) -> OwnedRoomAliasId {
    let visible = text::without_invisible(alias.alias());
    let name = text::normal(&visible);
    if name == alias.alias() {
        return alias.to_owned();
    }
    let same = format!("#{name}:{}", alias.server_name()).try_into();
    same.unwrap_or_else(|_| alias.to_owned())
}

/// Refuses aliases of other servers and those that do not look like a name.
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
    if text::shows_nothing(localpart) || !localpart.chars().all(is_name) {
        return refuse("a name without white space goes between # and :".to_owned());
    }
    // Some clients and proxies take these apart as paths.
    if localpart.contains(['/', '\\']) || [".", ".."].contains(&localpart) {
        return refuse("slashes, and names of dots only, are not allowed".to_owned());
    }
    Ok(())
}
