//! The parts of the server that the calls need.

use std::{sync::Arc, time::Duration};

use axum::http::{Extensions, StatusCode};
use rookery_command::{Command, Commands, HandleError, Outcome, Retry};
use rookery_domain::{ProfileAudience, RoomAliasId, RoomCommand, RoomId};
use rookery_ephemeral::Ephemeral;
use rookery_log::Millis;
use rookery_view::{AliasElsewhere, OtherServers, Reader};

use super::{refusal::MatrixError, request::acting::Acting};
use crate::{Asking, Services};

/// How long a call waits for other servers. The libraries of bridges give up a request after a minute or later.
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
    /// Looks things up on other servers.
    pub other_servers: Arc<dyn OtherServers>,
    /// Reads the time, once for each request.
    pub clock: fn() -> Millis,
    /// Tells the server that the connection of a request belongs to a service, and not to a stranger.
    pub known: fn(&Extensions),
}

impl Api {
    /// Carries out a command, and waits until reads show it. If other servers have to answer, it waits for them too.
    pub(super) async fn execute(
        &self,
        acting: &Acting,
        command: Command<'_>,
        retry: Retry,
    ) -> Result<Outcome, MatrixError> {
        ended(self.outcome(acting, command, retry).await?)
    }

    /// The outcome of a command. Other servers may not have answered yet: see [`ended`].
    pub(super) async fn outcome(
        &self,
        acting: &Acting,
        command: Command<'_>,
        retry: Retry,
    ) -> Result<Outcome, HandleError> {
        let outcome = self.commands.execute(&acting.actor(), command, retry).await?;
        let outcome = self.commands.settled(outcome, ANSWERED_AFTER).await?;
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

    /// The room of an alias, here or on the server of the alias.
    pub(super) async fn room_of(
        &self,
        acting: &Acting,
        alias: &RoomAliasId,
    ) -> Result<AliasElsewhere, MatrixError> {
        let own = self.commands.server_name();
        if let Some(room_id) = self.commands.resolve_alias(alias).await? {
            return Ok(AliasElsewhere { room_id, servers: vec![own.clone()] });
        }
        if alias.server_name() == own {
            return Err(no_such_alias());
        }
        let found = self.other_servers.alias(&acting.user, alias).await;
        let found = found.map_err(|error| {
            MatrixError::new(StatusCode::BAD_GATEWAY, "M_UNKNOWN", error.to_string())
        })?;
        found.ok_or_else(no_such_alias)
    }
}

/// Refuses an outcome for which other servers have not answered in time.
pub(super) fn ended(outcome: Outcome) -> Result<Outcome, MatrixError> {
    if outcome.remote.is_none() {
        return Ok(outcome);
    }
    let why = "other servers have not answered yet, and the request goes on; repeat it";
    Err(MatrixError::new(StatusCode::GATEWAY_TIMEOUT, "M_UNKNOWN", why))
}

pub(super) fn no_such_alias() -> MatrixError {
    MatrixError::not_found("no room has this alias")
}
