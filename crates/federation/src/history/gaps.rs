//! The rooms whose events wait for others, by the server that sent them.
//!
//! **Invariant:** each server has one search at a time, so a server that stalls delays its own events alone.
//! **Invariant:** the rooms of a server, the searches at the same time, and the searches for each server and room in a
//! given time are bounded.
//! **Invariant:** events that wait are searched for again, also after a restart, until they are here or too many
//! searches failed.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use rookery_domain::{OwnedRoomId, OwnedServerName};
use rookery_log::Millis;
use rookery_rates::{Buckets, Draw, Pace};
use tokio::{sync::Notify, task::JoinSet};

use super::{
    States,
    fetch::{Fetch, SEARCH_TIME_MAX},
};
use crate::{client::Remote, home::Home, rooms::servers};

/// Most rooms of one server with waiting events.
const ROOMS_MAX: usize = 1_000;

/// Most searches at the same time.
const SEARCHES_MAX: usize = 32;

/// After this many searches in a row that found nothing, a room waits for the next event of the server.
const TRIES_MAX: u32 = 24;

/// Searches of one server.
pub(crate) const SERVER_PACE: Pace = Pace { burst: 100, interval: Duration::from_secs(1) };

/// Searches of one server for one room.
pub(crate) const ROOM_PACE: Pace = Pace { burst: 20, interval: Duration::from_secs(10) };

/// Most servers and rooms whose searches are counted.
const BUCKETS_MAX: usize = 20_000;

/// How many servers of a room are asked in turn.
const SERVERS_MAX: usize = 4;

/// How long the searches pause after an error of this server.
const PAUSE: Duration = Duration::from_secs(1);

/// The rooms with waiting events.
pub(crate) struct Gaps {
    origins: Mutex<HashMap<OwnedServerName, Rooms>>,
    buckets: Buckets,
    changed: Notify,
}

#[derive(Default)]
struct Rooms {
    due: BTreeMap<OwnedRoomId, Due>,
    is_searching: bool,
}

#[derive(Clone, Copy)]
struct Due {
    at: u64,
    tries: u32,
    /// Whether an event of the server came during the search.
    again: bool,
}

/// A search that may begin.
struct Search {
    origin: OwnedServerName,
    room: OwnedRoomId,
    tries: u32,
}

impl Gaps {
    pub(crate) fn new() -> Self {
        Self {
            origins: Mutex::default(),
            buckets: Buckets::new(BUCKETS_MAX),
            changed: Notify::new(),
        }
    }

    /// Events of a room that a server sent wait for others.
    pub(crate) fn search(&self, origin: &OwnedServerName, room: &OwnedRoomId, now: u64) {
        let mut origins = self.origins.lock();
        let rooms = origins.entry(origin.clone()).or_default();
        if let Some(due) = rooms.due.get_mut(room) {
            (due.at, due.tries, due.again) = (now, 0, true);
        } else if rooms.due.len() < ROOMS_MAX {
            rooms.due.insert(room.clone(), Due { at: now, tries: 0, again: false });
        }
        drop(origins);
        self.changed.notify_one();
    }

    /// The searches that may begin now, and when the next one may.
    fn next(&self, now: u64, most: usize) -> (Vec<Search>, Option<u64>) {
        let mut origins = self.origins.lock();
        origins.retain(|_, rooms| rooms.is_searching || !rooms.due.is_empty());
        let (mut found, mut wake) = (Vec::new(), None::<u64>);
        for (origin, rooms) in origins.iter_mut().filter(|(_, rooms)| !rooms.is_searching) {
            let first = rooms.due.iter_mut().min_by_key(|(_, due)| due.at);
            let Some((room, due)) = first else { continue };
            if due.at <= now {
                if found.len() >= most {
                    // The end of a search wakes the others.
                    continue;
                }
                let draws = [
                    Draw { pace: SERVER_PACE, key: (origin.as_str(), ""), count: 1 },
                    Draw { pace: ROOM_PACE, key: (origin.as_str(), room.as_str()), count: 1 },
                ];
                match self.buckets.take_all(draws.into_iter(), now) {
                    Ok(()) => {
                        (due.again, rooms.is_searching) = (false, true);
                        let (origin, room) = (origin.clone(), room.clone());
                        found.push(Search { origin, room, tries: due.tries });
                        continue;
                    }
                    Err((_, wait)) => due.at = now + millis(wait).max(1),
                }
            }
            wake = Some(wake.map_or(due.at, |wake| wake.min(due.at)));
        }
        (found, wake)
    }

