//! Preferences of a user.

use rookery_domain::{AccountCommand, Room, RoomId, RoomPreferencesChange};

use crate::{Actor, Commands, HandleError, Outcome, stream::handle::Request};

impl Commands {
    /// Changes the actor's preferences for a room that the actor may know of.
    pub(crate) async fn set_room_preferences_now(
        &self,
        actor: &Actor,
        room: &RoomId,
        change: RoomPreferencesChange,
        request: &Request,
    ) -> Result<Outcome, HandleError> {
        self.unless_unknown(actor, room).await?;
        let command = AccountCommand::SetRoomPreferences { room_id: room.to_owned(), change };
        self.change_account(actor, &command, request).await
    }

    /// Refuses a room that does not exist as far as the actor may know.
    async fn unless_unknown(&self, actor: &Actor, room: &RoomId) -> Result<(), HandleError> {
        let stream_state = self.rooms.state_of(room.as_str());
        let exists = |room: Option<&Room>| match room {
            Some(room) if room.exists_for(&actor.user) => Ok(()),
            _ => Err(HandleError::NoSuchRoom),
        };
        self.core.read_state(&self.rooms, &stream_state, exists).await?
    }
}
