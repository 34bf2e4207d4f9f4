//! The state before an event, from another server.

use std::collections::HashSet;

use rookery_command::STATED_EVENTS_MAX;
use rookery_domain::{Incoming, OwnedEventId, OwnedRoomId, RoomVersionId, ServerName};
use serde_json::value::RawValue;

use crate::{
    client::{CallError, Remote},
    rooms::Events,
};

/// Up to this many missing events of a state are fetched one by one; more come with the whole state.
const SINGLES_MAX: usize = 30;

/// How many events are read before other tasks get a turn.
const PORTION: usize = 64;

/// Asks for states.
pub(crate) struct States {
    pub(crate) remote: Remote,
    pub(crate) events: Events,
}

/// A state before an event: the IDs of its holders, and the events that were not known here.
pub(crate) struct FetchedState {
    pub(crate) holders: Vec<OwnedEventId>,
    pub(crate) events: Vec<Box<RawValue>>,
}

impl States {
    /// The state before an event with these auth events, as `server` states it. An event that it withholds is missing in
    /// the answer.
    pub(crate) async fn before(
        &self,
        server: &ServerName,
        (room, version): (&OwnedRoomId, &RoomVersionId),
        (event, auth_events): (&OwnedEventId, &[OwnedEventId]),
    ) -> Result<FetchedState, String> {
        let text = |error: CallError| error.to_string();
        let ids = self.remote.state_ids(server, room, event).await.map_err(text)?;
        let count = ids.pdu_ids.len() + ids.auth_chain_ids.len();
        if count > STATED_EVENTS_MAX {
            return Err(format!("{server}: the state has {count} events"));
        }
        let named = auth_events.iter().chain(&ids.pdu_ids).chain(&ids.auth_chain_ids);
        let all: Vec<_> = named.cloned().collect();
        let known = self.events.known(room, &all)?;
        let unknown: HashSet<_> = all.into_iter().filter(|id| !known.contains(id)).collect();
        let found = if unknown.len() > SINGLES_MAX {
            self.remote.state(server, room, event).await.map_err(text)?
        } else {
            let mut found = Vec::with_capacity(unknown.len());
            for id in &unknown {
                found.extend(self.remote.event(server, id).await.map_err(text)?);
            }
            found
        };
        let mut events = Vec::new();
        for (number, json) in found.into_iter().enumerate() {
            if number % PORTION == PORTION - 1 {
                tokio::task::yield_now().await;
            }
            let id = Incoming::read(&json, version).map(|event| event.event_id().to_owned());
            if id.is_ok_and(|id| unknown.contains(&id)) {
                events.push(json);
            }
        }
        Ok(FetchedState { holders: ids.pdu_ids, events })
    }
}