    /// Ends a search. Events that still wait are searched for again at `at`; `None` if nothing waits.
    fn end(&self, search: &Search, at: Option<u64>, now: u64) {
        let mut origins = self.origins.lock();
        let Some(rooms) = origins.get_mut(&search.origin) else { return };
        rooms.is_searching = false;
        let tries = search.tries + 1;
        if let Some(due) = rooms.due.get_mut(&search.room) {
            match at.filter(|_| tries < TRIES_MAX) {
                _ if due.again => *due = Due { at: now, tries: 0, again: false },
                Some(at) => *due = Due { at, tries, again: false },
                None => {
                    rooms.due.remove(&search.room);
                }
            }
        }
        drop(origins);
        self.changed.notify_one();
    }
}

fn millis(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}

impl Home {
    /// Takes the events again that waited before the last stop, and searches until this is dropped.
    pub(crate) async fn search_gaps(self: &Arc<Self>) {
        while let Err(error) = self.take_waiting().await {
            tracing::warn!(%error, "cannot take the events again that waited");
            tokio::time::sleep(PAUSE).await;
        }
        let mut searches = JoinSet::new();
        loop {
            while searches.try_join_next().is_some() {}
            let now = self.now();
            let (found, wake) = self.gaps.next(now, SEARCHES_MAX - searches.len());
            for search in found {
                let home = Arc::clone(self);
                searches.spawn(async move { home.search_gap(search).await });
            }
            let until = Duration::from_millis(wake.map_or(60_000, |wake| wake.saturating_sub(now)));
            tokio::select! {
                () = self.gaps.changed.notified() => {}
                () = tokio::time::sleep(until) => {}
            }
        }
    }

    async fn take_waiting(&self) -> Result<(), String> {
        let stored = self.store.waiting().await.map_err(|error| error.to_string())?;
        for waiting in stored {
            let (origin, room, now) = (&waiting.origin, &waiting.room, self.now());
            let taken =
                self.commands.receive(&self.keys, origin, room, &waiting.events, Millis(now)).await;
            taken.map_err(|error| error.to_string())?;
            self.gaps.search(origin, room, now);
        }
        Ok(())
    }

    async fn search_gap(&self, search: Search) {
        let searched = tokio::time::timeout(SEARCH_TIME_MAX, self.run_search(&search)).await;
        let is_done = match searched {
            Ok(Ok(is_done)) => is_done,
            Ok(Err(error)) => {
                tracing::warn!(room = %search.room, %error, "cannot take missing events");
                false
            }
            Err(_elapsed) => false,
        };
        let (now, tries) = (self.now(), search.tries + 1);
        let at = (!is_done).then(|| now + self.pauses.after_millis(tries));
        let waiting: BTreeSet<_> = self.waiting_of(&search).collect();
        let place = (search.origin.clone(), search.room.clone());
        if let Err(error) = self.store.keep_waiting(place, Vec::new(), waiting).await {
            tracing::warn!(%error, "cannot forget events that wait no more");
        }
        self.gaps.end(&search, at, self.now());
    }

    fn waiting_of(&self, search: &Search) -> impl Iterator<Item = rookery_domain::OwnedEventId> {
        let waiting = self.commands.waiting(&search.room).into_iter();
        let origin = search.origin.clone();
        waiting.filter(move |it| it.origin == origin).map(|it| it.pdu.event_id.clone())
    }

