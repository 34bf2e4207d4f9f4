//! Answers from the state that decides about commands: the actions that the rules of a room allow a user, and other
//! questions about a room as it is now.

use rookery_domain::{Permissions, Room, RoomId, UserId};

use crate::{Commands, HandleError};

impl Commands {
    /// Answers a question about a room from its state now; `None` for a room that does not exist. The answer waits for
    /// the appends that it depends on.
    ///
    /// # Errors
    /// [`HandleError`] if the room cannot be read.
    pub async fn look_at_room<T>(
        &self,
        room: &RoomId,
        look: impl Fn(Option<&Room>) -> T + Send,
    ) -> Result<T, HandleError> {
        let stream_state = self.rooms.state_of(room.as_str());
        self.core.read_state(&self.rooms, &stream_state, look).await
    }

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
