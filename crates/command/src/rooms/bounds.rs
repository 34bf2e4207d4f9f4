//! Bounds that the read side counts: how many rooms a user is in, and who there is to be invited.
//!
//! **Invariant:** the count is asked before the decision and costs the same however much there is. What is on its way at that
//! moment may go beyond the bound, by no more than one device has under way.
//! **Invariant:** actors without a device (imports, the server's own work) are not bounded.

use rookery_domain::{Bound, CreateRoom, Rejection, RoomCommand, UserId};

use crate::{Actor, Commands, HandleError};

impl Commands {
    /// Refuses what would go beyond a bound of its user, or would invite nobody.
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
            RoomCommand::Invite { invitee, .. } => self.may_be_invited(&invitee.user).await,
            _ => Ok(()),
        }
    }

    /// The same for a new room.
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
        for invitee in &command.invite {
            self.may_be_invited(&invitee.user).await?;
        }
        Ok(())
    }

    /// Refuses `count` new aliases if the actor has given as many to rooms as a user may.
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

    async fn may_be_invited(&self, user: &UserId) -> Result<(), HandleError> {
        if !self.memberships.exists(user).await? {
            return Err(Rejection::NoSuchUser(user.to_owned()).into());
        }
        let rooms = self.memberships.rooms_of(user).await?;
        Ok(Bound::Invites.admit(rooms.invited)?)
    }
}