    async fn run_search(&self, search: &Search) -> Result<bool, rookery_command::HandleError> {
        let Search { origin, room, tries } = search;
        let servers = self.look(room, servers).await?.unwrap_or_default();
        // A server without members in the room is not asked: a request would tell it about the room. The other servers
        // are asked for what its events wait for.
        let others = servers.iter().filter(|it| *it != origin && **it != self.own.server_name);
        let own = servers.contains(origin).then_some(origin);
        let turns: Vec<_> = own.into_iter().chain(others).take(SERVERS_MAX).collect();
        let Some(server) = turns.get(*tries as usize % turns.len().max(1)) else {
            return Ok(false);
        };
        let remote = Remote::new(self.transport.clone());
        let states = States { remote: remote.clone(), events: self.events() };
        let (commands, keys, now) = (&*self.commands, &self.keys, self.now());
        let fetch = Fetch { commands, keys, remote, states, now };
        let run: Pin<Box<dyn Future<Output = _> + Send + '_>> =
            Box::pin(fetch.run(server, origin, room));
        run.await
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    fn names(origin: &str, room: &str) -> (OwnedServerName, OwnedRoomId) {
        (origin.try_into().unwrap(), room.try_into().unwrap())
    }

    fn begun(gaps: &Gaps, now: u64) -> Vec<Search> {
        gaps.next(now, SEARCHES_MAX).0
    }

    #[test]
    fn a_server_has_one_search_at_a_time_and_others_do_not_wait_for_it() {
        let gaps = Gaps::new();
        for (origin, room) in [("a.example", "!a:x"), ("a.example", "!b:x"), ("b.example", "!a:x")]
        {
            let (origin, room) = names(origin, room);
            gaps.search(&origin, &room, 1);
        }
        let first = begun(&gaps, 1);
        let of: BTreeSet<_> = first.iter().map(|it| it.origin.as_str()).collect();
        assert_eq!((first.len(), of.len()), (2, 2));
        assert!(begun(&gaps, 1).is_empty());
        let of_a = first.iter().find(|it| it.origin == "a.example").unwrap();
        gaps.end(of_a, None, 1);
        let second = begun(&gaps, 1);
        assert_eq!(second.len(), 1);
        assert_ne!(second[0].room, of_a.room);
    }

    #[test]
    fn a_room_is_searched_again_later_and_not_for_ever() {
        let gaps = Gaps::new();
        let (origin, room) = names("a.example", "!a:x");
        gaps.search(&origin, &room, 0);
        let (mut now, mut tries) = (0, 0);
        loop {
            let search = begun(&gaps, now).pop();
            let Some(search) = search else { break };
            tries += 1;
            gaps.end(&search, Some(now + 60_000), now);
            assert!(begun(&gaps, now).is_empty(), "not before its time");
            now += 60_000;
        }
        assert_eq!(tries, TRIES_MAX);
        gaps.search(&origin, &room, now);
        assert_eq!(begun(&gaps, now).len(), 1, "a new event begins again");
    }

    #[test]
    fn an_event_that_comes_during_a_search_is_searched_for() {
        let gaps = Gaps::new();
        let (origin, room) = names("a.example", "!a:x");
        gaps.search(&origin, &room, 0);
        let search = begun(&gaps, 0).pop().unwrap();
        gaps.search(&origin, &room, 1);
        gaps.end(&search, None, 2);
        assert_eq!(begun(&gaps, 2).len(), 1);
    }

    #[test]
    fn searches_have_a_rate_for_each_room_and_for_each_server() {
        let gaps = Gaps::new();
        let mut searches = 0;
        for round in 0..1_000_u32 {
            let (origin, room) = names("a.example", &format!("!{}:x", round % 2));
            gaps.search(&origin, &room, 0);
            for search in begun(&gaps, 0) {
                searches += 1;
                gaps.end(&search, None, 0);
            }
        }
        assert_eq!(searches, 2 * ROOM_PACE.burst);
        let (origin, room) = names("b.example", "!0:x");
        gaps.search(&origin, &room, 0);
        assert_eq!(begun(&gaps, 0).len(), 1, "the budget of another server is whole");
    }

    #[test]
    fn rooms_of_a_server_are_bounded_and_idle_servers_take_no_memory() {
        let gaps = Gaps::new();
        for number in 0..ROOMS_MAX + 10 {
            let (origin, room) = names("a.example", &format!("!{number}:x"));
            gaps.search(&origin, &room, 0);
        }
        assert_eq!(
            gaps.origins.lock().values().map(|rooms| rooms.due.len()).sum::<usize>(),
            ROOMS_MAX
        );
        gaps.origins.lock().values_mut().for_each(|rooms| rooms.due.clear());
        assert!(begun(&gaps, 0).is_empty());
        assert!(gaps.origins.lock().is_empty());
    }
}
