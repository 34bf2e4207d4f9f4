//! Takes a delivery: the events of one room that another server sent.

use std::sync::Arc;

use rookery_domain::{
    Erased, EventStatus, Fact, Incoming, KnownEvent, Origin, OwnedEventId, Pdu, PublicKeys, Room,
    RoomEvent, RoomId, RoomVersionId, ServerName, TimelineEventType,
};
use rookery_graph::{HeldEvent, Verdict};
use rookery_log::{AppendError, Commit, Millis, Position};
use serde_json::value::RawValue;

use super::{
    HeldBack, Receipt, Received, ServerKeys,
    delivery::{Candidate, Progress},
    graphs::RoomGraph,
};
use crate::{
    Commands, HandleError,
    stream::{
        handle::logged,
        state::{Loaded, StreamState},
    },
};

/// How often a delivery is decided before its sender has to retry.
const ATTEMPTS_MAX: u32 = 3;

/// Most events of one commit; the rest goes into the next.
pub(super) const COMMIT_EVENTS_MAX: usize = 256;

/// How many signatures are checked before the task yields.
pub(super) const PORTION: usize = 4;

/// From this many bytes on a commit takes no more events.
pub(super) const COMMIT_BYTES_ENOUGH: usize = 2 * 1024 * 1024;

/// Why a room does not take an event that opens a branch.
pub(super) const CROWDED: &str = "the room has too many open branches: send an event that follows \
                                  this one and the newest events of the room";

impl Commands {
    /// Takes events of one room from another server. All acceptable events are in the log when this
    /// answers. The receipts are in the order of the events.
    ///
    /// The create event opens an unknown room. Events of such a room wait for it, within bounds. All later events have to arrive too: this server
    /// takes part in a room from the middle of its history only by [`Self::accept_join`].
    ///
    /// # Errors
    /// [`HandleError`] if the log cannot be read or written. Send the events again.
    pub async fn receive(
        &self,
        keys: &dyn ServerKeys,
        origin: &ServerName,
        room_id: &RoomId,
        pdus: &[Box<RawValue>],
        now: Millis,
    ) -> Result<Vec<Receipt>, HandleError> {
        let receipts = self.receive_here(keys, origin, room_id, pdus, now).await?;
        self.take_early(keys, room_id, now).await?;
        Ok(receipts)
    }

    /// Takes the events that came before their room was known, if it is known now.
    pub(super) async fn take_early(
        &self,
        keys: &dyn ServerKeys,
        room_id: &RoomId,
        now: Millis,
    ) -> Result<(), HandleError> {
        let stream_state = self.rooms.state_of(room_id.as_str());
        let has_begun = |room: Option<&Room>| room.is_some_and(Room::has_begun);
        if !self.federation.early.lock().has(room_id)
            || !self.core.read_state(&self.rooms, &stream_state, has_begun).await?
        {
            return Ok(());
        }
        let early = self.federation.early.lock().take(room_id);
        for (origin, pdus) in early {
            self.receive_here(keys, &origin, room_id, &pdus, now).await?;
        }
        Ok(())
    }

