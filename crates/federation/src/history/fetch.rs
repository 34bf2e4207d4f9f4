//! One search for the events that others wait for, at one server.
//!
//! First the events between the ends of the room and the waiting ones are asked for. If a gap remains, the state before
//! the oldest waiting events is asked for, and they enter the room after it.

use std::{collections::HashSet, time::Duration};

use rookery_command::{Commands, HandleError, HeldEvent, Received, StatedState};
use rookery_domain::{OwnedEventId, OwnedRoomId, OwnedServerName, Room, RoomVersionId};
use rookery_log::Millis;
use serde_json::value::RawValue;

use super::States;
use crate::{client::Remote, keys::RemoteKeys};

/// How often events of a gap are asked for in one search.
pub(crate) const ROUNDS_MAX: usize = 12;

/// Most events that one request asks for.
const EVENTS_MAX: usize = 100;

/// Most bytes of the events of one answer that are taken.
const EVENTS_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Waiting events of a room from which on a gap is not filled further.
const WAITING_ENOUGH: usize = 500;

/// How many states one search asks for.
pub(crate) const STATES_MAX: usize = 5;

/// Most ends that a request names.
const ENDS_MAX: usize = 20;

/// How long one search takes at most.
pub(crate) const SEARCH_TIME_MAX: Duration = Duration::from_mins(3);

/// Searches for missing events.
pub(crate) struct Fetch<'a> {
    pub(crate) commands: &'a Commands,
    pub(crate) keys: &'a RemoteKeys,
    pub(crate) remote: Remote,
    pub(crate) states: States,
    pub(crate) now: u64,
}

impl Fetch<'_> {
    /// Asks `server` for what the events of `room` wait for that `origin` sent. Returns whether none of them waits any
    /// more.
    pub(crate) async fn run(
        &self,
        server: &OwnedServerName,
        origin: &OwnedServerName,
        room: &OwnedRoomId,
    ) -> Result<bool, HandleError> {
        for _ in 0..ROUNDS_MAX {
            let waiting = self.waiting(origin, room);
            if waiting.is_empty() {
                return Ok(true);
            }
            if waiting.len() >= WAITING_ENOUGH || !self.fill(server, room, &waiting).await? {
                break;
            }
        }
        let mut asked = HashSet::new();
        for _ in 0..STATES_MAX {
            let waiting = self.waiting(origin, room);
            let mut oldest = oldest(&waiting);
            oldest.retain(|event| !asked.contains(&event.pdu.event_id));
            let Some(event) = oldest.into_iter().min_by_key(|event| event.pdu.depth) else { break };
            asked.insert(event.pdu.event_id.clone());
            self.place(server, room, event).await?;
        }
        Ok(self.waiting(origin, room).is_empty())
    }

    fn waiting(&self, origin: &OwnedServerName, room: &OwnedRoomId) -> Vec<HeldEvent> {
        let mut waiting = self.commands.waiting(room);
        waiting.retain(|event| event.origin == *origin);
        waiting
    }

    /// Asks for the events between the ends of the room and the oldest waiting ones. Returns whether any came.
    async fn fill(
        &self,
        server: &OwnedServerName,
        room: &OwnedRoomId,
        waiting: &[HeldEvent],
    ) -> Result<bool, HandleError> {
        let ends = self.ends(room).await?;
        let latest = oldest(waiting).into_iter().take(ENDS_MAX);
        let latest: Vec<_> = latest.map(|event| event.pdu.event_id.clone()).collect();
        let asked = self.remote.missing_events(server, room, &ends, &latest, EVENTS_MAX).await;
        let events = match asked {
            Ok(events) => events,
            Err(error) => {
                tracing::debug!(%room, %error, "cannot fetch missing events");
                return Ok(false);
            }
        };
        let events = newest(&events);
        // The waiting events, and those that come here, belong to the server that sent the former.
        let Some(origin) = waiting.first().map(|event| &event.origin) else { return Ok(false) };
        let known: HashSet<_> = waiting.iter().map(|event| event.pdu.event_id.clone()).collect();
        let receipts =
            self.commands.receive(self.keys, origin, room, events, Millis(self.now)).await?;
        Ok(receipts.iter().any(|receipt| match &receipt.received {
            Received::Held { .. } => {
                receipt.event_id.as_ref().is_some_and(|id| !known.contains(id))
            }
            Received::Accepted { .. } | Received::SoftFailed { .. } | Received::Rejected { .. } => {
                true
            }
            Received::Known { .. } | Received::Refused { .. } => false,
        }))
    }

    async fn ends(&self, room: &OwnedRoomId) -> Result<Vec<OwnedEventId>, HandleError> {
        let look = |room: Option<&Room>| {
            let ends = room.map_or(&[][..], Room::forward_extremities);
            ends.iter().take(ENDS_MAX).cloned().collect::<Vec<_>>()
        };
        self.commands.look_at_room(room, look).await
    }

    async fn version(&self, room: &OwnedRoomId) -> Result<Option<RoomVersionId>, HandleError> {
        let look = |room: Option<&Room>| room.and_then(|room| room.version().cloned());
        self.commands.look_at_room(room, look).await
    }

    /// Gives a waiting event its place after the state that the server states.
    async fn place(
        &self,
        server: &OwnedServerName,
        room: &OwnedRoomId,
        event: &HeldEvent,
    ) -> Result<(), HandleError> {
        let Some(version) = self.version(room).await? else { return Ok(()) };
        let (id, auth) = (&event.pdu.event_id, &event.pdu.auth_events);
        let state = match self.states.before(server, (room, &version), (id, auth)).await {
            Ok(state) => state,
            Err(error) => {
                tracing::debug!(%room, event = %id, %error, "cannot fetch the state before an event");
                return Ok(());
            }
        };
        let json = String::from_utf8(event.pdu.json.to_vec()).ok();
        let Some(json) = json.and_then(|json| RawValue::from_string(json).ok()) else {
            return Ok(());
        };
        let stated = StatedState {
            origin: server,
            room_id: room,
            version: &version,
            state: &[],
            auth_chain: &state.events,
            holders: &state.holders,
        };
        let now = Millis(self.now);
        let taken = self.commands.receive_with_state(self.keys, &stated, &json, now).await?;
        tracing::debug!(%room, event = %id, received = ?taken.received, "placed an event after a gap");
        Ok(())
    }
}

/// The last events of an answer, which has the oldest first, within bounds.
fn newest(events: &[Box<RawValue>]) -> &[Box<RawValue>] {
    let mut bytes = 0;
    let mut fits = |len: usize| {
        bytes += len;
        bytes <= EVENTS_BYTES_MAX
    };
    let lens = events.iter().rev().take(EVENTS_MAX).map(|event| event.get().len());
    let count = lens.take_while(|len| fits(*len)).count();
    &events[events.len() - count..]
}

/// The events that wait for events which do not wait here themselves.
fn oldest(waiting: &[HeldEvent]) -> Vec<&HeldEvent> {
    let here: HashSet<&OwnedEventId> = waiting.iter().map(|event| &event.pdu.event_id).collect();
    let waits = |event: &&HeldEvent| event.missing.iter().any(|id| !here.contains(id));
    waiting.iter().filter(waits).collect()
}
