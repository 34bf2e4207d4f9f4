//! History from before the events that are here, as other servers answer to `backfill`.
//!
//! A page enters in two steps. [`Commands::connect_past`] checks its events by themselves, and finds
//! those that lead to events here. [`Commands::receive_past`] takes them, with the states that they
//! need.
//!
//! **Invariant:** history changes neither the state of a room nor its ends, and no call.

use std::{collections::BTreeMap, sync::Arc};

use rookery_domain::{
    EventStatus, Incoming, Membership, Origin, OwnedEventId, OwnedServerName, Pdu, Room, RoomId,
    RoomVersionId, ServerName, TimelineEventType,
};
use rookery_graph::{Decided, PastEvent, Verdict, in_order_of_auth};
use rookery_log::{Millis, Position};
use serde_json::value::RawValue;

use super::{
    ServerKeys,
    graphs::RoomGraph,
    join::{STATED_BYTES_MAX, STATED_EVENTS_MAX},
    receive::{COMMIT_BYTES_ENOUGH, COMMIT_EVENTS_MAX, PORTION, unless_redacted},
};
use crate::{
    Commands, HandleError,
    stream::state::{Loaded, StreamState},
};

/// Most events of a page of history.
pub const PAST_EVENTS_MAX: usize = 200;

/// How often a page is taken before the caller has to retry.
const ATTEMPTS_MAX: u32 = 3;

/// Checked events of one server that lead to events here.
#[derive(Clone, Debug)]
pub struct PastPage {
    origin: OwnedServerName,
    version: RoomVersionId,
    events: Vec<PastEvent>,
}

impl PastPage {
    /// Whether no event leads to events here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The version of the room.
    #[must_use]
    pub fn version(&self) -> &RoomVersionId {
        &self.version
    }

    /// The events that need the state before them, oldest first, each with its auth events.
    pub fn needs_states(&self) -> impl Iterator<Item = (&OwnedEventId, &[OwnedEventId])> {
        let needs = self.events.iter().filter(|event| event.needs_state);
        needs.map(|event| (&event.pdu.event_id, &*event.pdu.auth_events))
    }
}

/// The state before an event of a page, as a server stated it.
#[derive(Clone, Debug)]
pub struct StatedPast {
    /// The event.
    pub before: OwnedEventId,
    /// The events that hold its slots.
    pub holders: Vec<OwnedEventId>,
    /// Those of them, and of the events that authorise them, that may be unknown here.
    pub events: Vec<Box<RawValue>>,
}

/// The outcome for a page of history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TakenPast {
    /// How many events got their places.
    pub placed: usize,
    /// The last commit; `None` if there was none.
    pub position: Option<Position>,
}

impl Commands {
    /// Events of a room that are not here and that events here follow: those of `after`, or the
    /// oldest. None if the room has all of its history.
    ///
    /// # Errors
    /// [`HandleError`] if the log cannot be read.
    #[expect(clippy::await_holding_invalid_type, reason = "callers run in tasks of their own")]
    pub async fn missing_before(
        &self,
        room_id: &RoomId,
        after: &[OwnedEventId],
        limit: usize,
    ) -> Result<Vec<OwnedEventId>, HandleError> {
        let stream_state = self.rooms.state_of(room_id.as_str());
        let mut slot = stream_state.loaded.lock().await;
        let (loaded, graph) =
            self.federation.graphs.settled(&self.core, &stream_state, &mut slot).await?;
        let missing = graph.graph.missing_before(after, limit);
        self.federation.graphs.put(stream_state.stream.clone(), graph);
        *slot = Some(loaded);
        Ok(missing)
    }

    /// Whether an event is here, and has its place among the events of the room.
    ///
    /// # Errors
    /// [`HandleError`] if the log cannot be read.
    #[expect(clippy::await_holding_invalid_type, reason = "callers run in tasks of their own")]
    pub async fn is_placed(
        &self,
        room_id: &RoomId,
        event: &OwnedEventId,
    ) -> Result<bool, HandleError> {
        let stream_state = self.rooms.state_of(room_id.as_str());
        let mut slot = stream_state.loaded.lock().await;
        let (loaded, graph) =
            self.federation.graphs.settled(&self.core, &stream_state, &mut slot).await?;
        let status = graph.graph.status(event);
        self.federation.graphs.put(stream_state.stream.clone(), graph);
        *slot = Some(loaded);
        Ok(status.is_some_and(|status| status != EventStatus::Outlier))
    }

