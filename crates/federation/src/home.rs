//! The parts of this server that answer requests of other servers.

use std::sync::Arc;

use rookery_command::{Commands, HandleError, Receipt};
use rookery_domain::{OwnedEventId, Room, RoomId, ServerName};
use rookery_ephemeral::Ephemeral;
use rookery_log::Millis;
use rookery_view::Reader;
use serde_json::value::RawValue;

use crate::{
    admission::Admission,
    client::{Pauses, Remote, Transport},
    clock::Clock,
    elsewhere::Limits,
    history::{Backfills, Gaps},
    inbound::{LargeAnswers, Rates, Turns},
    keys::{OwnKeys, RemoteKeys},
    lookups::Lookups,
    rooms::{Events, KnownPdu},
    sender::Sender,
    store::Store,
};

/// The parts of this server that other servers reach.
pub(crate) struct Home {
    pub(crate) own: Arc<OwnKeys>,
    pub(crate) commands: Arc<Commands>,
    pub(crate) reader: Reader,
    pub(crate) ephemeral: Ephemeral,
    pub(crate) transport: Transport,
    pub(crate) keys: RemoteKeys,
    pub(crate) store: Store,
    pub(crate) sender: Sender,
    pub(crate) gaps: Gaps,
    pub(crate) backfills: Backfills,
    /// The pauses between tries.
    pub(crate) pauses: Pauses,
    pub(crate) rates: Rates,
    pub(crate) admission: Admission,
    pub(crate) turns: Turns,
    /// The bounds of the actions of users here on other servers.
    pub(crate) limits: Arc<Limits>,
    /// Answers with whole states that are made at the same time.
    pub(crate) large_answers: LargeAnswers,
    /// The name to which `.well-known` delegates; `None` to offer none.
    pub(crate) delegated: Option<String>,
    /// Whether strangers see the profiles of users.
    pub(crate) shows_profiles: bool,
    /// Whether other servers see the public directory.
    pub(crate) shows_directory: bool,
    pub(crate) lookups: Lookups,
    pub(crate) clock: Clock,
}

impl Home {
    pub(crate) fn now(&self) -> u64 {
        (self.clock)()
    }

    /// Events as other servers get them.
    pub(crate) fn events(&self) -> Events {
        Events { reader: self.reader.clone(), own: Arc::clone(&self.own) }
    }

    /// Takes events of one room that another server sent.
    pub(crate) async fn receive(
        &self,
        origin: &ServerName,
        room: &RoomId,
        pdus: &[Box<RawValue>],
    ) -> Result<Vec<Receipt>, HandleError> {
        self.commands.receive(&self.keys, origin, room, pdus, Millis(self.now())).await
    }

    /// Calls to other servers.
    pub(crate) fn remote(&self) -> Remote {
        Remote::new(self.transport.clone())
    }

    /// A server has shown that it is there.
    pub(crate) fn is_alive(&self, server: &ServerName) {
        self.transport.is_alive(server);
        self.sender.is_alive(server);
    }

    /// Answers a question about a room as it is now, unless there is no such room.
    pub(crate) async fn look<T: Send>(
        &self,
        room: &RoomId,
        look: impl Fn(&Room) -> T + Send + Sync,
    ) -> Result<Option<T>, HandleError> {
        let look = |room: Option<&Room>| room.filter(|room| room.is_created()).map(&look);
        self.commands.look_at_room(room, look).await
    }

    /// The IDs of the events that held the state of a room before an event; `None` if that is not known here.
    pub(crate) async fn state_before(
        &self,
        room: &RoomId,
        event: &KnownPdu,
    ) -> Result<Option<Vec<OwnedEventId>>, HandleError> {
        let state = self.commands.state_before(room, &event.pdu.prev_events).await?;
        Ok(state.map(|state| state.state))
    }

    /// Waits until the read side knows a commit of this server.
    pub(crate) async fn caught_up(&self, position: rookery_log::Position) -> Result<(), String> {
        const CATCH_UP_MAX: std::time::Duration = std::time::Duration::from_secs(10);
        let reached = self.reader.wait_for(position, CATCH_UP_MAX).await;
        reached.map_err(|stale| stale.to_string())
    }
}