    async fn receive_here(
        &self,
        keys: &dyn ServerKeys,
        origin: &ServerName,
        room_id: &RoomId,
        pdus: &[Box<RawValue>],
        now: Millis,
    ) -> Result<Vec<Receipt>, HandleError> {
        let stream_state = self.rooms.state_of(room_id.as_str());
        let known = |room: Option<&Room>| room.and_then(|room| room.version().cloned());
        let known = self.core.read_state(&self.rooms, &stream_state, known).await?;
        let opening = || pdus.iter().find_map(|pdu| Incoming::version_of_create(pdu));
        let Some(version) = known.or_else(opening) else {
            let mut early = self.federation.early.lock();
            let mut receipt = |json: &RawValue| {
                if early.keep(room_id, origin, json) {
                    return Receipt {
                        event_id: None,
                        received: Received::Held { missing: Vec::new() },
                    };
                }
                let why = "the room is not known here, and the event cannot wait: send the create \
                           event of the room first";
                Receipt::refused(None, why)
            };
            return Ok(pdus.iter().map(|json| receipt(json)).collect());
        };
        let mut progress = Progress::new(pdus.len());
        for (place, json) in pdus.iter().enumerate() {
            if place % PORTION == PORTION - 1 {
                // Checking signatures takes long, so other tasks get a turn.
                tokio::task::yield_now().await;
            }
            match self.verified(keys, room_id, &version, json).await {
                Ok(pdu) => {
                    let origin = origin.to_owned();
                    progress.add(Candidate { place: Some(place), pdu, origin, freed_by: None });
                }
                Err(receipt) => progress.receipts[place] = Some(*receipt),
            }
        }
        for _ in 0..ATTEMPTS_MAX {
            match self.take_all(&stream_state, &mut progress, now).await {
                Ok(true) => return Ok(progress.receipts.into_iter().flatten().collect()),
                Ok(false) => progress.unfill(),
                Err(error) => {
                    progress.unfill();
                    self.hold_again(progress);
                    return Err(error);
                }
            }
        }
        self.hold_again(progress);
        Err(HandleError::Contended { attempts: ATTEMPTS_MAX })
    }

    /// The events of a room that wait for others, in the order of their arrival.
    #[must_use]
    pub fn waiting(&self, room_id: &RoomId) -> Vec<HeldEvent> {
        self.federation.held.lock().of_room(room_id)
    }

    /// How many events of other servers wait for others.
    #[must_use]
    pub fn held_back(&self) -> HeldBack {
        self.federation.held.lock().count()
    }

    /// The checks that only need the room's version.
    pub(super) async fn verified(
        &self,
        keys: &dyn ServerKeys,
        room_id: &RoomId,
        version: &RoomVersionId,
        json: &RawValue,
    ) -> Result<Arc<Pdu>, Box<Receipt>> {
        let incoming = read(json, version)?;
        // An event that claims to be from this server is known here, or it is forged. Its
        // signatures prove nothing.
        if incoming.is_from(&self.server_name) {
            return in_room(incoming.unverified(), room_id);
        }
        in_room(signed(keys, incoming).await?, room_id)
    }

    /// The same for events of any server, this one too.
    pub(super) async fn verified_of_all(
        keys: &dyn ServerKeys,
        room_id: &RoomId,
        version: &RoomVersionId,
        json: &RawValue,
    ) -> Result<Arc<Pdu>, Box<Receipt>> {
        in_room(signed(keys, read(json, version)?).await?, room_id)
    }