    /// For each of these events of a room, whether a user of `server` was joined at it, and whether one
    /// was invited, by the room's graph. Neither for an event without a place.
    ///
    /// # Errors
    /// [`HandleError`] if the log cannot be read.
    #[expect(clippy::await_holding_invalid_type, reason = "callers run in tasks of their own")]
    pub async fn members_at(
        &self,
        room_id: &RoomId,
        events: &[OwnedEventId],
        server: &ServerName,
    ) -> Result<Vec<(bool, bool)>, HandleError> {
        let stream_state = self.rooms.state_of(room_id.as_str());
        let mut slot = stream_state.loaded.lock().await;
        let (loaded, mut graph) =
            self.federation.graphs.settled(&self.core, &stream_state, &mut slot).await?;
        let of = |event: &OwnedEventId| {
            let all = graph.graph.memberships_at(event, server).unwrap_or_default();
            (all.contains(&Membership::Join), all.contains(&Membership::Invite))
        };
        let members = events.iter().map(of).collect();
        self.federation.graphs.put(stream_state.stream.clone(), graph);
        *slot = Some(loaded);
        Ok(members)
    }

    /// Checks events by themselves that `origin` gave for history, and finds those that lead to
    /// events here. `None` if the room is not here.
    ///
    /// `keys` has to know the keys of this server too, for events of its users.
    ///
    /// # Errors
    /// [`HandleError`] if the log cannot be read.
    #[expect(clippy::await_holding_invalid_type, reason = "callers run in tasks of their own")]
    pub async fn connect_past(
        &self,
        keys: &dyn ServerKeys,
        origin: &ServerName,
        room_id: &RoomId,
        pdus: &[Box<RawValue>],
    ) -> Result<Option<PastPage>, HandleError> {
        let stream_state = self.rooms.state_of(room_id.as_str());
        let version = |room: Option<&Room>| room.and_then(|room| room.version().cloned());
        let version = self.core.read_state(&self.rooms, &stream_state, version).await?;
        let Some(version) = version else { return Ok(None) };
        let mut checked = Vec::new();
        for (number, json) in pdus.iter().take(PAST_EVENTS_MAX).enumerate() {
            if number % PORTION == PORTION - 1 {
                tokio::task::yield_now().await;
            }
            match Self::verified_of_all(keys, room_id, &version, json).await {
                Ok(pdu) => checked.push(pdu),
                Err(receipt) => tracing::debug!(%room_id, %origin, ?receipt, "refused history"),
            }
        }
        let mut slot = stream_state.loaded.lock().await;
        let (loaded, graph) =
            self.federation.graphs.settled(&self.core, &stream_state, &mut slot).await?;
        let events = graph.graph.connect(&checked);
        self.federation.graphs.put(stream_state.stream.clone(), graph);
        *slot = Some(loaded);
        Ok(Some(PastPage { origin: origin.to_owned(), version, events }))
    }

    /// Takes a page of history. An event whose state is missing in `states` is left out, with the
    /// events that follow it.
    ///
    /// # Errors
    /// [`HandleError`] if the log cannot be read or written. Call this again.
    pub async fn receive_past(
        &self,
        keys: &dyn ServerKeys,
        room_id: &RoomId,
        page: &PastPage,
        states: &[StatedPast],
        now: Millis,
    ) -> Result<TakenPast, HandleError> {
        let outliers = Self::outliers(keys, room_id, page, states).await;
        let stream_state = self.rooms.state_of(room_id.as_str());
        let holders: BTreeMap<_, _> =
            states.iter().map(|state| (&state.before, &*state.holders)).collect();
        let mut taken = TakenPast::default();
        for _ in 0..ATTEMPTS_MAX {
            let past = Past { page, holders: &holders, now };
            if self.append_past(&stream_state, &outliers, &past, &mut taken).await? {
                return Ok(taken);
            }
        }
        Err(HandleError::Contended { attempts: ATTEMPTS_MAX })
    }

    /// The events of states, checked by themselves, and in order.
    async fn outliers(
        keys: &dyn ServerKeys,
        room_id: &RoomId,
        page: &PastPage,
        states: &[StatedPast],
    ) -> Vec<Arc<Pdu>> {
        let (mut events, mut bytes) = (BTreeMap::new(), 0);
        for state in states {
            for json in &state.events {
                bytes += json.get().len();
                if events.len() >= STATED_EVENTS_MAX || bytes > STATED_BYTES_MAX {
                    return Vec::new();
                }
                if events.len() % PORTION == PORTION - 1 {
                    tokio::task::yield_now().await;
                }
                let id = Incoming::read(json, &page.version).map(|it| it.event_id().to_owned());
                let Ok(id) = id else { continue };
                if events.contains_key(&id) {
                    continue;
                }
                if let Ok(pdu) = Self::verified_of_all(keys, room_id, &page.version, json).await {
                    events.insert(id, pdu);
                }
            }
        }
        in_order_of_auth(&events)
    }

