//! Preferences, account data and ignored users of a user.

use rookery_domain::{
    AccountCommand, DataKey, JsonObject, Room, RoomId, RoomPreferencesChange, UserId,
};

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

    /// Makes the actor ignore a user, or no longer. The user need not exist.
    pub(crate) async fn set_user_ignored_now(
        &self,
        actor: &Actor,
        user: &UserId,
        is_ignored: bool,
        request: &Request,
    ) -> Result<Outcome, HandleError> {
        let (own, user_id) = (actor.user.clone(), user.to_owned());
        let command = AccountCommand::SetIgnored { own, user_id, is_ignored };
        self.change_account(actor, &command, request).await
    }

    /// Stores account data of the actor, about a room that the actor may know of or about none.
    pub(crate) async fn set_account_data_now(
        &self,
        actor: &Actor,
        key: DataKey,
        content: &JsonObject,
        request: &Request,
    ) -> Result<Outcome, HandleError> {
        if let Some(room) = &key.room_id {
            self.unless_unknown(actor, room).await?;
        }
        let command = AccountCommand::SetData { key, content: content.clone() };
        self.change_account(actor, &command, request).await
    }

    /// Deletes account data of the actor. An unknown name changes nothing.
    pub(crate) async fn delete_account_data_now(
        &self,
        actor: &Actor,
        key: DataKey,
        request: &Request,
    ) -> Result<Outcome, HandleError> {
        self.change_account(actor, &AccountCommand::DeleteData { key }, request).await
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
