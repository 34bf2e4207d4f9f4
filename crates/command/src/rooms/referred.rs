//! The events that a command refers to, fetched before it is decided.
//!
//! **Invariant:** reactions of one user to one event take turns in this process, from the read of
//! the present reactions to the append, so the same reaction sent twice at once is one event. Edits
//! and redactions of one event take turns too. So a redaction erases every edit before it, and no
//! edit follows it.

use std::hash::{BuildHasher, RandomState};

use rookery_domain::{KnownEvent, RoomCommand};
use tokio::sync::{Mutex, MutexGuard};

use crate::{Actor, Commands, HandleError};

/// How many turns exist; more turns only collide less.
const TURNS: usize = 64;

/// The turns of reactions, edits and redactions.
pub(crate) struct Turns {
    locks: Vec<Mutex<()>>,
    hasher: RandomState,
}

impl Default for Turns {
    fn default() -> Self {
        let locks = (0..TURNS).map(|_| Mutex::new(())).collect();
        Self { locks, hasher: RandomState::new() }
    }
}

impl Turns {
    async fn take(&self, actor: &Actor, command: &RoomCommand) -> Option<MutexGuard<'_, ()>> {
        let hash = match command {
            RoomCommand::Redact { event_id, .. } => self.hasher.hash_one(event_id),
            command if reacts(command) => self.hasher.hash_one(&actor.user),
            command => self.hasher.hash_one(command.edits()?),
        };
        let turn = usize::try_from(hash % TURNS as u64).unwrap_or_default();
        Some(self.locks[turn].lock().await)
    }
}

fn reacts(command: &RoomCommand) -> bool {
    match command {
        RoomCommand::React { .. } => true,
        RoomCommand::SendEvent { event_type, .. } => event_type == "m.reaction",
        _ => false,
    }
}

/// The events that a command refers to, and the turn to decide on it.
pub(crate) struct Referred<'a> {
    pub(crate) events: Vec<KnownEvent>,
    _turn: Option<MutexGuard<'a, ()>>,
}

impl Commands {
    /// Fetches the events that `command` refers to. The result holds the turn, if the command needs
    /// one, until it is dropped.
    pub(crate) async fn referred(
        &self,
        actor: &Actor,
        command: &RoomCommand,
    ) -> Result<Referred<'_>, HandleError> {
        let events = command.refers_to();
        if events.is_empty() {
            return Ok(Referred { events: Vec::new(), _turn: None });
        }
        let turn = self.reacting.take(actor, command).await;
        // Every event that a client knows of is durable, so it is no later than this.
        let tail = *self.core.log.tail().borrow();
        let redacts = matches!(command, RoomCommand::Redact { .. });
        let events = if redacts {
            self.events.known(&events, &actor.user, tail).await?
        } else {
            self.events.known_to_refer(&events, &actor.user, tail).await?
        };
        Ok(Referred { events, _turn: turn })
    }
}
