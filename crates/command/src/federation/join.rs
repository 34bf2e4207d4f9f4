//! Events whose history is not here: the join of a user to a room of other servers, and events
//! after a gap.
//!
//! The state before such an event comes from another server. Its events are appended first, as
//! outliers, in commits of bounded size; then the event. Nobody of this server is in a new room until
//! its last commit, so nobody reads half of it.
//!
//! **Invariant:** each event passes the checks of any event: form, signatures, hash, and the rules by
//! its own auth events. An event that fails a check is left out, with all that it authorises.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures_util::future::BoxFuture;
use rookery_domain::{
    Fact, Incoming, Origin, OwnedEventId, Pdu, Room, RoomId, RoomVersionId, ServerName, UserId,
};
use rookery_graph::{Decided, Stated, Verdict, in_order_of_auth};
use rookery_log::{AppendError, Millis, Position};
use serde_json::value::RawValue;

use super::{
    Receipt, Received, ServerKeys,
    delivery::{self, Progress},
    graphs::RoomGraph,
    receive::{COMMIT_BYTES_ENOUGH, COMMIT_EVENTS_MAX},
};
use crate::{
    Commands, HandleError,
    stream::state::{Loaded, StreamState},
};

/// How often a state is taken before the caller has to retry.
const ATTEMPTS_MAX: u32 = 3;

/// Most events of a state and of those that authorise it.
pub const STATED_EVENTS_MAX: usize = 200_000;

/// Most bytes of them.
pub const STATED_BYTES_MAX: usize = 256 * 1024 * 1024;

/// A state that another server stated, with the events that authorise it, as that server sent them.
#[derive(Clone, Copy, Debug)]
pub struct StatedState<'a> {
    /// The server.
    pub origin: &'a ServerName,
    /// The room.
    pub room_id: &'a RoomId,
    /// Its version.
    pub version: &'a RoomVersionId,
    /// The events that hold the slots of the state. Events that are known here can be left out, if
    /// [`Self::holders`] names them.
    pub state: &'a [Box<RawValue>],
    /// The events that authorise those, recursively; known ones can be left out.
    pub auth_chain: &'a [Box<RawValue>],
    /// More holders of the state, by event ID.
    pub holders: &'a [OwnedEventId],
}

/// The state before an event, by event IDs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StateIds {
    /// The events that hold its slots.
    pub state: Vec<OwnedEventId>,
    /// The events that authorise those, recursively.
    pub auth_chain: Vec<OwnedEventId>,
}

/// A checked state.
struct Checked {
    /// No event comes before one that authorises it.
    events: Vec<Arc<Pdu>>,
    holders: Vec<OwnedEventId>,
    /// Events that failed a check.
    dropped: usize,
}

/// The event that follows the state.
struct Follower<'a> {
    pdu: &'a Arc<Pdu>,
    from: Origin,
    begins: bool,
}

