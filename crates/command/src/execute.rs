//! The entry point of the write side: it carries out the command of a user and returns the outcome.
//!
//! **Invariant:** the serialised form of a command never changes, because logs hold fingerprints
//! of it.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use rookery_domain::{
    CreateRoom, DataKey, Filter, JsonObject, Origin, OwnedRoomId, OwnedServerName, Pdu,
    RoomAliasId, RoomCommand, RoomId, RoomOrAliasId, RoomPreferencesChange, RoomVersionId, UserId,
};
use rookery_log::{Millis, Position};
use serde::Serialize;

use crate::{
    Actor, Commands, HandleError, ProfileChange, ReadMark, Retry,
    actions::{Attempt, First},
    rooms::{outcome, room_of},
    stream::handle::Request,
};

/// Every command of a user. Each of them can have an action ID.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "asked")]
pub enum Command<'a> {
    /// A change in a room.
    #[serde(rename = "room")]
    InRoom {
        /// The room.
        room: &'a RoomId,
        /// The change.
        command: &'a RoomCommand,
    },
    /// Join a room, or ask to join it. If this server is not in the room, other servers have to
    /// answer ([`Commands::settled`]). A retry keeps the room of the first attempt.
    #[serde(rename = "room")]
    Enter {
        /// The room, or an alias of it.
        room: &'a RoomOrAliasId,
        /// A join or a knock.
        command: &'a RoomCommand,
        /// Servers that may be in the room.
        #[serde(skip_serializing_if = "is_empty")]
        via: &'a [OwnedServerName],
    },
    /// Create a room. Its first events are one commit.
    #[serde(rename = "create")]
    CreateRoom {
        /// The settings of the new room.
        room: &'a CreateRoom,
    },
    /// Replace a room by a new one of another version. A retry finishes an upgrade that was begun.
    #[serde(rename = "upgrade")]
    UpgradeRoom {
        /// The room to replace.
        room: &'a RoomId,
        /// The version of the new room.
        version: &'a RoomVersionId,
    },
    /// Change the user's profile. The outcome comes when the change is durable. The rooms get it
    /// later, while [`Commands::run_processes`] is polled, or by [`Commands::resume_profiles`].
    #[serde(rename = "profile")]
    SetProfile {
        /// The change.
        change: &'a ProfileChange,
    },
    /// Move the read receipt in a room. An earlier event than before changes nothing.
    #[serde(rename = "mark")]
    MarkRead(&'a ReadMark),
    /// Store a filter. A filter that is stored already keeps its ID.
    #[serde(rename = "filter")]
    CreateFilter {
        /// The filter.
        filter: &'a Filter,
    },
    /// Delete a stored filter. An unknown ID changes nothing.
    #[serde(rename = "delete_filter")]
    DeleteFilter {
        /// The ID of the filter.
        filter_id: &'a str,
    },
    /// Change the user's preferences for a room.
    #[serde(rename = "room_preferences")]
    SetRoomPreferences {
        /// The room.
        room: &'a RoomId,
        /// The change.
        change: RoomPreferencesChange,
    },
    /// Ignore a user, or no longer.
    #[serde(rename = "ignore")]
    SetUserIgnored {
        /// The user.
        user: &'a UserId,
        /// Whether to ignore the user.
        is_ignored: bool,
    },
    /// Store account data.
    #[serde(rename = "account_data")]
    SetAccountData {
        /// The room that it is about, if any.
        room: Option<&'a RoomId>,
        /// Its type.
        kind: &'a str,
        /// The content.
        content: &'a JsonObject,
    },
    /// Delete account data. An unknown type changes nothing.
    #[serde(rename = "delete_account_data")]
    DeleteAccountData {
        /// The room that it is about, if any.
        room: Option<&'a RoomId>,
        /// Its type.
        kind: &'a str,
    },
}

/// The result of a command.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The position of the commit. If the command changed nothing, a position at which its effect
    /// held.
    pub position: Position,
    /// Whether the command changed anything, now or at the first attempt.
    pub changed: bool,
    /// The room of the command, if it has one. For an upgrade, the old room.
    pub room_id: Option<OwnedRoomId>,
    /// The room that replaces `room_id`. Only an upgrade sets it.
    pub replacement: Option<OwnedRoomId>,
    /// The room events that the command made, in order; empty if it changed nothing.
    pub events: Vec<Arc<Pdu>>,
    /// The sequence number of the first event.
    pub first_sequence: u64,
    /// The command was carried out before, and this is its first result.
    pub repeated: bool,
    /// When the command arrived.
    pub received: Millis,
    /// The sender.
    pub origin: Origin,
    /// The action waits for the answers of other servers: its ID. See [`Commands::settled`].
    pub remote: Option<String>,
}

