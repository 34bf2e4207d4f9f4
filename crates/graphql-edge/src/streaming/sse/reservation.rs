//! Reservations of event streams: each can be opened once by its owner.
//!
//! **Invariant:** there are at most `reservations_max` unopened ones, and one caller has only a
//! share: their own oldest makes room for a new one. When all places are taken, the oldest of the
//! caller with the most makes room. Each is removed after `reservation_deadline`; an opened one
//! lasts as long as its stream.
//! **Invariant:** a reservation has at most one stream, once.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rookery_graphql_documents::{Refusal, code};
use tokio::sync::watch;
use tokio::time::Instant;

use super::SINGLE;
use crate::limits::callers::CallerKey;
use crate::streaming::delivery::Line;

/// Random bytes of a token, too many to guess.
const TOKEN_BYTES: usize = 16;

/// A hash of the credentials of a request.
pub(super) type Credentials = blake3::Hash;

/// A reserved stream.
pub(super) struct Reservation<S> {
    pub(super) session: S,
    credentials: Credentials,
    made: Instant,
    /// Whether the stream has been opened.
    opened: watch::Sender<bool>,
    pub(super) line: Arc<Mutex<Line>>,
}

impl<S> Reservation<S> {
    /// Whether it was made with these credentials.
    pub(super) fn is_of(&self, credentials: Credentials) -> bool {
        // The comparison takes constant time.
        self.credentials == credentials
    }

    /// Resolves once the stream is open, for at most `deadline`.
    pub(super) async fn opened(&self, deadline: Duration) -> Result<(), Refusal> {
        let mut opened = self.opened.subscribe();
        let opened = opened.wait_for(|opened| *opened);
        match tokio::time::timeout(deadline, opened).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(unknown()),
        }
    }
}

/// All reservations of a server.
pub(crate) struct Reservations<S> {
    places: Mutex<Places<S>>,
    waiting_max: usize,
    /// The most reservations of one caller.
    share_max: usize,
    deadline: Duration,
}

struct Places<S> {
    all: HashMap<String, Arc<Reservation<S>>>,
    /// The unopened ones of each caller, oldest first.
    waiting: HashMap<CallerKey, VecDeque<String>>,
    /// The number of all unopened ones.
    count: usize,
}

impl<S> Places<S> {
    /// Removes the oldest of `key` from the line.
    fn pop(&mut self, key: CallerKey) -> Option<String> {
        let own = self.waiting.get_mut(&key)?;
        let oldest = own.pop_front();
        if own.is_empty() {
            self.waiting.remove(&key);
        }
        self.count -= usize::from(oldest.is_some());
        oldest
    }

    /// Removes the oldest of `key`, unless its stream is open.
    fn forget_oldest(&mut self, key: CallerKey) -> Option<String> {
        let oldest = self.pop(key)?;
        if self.all.get(&oldest).is_some_and(|place| !*place.opened.borrow()) {
            self.all.remove(&oldest);
        }
        Some(oldest)
    }
}

impl<S> Reservations<S> {
    pub(crate) fn new(waiting_max: usize, share_max: usize, deadline: Duration) -> Self {
        let places = Places { all: HashMap::new(), waiting: HashMap::new(), count: 0 };
        Self { places: Mutex::new(places), waiting_max, share_max, deadline }
    }

    /// Makes a reservation for `key`, and returns its token.
    pub(super) fn reserve(
        &self,
        key: CallerKey,
        session: S,
        credentials: Credentials,
    ) -> Result<String, Refusal> {
        let token = token()?;
        let reservation = Reservation {
            session,
            credentials,
            made: Instant::now(),
            opened: watch::Sender::new(false),
            line: Arc::new(Mutex::new(Line::new(&SINGLE))),
        };
        let mut places = self.places.lock();
        self.make_room(&mut places, key);
        places.all.insert(token.clone(), Arc::new(reservation));
        places.waiting.entry(key).or_default().push_back(token.clone());
        places.count += 1;
        Ok(token)
    }

    /// Removes opened and expired ones of `key`, and as many as needed for one more.
    fn make_room(&self, places: &mut Places<S>, key: CallerKey) {
        self.forget_done(places, key);
        while places.waiting.get(&key).is_some_and(|own| own.len() >= self.share_max) {
            places.forget_oldest(key);
        }
        if places.count < self.waiting_max {
            return;
        }
        let keys: Vec<_> = places.waiting.keys().copied().collect();
        for key in keys {
            self.forget_done(places, key);
        }
        while places.count >= self.waiting_max {
            let most = places.waiting.iter().max_by_key(|(key, own)| (own.len(), !key.is_user));
            let Some(most) = most.map(|(key, _)| *key) else { break };
            places.forget_oldest(most);
        }
    }

    fn forget_done(&self, places: &mut Places<S>, key: CallerKey) {
        while let Some(oldest) = places.waiting.get(&key).and_then(VecDeque::front) {
            match places.all.get(oldest) {
                Some(place) if *place.opened.borrow() => places.pop(key),
                Some(place) if !self.is_late(place) => break,
                Some(_) | None => places.forget_oldest(key),
            };
        }
    }