    /// Decides and appends until no event is left. Returns `false` if another writer came first.
    #[expect(
        clippy::await_holding_invalid_type,
        reason = "mutations and processes run in tasks of their own"
    )]
    pub(super) async fn take_all(
        &self,
        stream_state: &StreamState<Room>,
        progress: &mut Progress,
        now: Millis,
    ) -> Result<bool, HandleError> {
        if let Some(backlog) = self.core.log.backlog() {
            backlog.await;
        }
        let mut slot = stream_state.loaded.lock().await;
        let (mut loaded, mut graph) =
            self.federation.graphs.settled(&self.core, stream_state, &mut slot).await?;
        while !progress.queue.is_empty() {
            self.fill(&mut graph, loaded.state.as_ref(), progress);
            if progress.filled.is_empty() {
                break;
            }
            for (_, decided) in &mut progress.filled {
                decided.event.envelope.erases = self.erases(&loaded, &decided.event).await?;
                graph.graph.forget(&decided.event.envelope.erases);
                let room = loaded.state.as_ref();
                let changes = room.map(|room| room.call_changes(&decided.event));
                decided.event.envelope.calls = changes.unwrap_or_default();
            }
            let facts: Vec<_> = progress
                .filled
                .iter()
                .map(|(_, decided)| Fact::Room(decided.event.clone()))
                .collect();
            match self.append(stream_state, &mut loaded, &facts, now).await {
                Ok(position) => {
                    graph.graph.commit(position.0);
                    (graph.position, graph.last) = (position, loaded.last);
                    progress.committed(position);
                }
                Err(error) => {
                    return match error {
                        AppendError::Conflict { .. } => Ok(false),
                        AppendError::Unfit => Err(HandleError::TooLarge),
                        AppendError::Unavailable(unavailable) => Err(unavailable.into()),
                    };
                }
            }
        }
        self.rooms.weigh(&stream_state.stream, loaded.state.as_ref().map_or(0, Room::weight_bytes));
        self.federation.graphs.put(stream_state.stream.clone(), graph);
        *slot = Some(loaded);
        Ok(true)
    }

    /// Decides events until a commit is full or no event is left.
    fn fill(&self, graph: &mut RoomGraph, room: Option<&Room>, progress: &mut Progress) {
        let mut bytes = 0;
        while progress.filled.len() < COMMIT_EVENTS_MAX && bytes < COMMIT_BYTES_ENOUGH {
            let Some(candidate) = progress.queue.pop_front() else { break };
            let pdu = unless_redacted(&candidate.pdu, graph, room);
            let redacts = pdu.kind == TimelineEventType::RoomRedaction;
            if redacts && !progress.filled.is_empty() {
                // The target of its redaction needs its place in the log first.
                progress.queue.push_front(candidate);
                break;
            }
            let forged = pdu.sender.server_name() == self.server_name
                && graph.graph.status(&pdu.event_id).is_none();
            if forged {
                let why = "it claims to be from this server, and is not";
                progress.answer(&candidate, Received::Refused { reason: why.to_owned() });
                continue;
            }
            let origin = Origin::Server(candidate.origin.clone());
            let mut verdict = graph.graph.receive(&pdu, origin.clone(), false);
            if matches!(verdict, Verdict::Crowded) {
                let held = self.federation.held.lock();
                let awaited =
                    held.ends_a_branch(&pdu.room_id, &pdu.event_id, |id| graph.graph.is_leaf(id));
                drop(held);
                if awaited {
                    verdict = graph.graph.receive(&pdu, origin, true);
                }
            }
            match verdict {
                Verdict::Known(status) => {
                    progress.answer(&candidate, Received::Known { status });
                }
                Verdict::Refused(reason) => {
                    progress.answer(&candidate, Received::Refused { reason });
                }
                Verdict::Crowded => {
                    let reason = CROWDED.to_owned();
                    progress.answer(&candidate, Received::Refused { reason });
                }
                Verdict::Missing(missing) => {
                    let origin = candidate.origin.clone();
                    self.hold(pdu, &origin, &missing);
                    progress.answer(&candidate, Received::Held { missing });
                }
                Verdict::Decided(decided) => {
                    bytes += pdu.json.len();
                    let freed = self.federation.held.lock().arrived(&pdu.room_id, &pdu.event_id);
                    progress.filled.push((candidate, *decided));
                    progress.try_again(freed, &pdu.event_id);
                    if redacts {
                        break;
                    }
                }
            }
        }
    }

    /// The events that a redaction erases: none if it has no effect, or if its target is not shown.
    pub(super) async fn erases(
        &self,
        loaded: &Loaded<Room>,
        event: &RoomEvent,
    ) -> Result<Vec<Erased>, HandleError> {
        let accepted = event.envelope.status == EventStatus::Accepted;
        let Some(room) = loaded.state.as_ref().filter(|_| accepted) else { return Ok(Vec::new()) };
        let Some(target) = room.redaction_target(&event.pdu) else { return Ok(Vec::new()) };
        let known = self.events.known(&[target], &event.pdu.sender, loaded.position).await?;
        let applies =
            |known: &KnownEvent| !known.redacted && room.redaction_applies(&event.pdu, &known.pdu);
        Ok(known.into_iter().filter(applies).flat_map(|known| known.erases).collect())
    }

    /// Appends the decided events, waits for the disk, and folds them.
    pub(crate) async fn append(
        &self,
        stream_state: &StreamState<Room>,
        loaded: &mut Loaded<Room>,
        facts: &[Fact],
        now: Millis,
    ) -> Result<Position, AppendError> {
        let events = facts.iter().map(logged).collect::<Result<_, _>>();
        let events = events.map_err(|_| AppendError::Unfit)?;
        let commit =
            Commit { stream: stream_state.stream.clone(), command: None, received: now, events };
        let last = commit.last_event();
        let appended = self.core.eraser.appending(facts, commit, loaded.guard()).await?;
        loaded.appended(facts, last, appended.position);
        Ok(appended.position)
    }

    /// After a failure: holds events back again until the event that freed them comes again.
    pub(super) fn hold_again(&self, progress: Progress) {
        for Candidate { pdu, origin, freed_by, .. } in progress.queue {
            if let Some(freed_by) = freed_by {
                self.hold(pdu, &origin, &[freed_by]);
            }
        }
    }

    fn hold(&self, pdu: Arc<Pdu>, origin: &ServerName, missing: &[OwnedEventId]) {
        let dropped = self.federation.held.lock().hold(pdu, origin, missing);
        for HeldEvent { pdu, origin, missing } in dropped {
            tracing::warn!(
                event_id = %pdu.event_id, room_id = %pdu.room_id, %origin,
                waited_for = missing.len(),
                "too many events wait for others: dropped one"
            );
        }
    }
}

