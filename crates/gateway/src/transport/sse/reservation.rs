//! Reservations of event streams: who may open which, once.
//!
//! **Invariant:** there are at most `reservations_max` that nobody has opened; the oldest makes room for a new one, and each is
//! forgotten after `reservation_deadline`. One that was opened lasts as long as its stream.
//! **Invariant:** one stream at a time, and one only, belongs to a reservation.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::Instant;

use super::SINGLE;
use crate::transport::delivery::Line;
use crate::transport::refusal::{Refusal, code};

/// Random bytes of a token: nobody guesses them.
const TOKEN_BYTES: usize = 16;

/// A hash of what a request shows of who sends it.
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
    /// Whether these are the credentials with which it was made.
    pub(super) fn is_of(&self, credentials: Credentials) -> bool {
        // Takes as long whatever differs.
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
pub(in crate::transport) struct Reservations<S> {
    places: Mutex<Places<S>>,
    waiting_max: usize,
    deadline: Duration,
}

struct Places<S> {
    all: HashMap<String, Arc<Reservation<S>>>,
    /// Those that may not have been opened yet, the oldest first.
    waiting: VecDeque<String>,
}

impl<S> Reservations<S> {
    pub(in crate::transport) fn new(waiting_max: usize, deadline: Duration) -> Self {
        let places = Places { all: HashMap::new(), waiting: VecDeque::new() };
        Self { places: Mutex::new(places), waiting_max, deadline }
    }

    /// Makes a reservation, and says its token.
    pub(super) fn reserve(&self, session: S, credentials: Credentials) -> Result<String, Refusal> {
        let token = token()?;
        let reservation = Reservation {
            session,
            credentials,
            made: Instant::now(),
            opened: watch::Sender::new(false),
            line: Arc::new(Mutex::new(Line::new(&SINGLE))),
        };
        let mut places = self.places.lock();
        while let Some(oldest) = places.waiting.front() {
            let done = places.all.get(oldest).is_none_or(|place| *place.opened.borrow());
            let late = places.all.get(oldest).is_some_and(|place| self.is_late(place));
            if !done && !late && places.waiting.len() < self.waiting_max {
                break;
            }
            if let Some(oldest) = places.waiting.pop_front()
                && !done
            {
                places.all.remove(&oldest);
            }
        }
        places.all.insert(token.clone(), Arc::new(reservation));
        places.waiting.push_back(token.clone());
        Ok(token)
    }

    fn is_late(&self, place: &Reservation<S>) -> bool {
        !*place.opened.borrow() && place.made.elapsed() >= self.deadline
    }

    /// Finds a reservation.
    pub(super) fn find(&self, token: &str) -> Result<Arc<Reservation<S>>, Refusal> {
        let found = self.places.lock().all.get(token).map(Arc::clone);
        found.filter(|place| !self.is_late(place)).ok_or_else(unknown)
    }

    /// Opens the stream of a reservation. The reservation is gone once what this gives is dropped.
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
    let message =
        "There is no such reservation, or no longer; make one by PUT, and open its stream by GET.";
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
        Arc::new(Reservations::new(max, deadline))
    }

    fn anyone() -> Credentials {
        blake3::hash(b"")
    }

    #[tokio::test]
    async fn a_reservation_is_opened_once_and_ends_with_its_stream() {
        let all = reservations(9, Duration::from_mins(1));
        let token = all.reserve(7, anyone()).unwrap();
        assert_eq!(token.len(), 2 * TOKEN_BYTES);
        let opened = all.open(&token).unwrap();
        assert_eq!(all.open(&token).err().unwrap().code, code::STREAM_TAKEN);
        assert_eq!(all.find(&token).unwrap().session, 7);
        drop(opened);
        assert_eq!(all.find(&token).err().unwrap().code, code::STREAM_UNKNOWN);
    }

    #[tokio::test]
    async fn the_oldest_that_nobody_opened_makes_room() {
        let all = reservations(3, Duration::from_mins(1));
        let first = all.reserve(0, anyone()).unwrap();
        let held = all.open(&first).unwrap();
        let tokens: Vec<_> = (1..100).map(|n| all.reserve(n, anyone()).unwrap()).collect();
        assert!(all.find(&first).is_ok(), "an open stream is not in the way");
        assert!(all.find(&tokens[98]).is_ok() && all.find(&tokens[96]).is_ok());
        assert!(all.find(&tokens[95]).is_err());
        let places = all.places.lock();
        assert!(places.all.len() <= 4 && places.waiting.len() <= 3);
        drop((places, held));
    }

    #[tokio::test]
    async fn one_that_nobody_opens_is_forgotten() {
        let all = reservations(3, Duration::ZERO);
        let token = all.reserve(0, anyone()).unwrap();
        assert!(all.open(&token).is_err());
        all.reserve(1, anyone()).unwrap();
        assert_eq!(all.places.lock().all.len(), 1);
    }
}