    fn is_late(&self, place: &Reservation<S>) -> bool {
        !*place.opened.borrow() && place.made.elapsed() >= self.deadline
    }

    /// Finds a reservation.
    pub(super) fn find(&self, token: &str) -> Result<Arc<Reservation<S>>, Refusal> {
        let found = self.places.lock().all.get(token).map(Arc::clone);
        found.filter(|place| !self.is_late(place)).ok_or_else(unknown)
    }

    /// Opens the stream of a reservation. Dropping the result removes the reservation.
    pub(super) fn open(self: &Arc<Self>, token: &str) -> Result<Opened<S>, Refusal> {
        let place = self.find(token)?;
        if place.opened.send_replace(true) {
            let message =
                "The stream of this reservation is open already; make another reservation.";
            return Err(Refusal::new(code::STREAM_TAKEN, message));
        }
        Ok(Opened { reservations: Arc::clone(self), token: token.to_owned() })
    }
}

/// The stream of a reservation, while it is open.
pub(super) struct Opened<S> {
    reservations: Arc<Reservations<S>>,
    token: String,
}

impl<S> Drop for Opened<S> {
    fn drop(&mut self) {
        self.reservations.places.lock().all.remove(&self.token);
    }
}

pub(super) fn unknown() -> Refusal {
    let message = "There is no such reservation, or it has ended; make one by PUT, and open its \
                   stream by GET.";
    Refusal::new(code::STREAM_UNKNOWN, message)
}

fn token() -> Result<String, Refusal> {
    let mut bytes = [0; TOKEN_BYTES];
    getrandom::fill(&mut bytes).map_err(|error| {
        tracing::error!(%error, "no random bytes for a reservation");
        Refusal::new(code::INTERNAL, "The server cannot make reservations now.")
    })?;
    Ok(bytes.iter().fold(String::new(), |mut token, byte| {
        // Writing into a string does not fail.
        let _ = write!(token, "{byte:02x}");
        token
    }))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn reservations(max: usize, deadline: Duration) -> Arc<Reservations<u8>> {
        Arc::new(Reservations::new(max, 3, deadline))
    }

    fn anyone() -> Credentials {
        blake3::hash(b"")
    }

    fn user(hash: u64) -> CallerKey {
        CallerKey { hash, is_user: true, is_program: false }
    }

    fn reserve(all: &Reservations<u8>, key: CallerKey) -> String {
        all.reserve(key, 7, anyone()).unwrap()
    }

    #[tokio::test]
    async fn a_reservation_is_opened_once_and_ends_with_its_stream() {
        let all = reservations(9, Duration::from_mins(1));
        let token = reserve(&all, user(1));
        assert_eq!(token.len(), 2 * TOKEN_BYTES);
        let opened = all.open(&token).unwrap();
        assert_eq!(all.open(&token).err().unwrap().code, code::STREAM_TAKEN);
        assert_eq!(all.find(&token).unwrap().session, 7);
        drop(opened);
        assert_eq!(all.find(&token).err().unwrap().code, code::STREAM_UNKNOWN);
    }

    #[tokio::test]
    async fn the_oldest_of_its_own_that_nobody_opened_makes_room() {
        let all = reservations(99, Duration::from_mins(1));
        let others = reserve(&all, user(2));
        let first = reserve(&all, user(1));
        let held = all.open(&first).unwrap();
        let tokens: Vec<_> = (1..100).map(|_| reserve(&all, user(1))).collect();
        assert!(all.find(&first).is_ok(), "an open stream is not in the way");
        assert!(all.find(&others).is_ok(), "another caller's is not in the way");
        assert!(all.find(&tokens[98]).is_ok() && all.find(&tokens[96]).is_ok());
        assert!(all.find(&tokens[95]).is_err());
        let places = all.places.lock();
        assert_eq!((places.all.len(), places.count), (5, 4));
        drop((places, held));
    }

    #[tokio::test]
    async fn strangers_with_the_most_make_room_when_all_places_are_taken() {
        let all = reservations(10, Duration::from_mins(1));
        let ada = reserve(&all, user(1));
        for hash in 0..50 {
            reserve(&all, CallerKey { hash, is_user: false, is_program: false });
            reserve(&all, CallerKey { hash, is_user: false, is_program: false });
            assert!(all.find(&ada).is_ok());
        }
        let places = all.places.lock();
        assert_eq!((places.all.len(), places.count), (10, 10));
    }

    #[tokio::test]
    async fn one_that_nobody_opens_is_forgotten() {
        let all = reservations(3, Duration::ZERO);
        let token = reserve(&all, user(1));
        assert!(all.open(&token).is_err());
        reserve(&all, user(1));
        assert_eq!(all.places.lock().all.len(), 1);
    }
}
