//! History from before the events that are here, for users who scroll back to it.
//!
//! **Invariant:** each room has one request at a time. Users who ask for the same history share it.
//! **Invariant:** the work of a user who goes away is done all the same, within its bounds.

use std::{
    collections::{BTreeMap, HashMap},
    num::NonZeroUsize,
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use lru::LruCache;
use parking_lot::Mutex;
use rookery_command::{HandleError, StatedPast};
use rookery_domain::{OwnedEventId, OwnedRoomId, OwnedServerName, Room, RoomId};
use rookery_log::{Millis, Position, Unavailable};
use rookery_rates::{Buckets, Pace};
use rookery_view::Backfill;
use tokio::task::JoinHandle;

use super::States;
use crate::{Federation, client::Remote, home::Home};

/// How many events a server is asked for.
pub(crate) const PAGE_EVENTS: usize = 100;

/// How many servers are asked for one page.
pub(crate) const SERVERS_MAX: usize = 5;

/// How many states are asked for one page.
const STATES_MAX: usize = 10;

/// Most events before which a request asks.
const FROM_MAX: usize = 20;

/// How long a user waits for a page. The work goes on without them.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// How long the servers have for one page.
const PAGE_TIME_MAX: Duration = Duration::from_mins(2);

/// How many pages are fetched to reach a moment.
const PAGES_MAX: usize = 50;

/// How many requests of users wait for the history of one room.
const WAITING_MAX: usize = 16;

/// Pages of one room.
const ROOM_PACE: Pace = Pace { burst: 60, interval: Duration::from_millis(500) };

/// Most rooms whose pages are counted.
const BUCKETS_MAX: usize = 10_000;

/// The rooms whose history is being asked for.
pub(crate) struct Backfills {
    rooms: Mutex<HashMap<OwnedRoomId, Arc<RoomTurn>>>,
    /// The server that gave the last page of a room.
    sources: Mutex<LruCache<OwnedRoomId, OwnedServerName>>,
    buckets: Buckets,
}

/// The turn of a room, with the position of the last page that came in it.
#[derive(Default)]
struct RoomTurn(tokio::sync::Mutex<Option<Position>>);

impl Backfills {
    pub(crate) fn new() -> Self {
        let most = NonZeroUsize::new(BUCKETS_MAX).unwrap_or(NonZeroUsize::MIN);
        let sources = Mutex::new(LruCache::new(most));
        Self { rooms: Mutex::default(), sources, buckets: Buckets::new(BUCKETS_MAX) }
    }

    /// The turn of a room, unless too many wait for it.
    fn turn(&self, room: &RoomId) -> Option<Arc<RoomTurn>> {
        let mut rooms = self.rooms.lock();
        let turn = rooms.entry(room.to_owned()).or_default();
        (Arc::strong_count(turn) <= WAITING_MAX).then(|| Arc::clone(turn))
    }

    /// Forgets a room that nobody waits for.
    fn done(&self, room: &RoomId, turn: Arc<RoomTurn>) {
        let mut rooms = self.rooms.lock();
        drop(turn);
        if rooms.get(room).is_some_and(|turn| Arc::strong_count(turn) == 1) {
            rooms.remove(room);
        }
    }
}

#[async_trait]
impl Backfill for Federation {
    async fn fetch_before(
        &self,
        room: &RoomId,
        before: &[OwnedEventId],
        _limit: usize,
    ) -> Result<Option<Position>, Unavailable> {
        let home = self.shared();
        let (room, before) = (room.to_owned(), before.to_vec());
        within(tokio::spawn(async move { home.backfill(room, before).await })).await
    }

    async fn fetch_back_to(
        &self,
        room: &RoomId,
        at: Millis,
    ) -> Result<Option<Position>, Unavailable> {
        let (home, room) = (self.shared(), room.to_owned());
        within(tokio::spawn(async move { home.backfill_to(room, at).await })).await
    }
}

/// The result of work, if it is there in time. The work goes on otherwise.
async fn within(
    work: JoinHandle<Result<Option<Position>, HandleError>>,
) -> Result<Option<Position>, Unavailable> {
    match tokio::time::timeout(WAIT_MAX, work).await {
        Err(_elapsed) => Ok(None),
        Ok(Ok(Ok(position))) => Ok(position),
        Ok(Ok(Err(error))) => Err(Unavailable { reason: error.to_string().into() }),
        Ok(Err(error)) => Err(Unavailable { reason: error.to_string().into() }),
    }
}

impl Home {
    /// Fetches a page of events before these ones. Returns the position of the last commit, if any came.
    async fn backfill(
        &self,
        room: OwnedRoomId,
        before: Vec<OwnedEventId>,
    ) -> Result<Option<Position>, HandleError> {
        let missing = self.commands.missing_before(&room, &before, FROM_MAX).await?;
        if missing.is_empty() {
            return Ok(None);
        }
        let Some(turn) = self.backfills.turn(&room) else { return Ok(None) };
        let fetched = self.backfill_in_turn(&turn, &room, (&before, missing)).await;
        self.backfills.done(&room, turn);
        fetched
    }

    /// Fetches pages until the first event at a moment is here, or [`PAGES_MAX`] of them.
    async fn backfill_to(
        &self,
        room: OwnedRoomId,
        at: Millis,
    ) -> Result<Option<Position>, HandleError> {
        if self.commands.missing_before(&room, &[], 1).await?.is_empty() {
            return Ok(None);
        }
        let remote = Remote::new(self.transport.clone());
        let mut wanted = None;
        for server in self.sources(&room).await? {
            match remote.event_from(&server, &room, at.0).await {
                Ok(event) => {
                    wanted = Some(event);
                    break;
                }
                Err(error) => tracing::debug!(%room, %error, "cannot find the event of a moment"),
            }
        }
        let Some(wanted) = wanted else { return Ok(None) };
        let mut last = None;
        for _ in 0..PAGES_MAX {
            if self.commands.is_placed(&room, &wanted).await? {
                break;
            }
            let Some(position) = self.backfill(room.clone(), Vec::new()).await? else { break };
            last = Some(position);
        }
        Ok(last)
    }

    #[expect(clippy::await_holding_invalid_type, reason = "it runs in a task of its own")]
    async fn backfill_in_turn(
        &self,
        turn: &RoomTurn,
        room: &OwnedRoomId,
        (before, wanted): (&[OwnedEventId], Vec<OwnedEventId>),
    ) -> Result<Option<Position>, HandleError> {
        let mut last = turn.0.lock().await;
        let missing = self.commands.missing_before(room, before, FROM_MAX).await?;
        if missing != wanted && last.is_some() {
            // Another user has asked for the same events.
            return Ok(*last);
        }
        if self.backfills.buckets.take(Some(ROOM_PACE), room, self.now()).is_err() {
            return Ok(None);
        }
        for server in self.sources(room).await? {
            let fetching = self.page_of(&server, room, &missing);
            match tokio::time::timeout(PAGE_TIME_MAX, fetching).await {
                Ok(Ok(Some(position))) => {
                    self.backfills.sources.lock().put(room.clone(), server);
                    *last = Some(position);
                    return Ok(*last);
                }
                Ok(Ok(None)) | Err(_) => {}
                Ok(Err(error)) => return Err(error),
            }
        }
        Ok(None)
    }

    /// The servers to ask for the history of a room: the last one that had some, then those with the most members.
    async fn sources(&self, room: &OwnedRoomId) -> Result<Vec<OwnedServerName>, HandleError> {
        let count = |room: &Room| {
            let servers = room.servers().map(|(server, count)| (server.to_owned(), count));
            servers.collect::<BTreeMap<_, _>>()
        };
        let mut members = self.look(room, count).await?.unwrap_or_default();
        members.remove(&self.own.server_name);
        let last = self.backfills.sources.lock().get(room).cloned();
        let mut servers: Vec<_> = members.into_iter().collect();
        servers.sort_by_key(|(server, count)| {
            (last.as_ref() != Some(server), std::cmp::Reverse(*count), server.clone())
        });
        Ok(servers.into_iter().map(|(server, _)| server).take(SERVERS_MAX).collect())
    }

    /// Takes a page of history from `server`. `None` if it has no event that leads to those here.
    async fn page_of(
        &self,
        server: &OwnedServerName,
        room: &OwnedRoomId,
        missing: &[OwnedEventId],
    ) -> Result<Option<Position>, HandleError> {
        let remote = Remote::new(self.transport.clone());
        let pdus = match remote.backfill(server, room, missing, PAGE_EVENTS).await {
            Ok(pdus) => pdus,
            Err(error) => {
                tracing::debug!(%room, %error, "cannot fetch history");
                return Ok(None);
            }
        };
        let page = self.commands.connect_past(&self.keys, server, room, &pdus).await?;
        let Some(page) = page.filter(|page| !page.is_empty()) else { return Ok(None) };
        let asking = States { remote, events: self.events() };
        let mut stated = Vec::new();
        let needed: Vec<_> = page
            .needs_states()
            .take(STATES_MAX)
            .map(|(id, auth)| (id.clone(), auth.to_vec()))
            .collect();
        for (id, auth) in needed {
            match asking.before(server, (room, page.version()), (&id, &auth)).await {
                Ok(state) => {
                    let (holders, events) = (state.holders, state.events);
                    stated.push(StatedPast { before: id, holders, events });
                }
                Err(error) => {
                    tracing::debug!(%room, event = %id, %error, "cannot fetch the state before history");
                }
            }
        }
        let now = Millis(self.now());
        let taken = self.commands.receive_past(&self.keys, room, &page, &stated, now).await?;
        Ok(taken.position.filter(|_| taken.placed > 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_that_wait_for_one_room_are_bounded_and_leave_nothing_behind() {
        let backfills = Backfills::new();
        let room = <&RoomId>::try_from("!a:x").expect("a room ID");
        let turns: Vec<_> = (0..2 * WAITING_MAX).filter_map(|_| backfills.turn(room)).collect();
        assert_eq!(turns.len(), WAITING_MAX);
        for turn in turns {
            backfills.done(room, turn);
        }
        assert!(backfills.rooms.lock().is_empty());
    }
}
