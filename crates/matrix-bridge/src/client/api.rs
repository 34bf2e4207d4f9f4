//! The parts of the server that the calls need.

use std::{sync::Arc, time::Duration};

use axum::http::Extensions;
use rookery_command::{Command, Commands, Outcome, Retry};
use rookery_domain::{OwnedRoomId, ProfileAudience, RoomAliasId, RoomCommand, RoomId};
use rookery_ephemeral::Ephemeral;
use rookery_log::Millis;
use rookery_view::Reader;

use super::{refusal::MatrixError, request::acting::Acting};
use crate::{Asking, Services};

/// How long a call waits for other servers.
const ANSWERED_AFTER: Duration = Duration::from_secs(30);

/// How long an answer waits until the next read shows its effect.
const SHOWN_AFTER: Duration = Duration::from_secs(1);

/// The parts of the server that the calls need.
pub struct Api {
    /// The write side.
    pub commands: Arc<Commands>,
    /// The read models, as each user may see them.
    pub reader: Reader,
    /// Typing and presence.
    pub ephemeral: Ephemeral,
    /// The registered services.
    pub services: Arc<dyn Services>,
    /// Asks bridges.
    pub asking: Asking,
    /// The users who see profiles of users with whom they share no room.
    pub profiles: ProfileAudience,
    /// Reads the time, once for each request.
    pub clock: fn() -> Millis,
    /// Tells the server that the connection of a request belongs to a service, and not to a stranger.
    pub known: fn(&Extensions),
}

impl Api {
    /// Carries out a command, and waits until reads show it.
    pub(super) async fn execute(
        &self,
        acting: &Acting,
        command: Command<'_>,
        retry: Retry,
    ) -> Result<Outcome, MatrixError> {
        let outcome = self.commands.execute(&acting.actor(), command, retry).await?;
        let outcome = self.commands.settled(outcome, ANSWERED_AFTER).await?;
        if outcome.remote.is_some() {
            let why = "other servers have not answered yet, and the request goes on".to_owned();
            return Err(MatrixError::unknown(why));
        }
        // A read that comes too early shows the state before it, and no error.
        self.reader.wait_for(outcome.position, SHOWN_AFTER).await.ok();
        Ok(outcome)
    }

    /// Carries out a command in a room.
    pub(super) async fn act(
        &self,
        acting: &Acting,
        room: &RoomId,
        command: &RoomCommand,
        retry: Retry,
    ) -> Result<Outcome, MatrixError> {
        self.execute(acting, Command::InRoom { room, command }, retry).await
    }

    /// The room of an alias.
    pub(super) async fn room_of(&self, alias: &RoomAliasId) -> Result<OwnedRoomId, MatrixError> {
        let room = self.commands.resolve_alias(alias).await?;
        room.ok_or_else(|| MatrixError::not_found("no room has this alias"))
    }
}
