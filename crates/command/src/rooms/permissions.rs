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
}
