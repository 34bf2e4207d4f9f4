//! The actions that the rules of a room allow a user, from the state that decides about commands.

use rookery_domain::{Permissions, Room, RoomId, UserId};

use crate::{Commands, HandleError};

impl Commands {
    /// The actions that the rules of a room allow a user now. None in a room that does not exist.
    ///
    /// # Errors
    /// [`HandleError`] if the room cannot be read.
    pub async fn permissions(
        &self,
        user: &UserId,
        room: &RoomId,
    ) -> Result<Permissions, HandleError> {
        let stream_state = self.rooms.state_of(room.as_str());
        let look = |room: Option<&Room>| room.map(|it| it.permissions(user)).unwrap_or_default();
        self.core.read_state(&self.rooms, &stream_state, look).await
    }

    /// Whether a user may change the incoming webhooks of a room now.
    ///
    /// # Errors
    /// [`HandleError::Rejected`] or [`HandleError::NoSuchRoom`] if not, or a fault.
    pub async fn require_webhooks(&self, user: &UserId, room: &RoomId) -> Result<(), HandleError> {
        let stream_state = self.rooms.state_of(room.as_str());
        let look = |room: Option<&Room>| {
            let room = room.filter(|room| room.exists_for(user)).ok_or(HandleError::NoSuchRoom)?;
            Ok(room.require_webhooks(user)?)
        };
        self.core.read_state(&self.rooms, &stream_state, look).await?
    }
}