fn is_empty(via: &&[OwnedServerName]) -> bool {
    via.is_empty()
}

impl Commands {
    /// Carries out a command.
    ///
    /// The future is boxed here, so the crates that await it do not compile its body again.
    ///
    /// # Errors
    /// [`HandleError`], which says whether to retry.
    pub fn execute<'a>(
        &'a self,
        actor: &'a Actor,
        command: Command<'a>,
        retry: Retry,
    ) -> BoxFuture<'a, Result<Outcome, HandleError>> {
        Box::pin(self.execute_in_turn(actor, command, retry))
    }

    async fn execute_in_turn(
        &self,
        actor: &Actor,
        command: Command<'_>,
        retry: Retry,
    ) -> Result<Outcome, HandleError> {
        let request = match self.enter(actor, retry, &command).await? {
            Attempt::Now(request) => request,
            Attempt::Again(first) => return self.first_outcome(actor, command, retry, first).await,
        };
        let result = self.carry_out(actor, command, &request).await;
        self.conclude(actor, &request, result).await
    }

    async fn carry_out(
        &self,
        actor: &Actor,
        command: Command<'_>,
        request: &Request,
    ) -> Result<Outcome, HandleError> {
        self.refuse_reserved(actor, &command)?;
        match command {
            Command::InRoom { room, command } => {
                self.act_in_room(actor, room, command, request).await
            }
            Command::Enter { room, command, via } => {
                Box::pin(self.enter_room(actor, room, command, via, request)).await
            }
            // On the heap: otherwise the future of every message would be as large as these.
            Command::CreateRoom { room } => {
                Box::pin(self.create_room_now(actor, room, request)).await
            }
            Command::UpgradeRoom { room, version } => {
                Box::pin(self.upgrade_room_now(actor, room, version, request)).await
            }
            Command::SetProfile { change } => self.set_profile_now(actor, change, request).await,
            Command::MarkRead(mark) => self.mark_read_now(actor, mark, request).await,
            Command::CreateFilter { filter } => {
                self.create_filter_now(actor, filter, request).await
            }
            Command::DeleteFilter { filter_id } => {
                self.delete_filter_now(actor, filter_id, request).await
            }
            Command::SetRoomPreferences { room, change } => {
                self.set_room_preferences_now(actor, room, change, request).await
            }
            Command::SetUserIgnored { user, is_ignored } => {
                self.set_user_ignored_now(actor, user, is_ignored, request).await
            }
            Command::SetAccountData { room, kind, content } => {
                let key = DataKey { room_id: room.map(ToOwned::to_owned), kind: kind.to_owned() };
                self.set_account_data_now(actor, key, content, request).await
            }
            Command::DeleteAccountData { room, kind } => {
                let key = DataKey { room_id: room.map(ToOwned::to_owned), kind: kind.to_owned() };
                self.delete_account_data_now(actor, key, request).await
            }
        }
    }

    /// The room of an alias of this server. A program that owns the alias may make the room now.
    ///
    /// # Errors
    /// [`HandleError::NoSuchRoom`] if there is none; other errors if that is not known.
    pub async fn room_of_alias(&self, alias: &RoomAliasId) -> Result<OwnedRoomId, HandleError> {
        if let Some(room) = self.resolve_alias(alias).await? {
            return Ok(room);
        }
        let made = self.memberships.make_alias(alias).await?;
        let room = if made { self.resolve_alias(alias).await? } else { None };
        room.ok_or(HandleError::NoSuchRoom)
    }

    /// The outcome of an action that was carried out before.
    async fn first_outcome(
        &self,
        actor: &Actor,
        command: Command<'_>,
        retry: Retry,
        first: First,
    ) -> Result<Outcome, HandleError> {
        let room_id = first.held_in.or_else(|| room_of(&first.stream));
        let mut outcome = outcome(&actor.request(retry), room_id, first.handled);
        match (command, &outcome.room_id) {
            (Command::UpgradeRoom { .. }, Some(room)) => {
                let replacement = self.replacement_of(room).await?;
                outcome.replacement = Some(replacement.ok_or(HandleError::NoSuchRoom)?);
            }
            (Command::SetProfile { .. }, _) => self.tell_rooms_later(actor, &outcome),
            (Command::CreateRoom { room }, Some(room_id)) => {
                self.invite_from_elsewhere(actor, room_id, room).await?;
            }
            _ => {}
        }
        Ok(outcome)
    }
}