impl Commands {
    /// Takes the join of a user of this server to a room of other servers, with the state before
    /// it, as the answer to `send_join` has them. The room is in the log when this answers with
    /// [`Received::Accepted`]; otherwise nobody sees anything of it.
    ///
    /// `keys` has to know the keys of this server too, for earlier memberships of its users.
    /// `join` is the join event, signed by this server. `from` is the device that asked for it. If
    /// the room is known here, the join comes after all events that are here.
    ///
    /// # Errors
    /// [`HandleError`] if the log cannot be read or written. Nothing of the room is shown then; call
    /// this again.
    pub fn accept_join<'a>(
        &'a self,
        keys: &'a dyn ServerKeys,
        stated: &'a StatedState<'_>,
        join: &'a RawValue,
        from: Origin,
        now: Millis,
    ) -> BoxFuture<'a, Result<Receipt, HandleError>> {
        Box::pin(async move { self.take_own(keys, stated, (join, true), from, now).await })
    }

    /// Like [`Self::accept_join`], for a room that another user of this server is in. The stated state
    /// is that before this join alone, and is resolved with the states after the other ends.
    ///
    /// # Errors
    /// As [`Self::accept_join`].
    pub fn accept_join_beside<'a>(
        &'a self,
        keys: &'a dyn ServerKeys,
        stated: &'a StatedState<'_>,
        join: &'a RawValue,
        from: Origin,
        now: Millis,
    ) -> BoxFuture<'a, Result<Receipt, HandleError>> {
        Box::pin(async move { self.take_own(keys, stated, (join, false), from, now).await })
    }

    /// Takes an event of another server that follows events which are not here, with the state
    /// before it, as answers to `state_ids` and `state` have it.
    ///
    /// # Errors
    /// [`HandleError`] if the log cannot be read or written. Call this again.
    pub async fn receive_with_state(
        &self,
        keys: &dyn ServerKeys,
        stated: &StatedState<'_>,
        event: &RawValue,
        now: Millis,
    ) -> Result<Receipt, HandleError> {
        let pdu = match self.verified(keys, stated.room_id, stated.version, event).await {
            Ok(pdu) => pdu,
            Err(receipt) => return Ok(*receipt),
        };
        if pdu.sender.server_name() == self.server_name {
            let why = "it claims to be from this server, and is not here";
            return Ok(Receipt::refused(Some(pdu.event_id.clone()), why));
        }
        let from = Origin::Server(stated.origin.to_owned());
        self.take_stated(keys, stated, Follower { pdu: &pdu, from, begins: false }, now).await
    }

    /// Takes a join that this server made. `begins` says whether the room begins with it here.
    async fn take_own(
        &self,
        keys: &dyn ServerKeys,
        stated: &StatedState<'_>,
        (join, begins): (&RawValue, bool),
        from: Origin,
        now: Millis,
    ) -> Result<Receipt, HandleError> {
        let pdu = match self.own(stated, join) {
            Ok(pdu) => pdu,
            Err(receipt) => return Ok(*receipt),
        };
        self.take_stated(keys, stated, Follower { pdu: &pdu, from, begins }, now).await
    }

    /// The join that this server made.
    fn own(&self, stated: &StatedState<'_>, join: &RawValue) -> Result<Arc<Pdu>, Box<Receipt>> {
        let refused = |id, why: String| Box::new(Receipt::refused(id, why));
        let incoming =
            Incoming::read(join, stated.version).map_err(|it| refused(None, it.to_string()))?;
        let id = incoming.event_id().to_owned();
        let is_ours = incoming.is_from(&self.server_name);
        let pdu = incoming.unverified();
        let own_member = pdu.kind.to_string() == "m.room.member"
            && pdu.state_key.as_deref() == Some(pdu.sender.as_str());
        if !is_ours || !own_member || pdu.room_id != *stated.room_id {
            let why = "it is not the join of a user of this server to this room".to_owned();
            return Err(refused(Some(id), why));
        }
        Ok(Arc::new(pdu))
    }

    async fn take_stated(
        &self,
        keys: &dyn ServerKeys,
        stated: &StatedState<'_>,
        follower: Follower<'_>,
        now: Millis,
    ) -> Result<Receipt, HandleError> {
        let events = stated.state.iter().chain(stated.auth_chain);
        let bytes: usize = events.clone().map(|event| event.get().len()).sum();
        if events.count() > STATED_EVENTS_MAX || bytes > STATED_BYTES_MAX {
            let why = format!(
                "the state of the room is too large: at most {STATED_EVENTS_MAX} events and \
                 {STATED_BYTES_MAX} bytes are taken"
            );
            return Ok(Receipt::refused(Some(follower.pdu.event_id.clone()), why));
        }
        let checked = self.checked(keys, stated).await;
        if checked.dropped > 0 {
            tracing::warn!(
                room_id = %stated.room_id, origin = %stated.origin, dropped = checked.dropped,
                "left out events of a stated state that failed the checks"
            );
        }
        let stream_state = self.rooms.state_of(stated.room_id.as_str());
        for _ in 0..ATTEMPTS_MAX {
            let appended = self.append_stated(&stream_state, stated, &checked, &follower, now);
            if let Some(received) = appended.await? {
                // The server withheld a part of the state, so another one may be asked.
                if !matches!(received, Received::Held { .. }) {
                    self.free(&stream_state, stated.room_id, &follower.pdu.event_id, now).await?;
                }
                self.take_early(keys, stated.room_id, now).await?;
                let event_id = Some(follower.pdu.event_id.clone());
                return Ok(Receipt { event_id, received });
            }
        }
        Err(HandleError::Contended { attempts: ATTEMPTS_MAX })
    }

    /// Takes the events that waited only for this one.
    async fn free(
        &self,
        stream_state: &StreamState<Room>,
        room_id: &RoomId,
        event_id: &OwnedEventId,
        now: Millis,
    ) -> Result<(), HandleError> {
        let freed = self.federation.held.lock().arrived(room_id, event_id);
        let mut progress = Progress::new(0);
        progress.try_again(freed, event_id);
        for _ in 0..ATTEMPTS_MAX {
            if progress.queue.is_empty() || self.take_all(stream_state, &mut progress, now).await? {
                return Ok(());
            }
            progress.unfill();
        }
        self.hold_again(progress);
        Ok(())
    }

    /// The state of a room before an event that follows these events. `None` if the room is not here,
    /// or one of the events has no place in it.
    ///
    /// # Errors
    /// [`HandleError`] if the log cannot be read.
    #[expect(
        clippy::await_holding_invalid_type,
        reason = "requests of other servers run in tasks of their own"
    )]
    pub async fn state_before(
        &self,
        room_id: &RoomId,
        prev_events: &[OwnedEventId],
    ) -> Result<Option<StateIds>, HandleError> {
        let stream_state = self.rooms.state_of(room_id.as_str());
        let mut slot = stream_state.loaded.lock().await;
        let (loaded, mut graph) =
            self.federation.graphs.settled(&self.core, &stream_state, &mut slot).await?;
        let found = graph.graph.state_before(prev_events);
        self.federation.graphs.put(stream_state.stream.clone(), graph);
        *slot = Some(loaded);
        Ok(found.map(|(state, auth_chain)| StateIds { state, auth_chain }))
    }

    /// Checks the events of a state by themselves, and orders them.
    async fn checked(&self, keys: &dyn ServerKeys, stated: &StatedState<'_>) -> Checked {
        let (mut events, mut holders, mut dropped) = (BTreeMap::new(), BTreeSet::new(), 0);
        for (number, event) in stated.state.iter().chain(stated.auth_chain).enumerate() {
            let holds = number < stated.state.len();
            if number % super::receive::PORTION == super::receive::PORTION - 1 {
                tokio::task::yield_now().await;
            }
            match Self::verified_of_all(keys, stated.room_id, stated.version, event).await {
                Ok(pdu) => {
                    if holds {
                        holders.insert(pdu.event_id.clone());
                    }
                    events.entry(pdu.event_id.clone()).or_insert(pdu);
                }
                Err(_) => dropped += 1,
            }
        }
        holders.extend(stated.holders.iter().cloned());
        let events = in_order_of_auth(&events);
        Checked { events, holders: holders.into_iter().collect(), dropped }
    }

    /// Appends the events that are not here, then the one that follows them. Returns `None` if
    /// another writer came first.
    #[expect(
        clippy::await_holding_invalid_type,
        reason = "mutations and processes run in tasks of their own"
    )]
    async fn append_stated(
        &self,
        stream_state: &StreamState<Room>,
        stated: &StatedState<'_>,
        checked: &Checked,
        follower: &Follower<'_>,
        now: Millis,
    ) -> Result<Option<Received>, HandleError> {
        if let Some(backlog) = self.core.log.backlog() {
            backlog.await;
        }
        let mut slot = stream_state.loaded.lock().await;
        let (mut loaded, mut graph) =
            self.federation.graphs.settled(&self.core, stream_state, &mut slot).await?;
        let has_begun = loaded.state.as_ref().is_some_and(Room::has_begun);
        let origin = Origin::Server(stated.origin.to_owned());
        let holders: BTreeSet<_> = checked.holders.iter().collect();
        let (mut filled, mut bytes, mut refused) = (Vec::new(), 0, BTreeSet::new());
        for pdu in &checked.events {
            // The members of this server are told of their membership by the join alone.
            let is_ours = pdu.state_key.as_deref().is_some_and(|key| self.is_our_user(key));
            let holds = !has_begun && !is_ours && holders.contains(&pdu.event_id);
            match graph.graph.receive_outlier(pdu, origin.clone(), holds) {
                Verdict::Decided(decided) => {
                    bytes += pdu.json.len();
                    filled.push(*decided);
                }
                Verdict::Known(_) => {}
                Verdict::Missing(_) | Verdict::Refused(_) | Verdict::Crowded => {
                    refused.insert(&pdu.event_id);
                }
            }
            if filled.len() >= COMMIT_EVENTS_MAX || bytes >= COMMIT_BYTES_ENOUGH {
                let full = std::mem::take(&mut filled);
                bytes = 0;
                if !self.commit_stated(stream_state, &mut loaded, &mut graph, full, now).await? {
                    return Ok(None);
                }
            }
        }
        if !self.commit_stated(stream_state, &mut loaded, &mut graph, filled, now).await? {
            return Ok(None);
        }
        // A holder that failed its checks leaves its slot empty.
        let known = |id: &&OwnedEventId| !refused.contains(id);
        let holders: Vec<_> = checked.holders.iter().filter(known).cloned().collect();
        let stated = Stated { holders: &holders, begins: follower.begins };
        let verdict = graph.graph.receive_stated(follower.pdu, follower.from.clone(), &stated);
        let received = match verdict {
            Verdict::Known(status) => Received::Known { status },
            Verdict::Missing(missing) => Received::Held { missing },
            Verdict::Refused(reason) => Received::Refused { reason },
            Verdict::Crowded => Received::Refused { reason: super::receive::CROWDED.to_owned() },
            Verdict::Decided(mut decided) => {
                let room = loaded.state.as_ref();
                let changes = room.map(|room| room.call_changes(&decided.event));
                decided.event.envelope.calls = changes.unwrap_or_default();
                let (event, reason) = (decided.event.clone(), decided.reason.clone());
                let appended =
                    self.commit_stated(stream_state, &mut loaded, &mut graph, vec![*decided], now);
                if !appended.await? {
                    return Ok(None);
                }
                delivery::received(&event, reason, graph.position)
            }
        };
        self.rooms.weigh(&stream_state.stream, loaded.state.as_ref().map_or(0, Room::weight_bytes));
        self.federation.graphs.put(stream_state.stream.clone(), graph);
        *slot = Some(loaded);
        Ok(Some(received))
    }

    fn is_our_user(&self, state_key: &str) -> bool {
        <&UserId>::try_from(state_key).is_ok_and(|user| user.server_name() == self.server_name)
    }

    /// Appends one commit. Returns `false` if another writer came first.
    pub(super) async fn commit_stated(
        &self,
        stream_state: &StreamState<Room>,
        loaded: &mut Loaded<Room>,
        graph: &mut RoomGraph,
        decided: Vec<Decided>,
        now: Millis,
    ) -> Result<bool, HandleError> {
        if decided.is_empty() {
            return Ok(true);
        }
        let facts: Vec<_> = decided.into_iter().map(|decided| Fact::Room(decided.event)).collect();
        let appended: Result<Position, _> = self.append(stream_state, loaded, &facts, now).await;
        match appended {
            Ok(position) => {
                graph.graph.commit(position.0);
                (graph.position, graph.last) = (position, loaded.last);
                Ok(true)
            }
            Err(AppendError::Conflict { .. }) => Ok(false),
            Err(AppendError::Unfit) => Err(HandleError::TooLarge),
            Err(AppendError::Unavailable(unavailable)) => Err(unavailable.into()),
        }
    }
}