fn read(json: &RawValue, version: &RoomVersionId) -> Result<Incoming, Box<Receipt>> {
    Incoming::read(json, version)
        .map_err(|error| Box::new(Receipt::refused(None, error.to_string())))
}

/// The event, if all servers that have to sign it have signed it.
async fn signed(keys: &dyn ServerKeys, incoming: Incoming) -> Result<Pdu, Box<Receipt>> {
    let id = incoming.event_id().to_owned();
    let refused = |why: String| Box::new(Receipt::refused(Some(id.clone()), why));
    let signers = incoming.signers().map_err(|error| refused(error.to_string()))?;
    let mut public = PublicKeys::default();
    for (server, key_ids) in &signers {
        for key_id in key_ids {
            match keys.public_key(server, key_id, incoming.sent()).await {
                Ok(key) => key.map(|key| public.insert(server, key_id, key)),
                Err(error) => {
                    return Err(refused(format!(
                        "the keys of {server} are not available now ({error})"
                    )));
                }
            };
        }
    }
    incoming.verify(&public).map_err(|error| refused(error.to_string()))
}

/// The event, if it is one of this room.
fn in_room(pdu: Pdu, room_id: &RoomId) -> Result<Arc<Pdu>, Box<Receipt>> {
    if pdu.room_id == *room_id {
        return Ok(Arc::new(pdu));
    }
    let why = format!("it is an event of the room {}", pdu.room_id);
    Err(Box::new(Receipt::refused(Some(pdu.event_id), why)))
}

/// The event, or its redacted form if its redaction arrived before it.
pub(super) fn unless_redacted(pdu: &Arc<Pdu>, graph: &RoomGraph, room: Option<&Room>) -> Arc<Pdu> {
    let redactions = graph.graph.redactions_of(&pdu.event_id);
    let applies = |room: &&Room| redactions.iter().any(|it| room.redaction_applies(it, pdu));
    let version = room.filter(applies).and_then(Room::version);
    let redacted = version.and_then(|version| pdu.redacted(version).ok());
    redacted.map_or_else(|| Arc::clone(pdu), Arc::new)
}