    /// Decides and appends. Returns `false` if another writer came first.
    #[expect(clippy::await_holding_invalid_type, reason = "callers run in tasks of their own")]
    async fn append_past(
        &self,
        stream_state: &StreamState<Room>,
        outliers: &[Arc<Pdu>],
        past: &Past<'_>,
        taken: &mut TakenPast,
    ) -> Result<bool, HandleError> {
        if let Some(backlog) = self.core.log.backlog() {
            backlog.await;
        }
        let mut slot = stream_state.loaded.lock().await;
        let (mut loaded, mut graph) =
            self.federation.graphs.settled(&self.core, stream_state, &mut slot).await?;
        let origin = || Origin::Server(past.page.origin.clone());
        let mut filling = Filling::default();
        for pdu in outliers {
            if let Verdict::Decided(decided) = graph.graph.receive_outlier(pdu, origin(), false) {
                filling.add(*decided);
            }
            if filling.is_full()
                && !self.flush(stream_state, &mut loaded, &mut graph, &mut filling, past).await?
            {
                return Ok(false);
            }
        }
        if !self.flush(stream_state, &mut loaded, &mut graph, &mut filling, past).await? {
            return Ok(false);
        }
        for event in &past.page.events {
            let redacts = event.pdu.kind == TimelineEventType::RoomRedaction;
            // The target of a redaction needs its place in the log first.
            if (redacts || filling.is_full())
                && !self.flush(stream_state, &mut loaded, &mut graph, &mut filling, past).await?
            {
                return Ok(false);
            }
            let pdu = unless_redacted(&event.pdu, &graph, loaded.state.as_ref());
            let mut event = event.clone();
            event.pdu = pdu;
            let holders = past.holders.get(&event.pdu.event_id).copied();
            let verdict = graph.graph.receive_past(&event, origin(), holders, &self.server_name);
            let mut decided = match verdict {
                Verdict::Decided(decided) => *decided,
                Verdict::Refused(reason) => {
                    tracing::debug!(event = %event.pdu.event_id, reason, "refused history");
                    continue;
                }
                Verdict::Known(_) | Verdict::Missing(_) | Verdict::Crowded => continue,
            };
            if redacts {
                decided.event.envelope.erases = self.erases(&loaded, &decided.event).await?;
                graph.graph.forget(&decided.event.envelope.erases);
            }
            taken.placed += 1;
            filling.add(decided);
            if redacts
                && !self.flush(stream_state, &mut loaded, &mut graph, &mut filling, past).await?
            {
                return Ok(false);
            }
        }
        if !self.flush(stream_state, &mut loaded, &mut graph, &mut filling, past).await? {
            return Ok(false);
        }
        taken.position = Some(loaded.position);
        self.rooms.weigh(&stream_state.stream, loaded.state.as_ref().map_or(0, Room::weight_bytes));
        self.federation.graphs.put(stream_state.stream.clone(), graph);
        *slot = Some(loaded);
        Ok(true)
    }

    async fn flush(
        &self,
        stream_state: &StreamState<Room>,
        loaded: &mut Loaded<Room>,
        graph: &mut RoomGraph,
        filling: &mut Filling,
        past: &Past<'_>,
    ) -> Result<bool, HandleError> {
        let decided = std::mem::take(filling).decided;
        self.commit_stated(stream_state, loaded, graph, decided, past.now).await
    }
}

/// A page on its way into the log.
struct Past<'a> {
    page: &'a PastPage,
    holders: &'a BTreeMap<&'a OwnedEventId, &'a [OwnedEventId]>,
    now: Millis,
}

/// The events of the next commit.
#[derive(Default)]
struct Filling {
    decided: Vec<Decided>,
    bytes: usize,
}

impl Filling {
    fn add(&mut self, decided: Decided) {
        self.bytes += decided.event.pdu.json.len();
        self.decided.push(decided);
    }

    fn is_full(&self) -> bool {
        self.decided.len() >= COMMIT_EVENTS_MAX || self.bytes >= COMMIT_BYTES_ENOUGH
    }
}
