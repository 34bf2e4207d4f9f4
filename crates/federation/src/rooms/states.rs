//! The state of a room before an event.

use std::{collections::BTreeMap, num::NonZeroUsize, sync::Arc};

use async_trait::async_trait;
use lru::LruCache;
use rookery_domain::{EventId, OwnedEventId, OwnedRoomId, Pdu, RoomId};
use rookery_graph::Graph;
use rookery_log::{Position, Scope, StreamId, StreamKind, is_last_page};
use rookery_projection::decode;
use rookery_view::Reader;

/// Rooms whose graph is kept between two questions.
const GRAPHS_MAX: usize = 32;

/// How many records are read at once.
const READ_PAGE: usize = 512;

/// The state cannot be told. The reason is for operators.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the state before an event cannot be found: {0}")]
pub struct StatesError(pub String);

/// Says what the state of a room was before an event.
#[async_trait]
pub trait RoomStates: Send + Sync {
    /// The events that held the state of `room` before `event`; `None` if the event is not known in that room.
    ///
    /// # Errors
    /// [`StatesError`] if the room cannot be read, or its states cannot be resolved.
    async fn before(
        &self,
        room: &RoomId,
        event: &EventId,
    ) -> Result<Option<Vec<OwnedEventId>>, StatesError>;
}

/// Folds the graphs of rooms from the log, and keeps the last used ones.
pub struct FoldedStates(Arc<FoldedRooms>);

struct FoldedRooms {
    reader: Reader,
    graphs: tokio::sync::Mutex<LruCache<OwnedRoomId, Folded>>,
}

#[derive(Default)]
struct Folded {
    graph: Graph,
    position: Position,
}

impl FoldedStates {
    /// The states of the rooms of these models.
    #[must_use]
    pub fn new(reader: Reader) -> Self {
        let max = NonZeroUsize::new(GRAPHS_MAX).unwrap_or(NonZeroUsize::MIN);
        let graphs = tokio::sync::Mutex::new(LruCache::new(max));
        Self(Arc::new(FoldedRooms { reader, graphs }))
    }
}

impl FoldedRooms {
    async fn catch_up(&self, room: &RoomId, folded: &mut Folded) -> Result<(), StatesError> {
        let log = Arc::clone(self.reader.models().log());
        let scope = Scope::Stream(StreamId::new(StreamKind::Room, room.as_str()));
        let failed = |error: &dyn std::error::Error| StatesError(error.to_string());
        loop {
            let page =
                log.read(&scope, folded.position, READ_PAGE).await.map_err(|e| failed(&e))?;
            let commits = decode(&*log, &page).await.map_err(|error| failed(&error))?;
            for commit in &commits {
                for (index, event) in commit.room_events() {
                    let index = u16::try_from(index).unwrap_or(u16::MAX);
                    folded.graph.fold(event, commit.position.0, index);
                }
                folded.position = commit.position;
            }
            if is_last_page(&page, READ_PAGE) {
                return Ok(());
            }
        }
    }
}

#[async_trait]
impl RoomStates for FoldedStates {
    async fn before(
        &self,
        room: &RoomId,
        event: &EventId,
    ) -> Result<Option<Vec<OwnedEventId>>, StatesError> {
        let (folded, room, event) = (self.0.clone(), room.to_owned(), event.to_owned());
        let work = tokio::spawn(async move { folded.find(&room, &event).await });
        work.await.map_err(|error| StatesError(error.to_string()))?
    }
}

impl FoldedRooms {
    #[expect(clippy::await_holding_invalid_type, reason = "it runs in a task of its own")]
    async fn find(
        &self,
        room: &RoomId,
        event: &EventId,
    ) -> Result<Option<Vec<OwnedEventId>>, StatesError> {
        let known = {
            let place = self.reader.view().event(event);
            place.map_err(|error| StatesError(error.to_string()))?
        };
        let Some(place) = known.filter(|place| place.room_id == room) else { return Ok(None) };
        let commits = self.reader.commits(vec![place.position]).await;
        let commits = commits.map_err(|error| StatesError(error.to_string()))?;
        let found = commits.get(&place.position).and_then(|it| it.room_event(place.index));
        let Some(found) = found else { return Ok(None) };
        let mut graphs = self.graphs.lock().await;
        let mut folded = graphs.pop(room).unwrap_or_default();
        self.catch_up(room, &mut folded).await?;
        let before = before(&mut folded.graph, &found.pdu);
        graphs.put(room.to_owned(), folded);
        Ok(Some(before))
    }
}

/// The state before an event: that after its only predecessor, or the resolution of those after several ones.
fn before(graph: &mut Graph, pdu: &Pdu) -> Vec<OwnedEventId> {
    let mut states = Vec::new();
    for prev in &pdu.prev_events {
        let state = graph.state_after(prev).into_iter();
        let owned = state.map(|(kind, key, id)| ((kind.to_owned(), key.to_owned()), id));
        states.push(owned.collect::<BTreeMap<_, _>>());
    }
    let Some((first, rest)) = states.split_first() else { return Vec::new() };
    if rest.iter().all(|state| state == first) {
        return first.values().cloned().collect();
    }
    // The state after the event is the resolution, except for the slot of the event itself.
    let own = pdu.state_slot();
    let own = own.as_ref().map(|(kind, key)| (kind.as_str(), *key));
    let mut held: Vec<_> = graph
        .state_after(&pdu.event_id)
        .into_iter()
        .filter(|(kind, key, _)| own != Some((*kind, *key)))
        .map(|(_, _, id)| id)
        .collect();
    let slot = own.map(|(kind, key)| (kind.to_owned(), key.to_owned()));
    let holders = slot.iter().flat_map(|slot| states.iter().filter_map(move |it| it.get(slot)));
    held.extend(holders.max().cloned());
    held
}
