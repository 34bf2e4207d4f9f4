//! Bounds that depend on counts of the read side: the rooms of a user, and the existence of an
//! invited user.
//!
//! **Invariant:** the count is read before the decision, and its cost does not depend on its size.
//! Commands in flight at that moment may exceed the bound, by no more than one device has in
//! flight.
//! **Invariant:** actors without a device (imports, the server's own work) are not bounded.

use rookery_domain::{Bound, CreateRoom, Invitee, Rejection, RoomCommand, UserId};

use crate::{Actor, Commands, HandleError};

impl Commands {
    /// Refuses a command that would exceed a bound of its user, or would invite a user who does not
    /// exist.
    ///
    /// # Errors
    /// [`HandleError::Rejected`], or a fault.
    pub(crate) async fn within_bounds(
        &self,
        actor: &Actor,
        command: &RoomCommand,
    ) -> Result<(), HandleError> {
        if actor.device.is_none() {
            return Ok(());
        }
        match command {
            RoomCommand::Join { .. } => self.may_have_a_room_more(actor).await,
            RoomCommand::Knock { .. } => {
                let rooms = self.memberships.rooms_of(&actor.user).await?;
                Ok(Bound::Knocks.admit(rooms.knocking)?)
            }
            // The server of the user knows whether there is such a user.
            RoomCommand::Invite { invitee, .. }
                if self.is_asked_elsewhere(actor, &invitee.user) =>
            {
                Ok(())
            }
            RoomCommand::Invite { invitee, .. } => self.may_be_invited(&invitee.user).await,
            _ => Ok(()),
        }
    }

    /// Like [`Self::within_bounds`], for a new room.
    ///
    /// # Errors
    /// As [`Self::within_bounds`].
    pub(crate) async fn may_create(
        &self,
        actor: &Actor,
        command: &CreateRoom,
    ) -> Result<(), HandleError> {
        if actor.device.is_none() {
            return Ok(());
        }
        self.may_have_a_room_more(actor).await?;
        self.may_claim(actor, command.alias.iter().count()).await?;
        let here = |it: &&Invitee| !self.is_asked_elsewhere(actor, &it.user);
        for invitee in command.invite.iter().filter(here) {
            self.may_be_invited(&invitee.user).await?;
        }
        Ok(())
    }

    /// Refuses `count` new aliases if the actor would have more than a user may.
    pub(crate) async fn may_claim(&self, actor: &Actor, count: usize) -> Result<(), HandleError> {
        let Some(others) = count.checked_sub(1).filter(|_| actor.device.is_some()) else {
            return Ok(());
        };
        let counts = self.memberships.rooms_of(&actor.user).await?;
        Ok(Bound::Aliases.admit(counts.aliases + others)?)
    }

    async fn may_have_a_room_more(&self, actor: &Actor) -> Result<(), HandleError> {
        let rooms = self.memberships.rooms_of(&actor.user).await?;
        Ok(Bound::Rooms.admit(rooms.joined)?)
    }

    /// Whether there is a user of this server with this ID who can be invited.
    ///
    /// # Errors
    /// [`HandleError`] if that is not known.
    pub async fn user_exists(&self, user: &UserId) -> Result<bool, HandleError> {
        Ok(self.memberships.exists(user).await?)
    }

    async fn may_be_invited(&self, user: &UserId) -> Result<(), HandleError> {
        if !self.memberships.exists(user).await? {
            return Err(Rejection::NoSuchUser(user.to_owned()).into());
        }
        let rooms = self.memberships.rooms_of(user).await?;
        Ok(Bound::Invites.admit(rooms.invited)?)
    }
}
