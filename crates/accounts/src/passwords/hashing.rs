//! Password hashing: slow on purpose, so few at a time and never on an async thread.
//!
//! **Invariant:** at most `hashes_at_once` hashes run and at most `hashes_waiting_max` wait, even
//! if their callers have gone away.
//! **Invariant:** waiting callers take turns by network and by user name (see `turns`), so no
//! client can keep others from logging in.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use argon2::{Params, PasswordHash, password_hash::SaltString};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::{
    Password, Unavailable,
    logins::turns::{Asked, Asker, Turns},
    passwords::{secret::fill_random, workspace::Workspaces},
};

/// The time to wait that a client gets when the queue is full.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// Longest wait for a turn. A client is asked to retry before its request times out.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// Longest time that [`Hashing::pretend`] takes, in microseconds.
const USUAL_MICROS_MAX: u64 = 1_000_000;

/// The cost of hashing a password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HashCost {
    /// argon2id with 19 MiB, 2 passes, 1 lane.
    ///
    /// Source: OWASP Password Storage Cheat Sheet, argon2id.
    #[default]
    Owasp,
    /// Almost free: only for tests.
    ForTests,
}

impl HashCost {
    fn params(self) -> Params {
        match self {
            Self::Owasp => Params::new(19 * 1024, 2, 1, None),
            Self::ForTests => Params::new(Params::MIN_M_COST, 1, 1, None),
        }
        .expect("constant parameters within the limits of argon2")
    }
}

/// A password was not hashed.
pub(crate) enum HashError {
    /// The queue is full.
    Busy {
        retry_after: Duration,
    },
    Unavailable(Unavailable),
}

/// Hashes and verifies passwords.
pub(crate) struct Hashing {
    params: Params,
    workspaces: Arc<Workspaces>,
    /// Replaces the hash of a user who does not exist: no password fits it.
    nobody: Arc<str>,
    line: Arc<Line>,
    /// The recent duration of a wait and a hash, in microseconds.
    usual_micros: AtomicU64,
}

/// The running and the waiting hashes.
struct Line {
    at_once: usize,
    state: Mutex<State>,
    workspaces: Arc<Workspaces>,
}

struct State {
    running: usize,
    turns: Turns<oneshot::Sender<HashPermit>>,
}

/// The right to hash one password. Dropping it calls the next waiting caller.
struct HashPermit(Arc<Line>);

/// A place in the queue. Dropping it leaves the queue.
struct QueuePlace {
    line: Arc<Line>,
    ticket: u64,
    called: oneshot::Receiver<HashPermit>,
}

impl Hashing {
    pub(crate) fn new(cost: HashCost, at_once: usize, waiting_max: usize) -> Self {
        let params = cost.params();
        let nobody = format!(
            "$argon2id$v=19$m={},t={},p={}${}${}",
            params.m_cost(),
            params.t_cost(),
            params.p_cost(),
            STANDARD_NO_PAD.encode([0; 16]),
            STANDARD_NO_PAD.encode([0; 32]),
        );
        let workspaces = Arc::<Workspaces>::default();
        let state = Mutex::new(State { running: 0, turns: Turns::new(waiting_max) });
        let line = Line { at_once: at_once.max(1), state, workspaces: Arc::clone(&workspaces) };
        Self {
            params,
            workspaces,
            nobody: nobody.into(),
            line: Arc::new(line),
            usual_micros: AtomicU64::new(0),
        }
    }

    /// The hash of `password` with a new salt, as a PHC string.
    pub(crate) async fn hash(&self, password: Password, asker: Asker) -> Result<String, HashError> {
        let (params, workspaces) = (self.params.clone(), self.workspaces.clone());
        self.run(asker, move || {
            let mut bytes = [0; 16];
            fill_random(&mut bytes)?;
            let hash = SaltString::encode_b64(&bytes)
                .and_then(|salt| workspaces.hash(&params, password.expose(), &salt));
            hash.map_err(|error| Unavailable::new(format!("cannot hash a password: {error}")))
        })
        .await
    }

    /// Whether `password` fits `hash`. Without a hash the answer is no, after the same time.
    pub(crate) async fn verify(
        &self,
        password: Password,
        hash: Option<String>,
        asker: Asker,
    ) -> Result<bool, HashError> {
        let (nobody, workspaces) = (self.nobody.clone(), self.workspaces.clone());
        let started = Instant::now();
        let fits = self
            .run(asker, move || {
                let stored = hash.as_deref().unwrap_or(&nobody);
                let fits = PasswordHash::new(stored)
                    .and_then(|parsed| workspaces.fits(password.expose(), &parsed));
                let fits = fits.map_err(|error| {
                    Unavailable::new(format!("a stored hash is damaged: {error}"))
                })?;
                Ok(fits && hash.is_some())
            })
            .await;
        if fits.is_ok() {
            let took = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.usual_micros.store(took.min(USUAL_MICROS_MAX), Ordering::Relaxed);
        }
        fits
    }

    /// Takes as long as a recent verification, without verifying.
    pub(crate) async fn pretend(&self) {
        let usual = self.usual_micros.load(Ordering::Relaxed);
        tokio::time::sleep(Duration::from_micros(usual)).await;
    }

    async fn run<T: Send + 'static>(
        &self,
        asker: Asker,
        work: impl FnOnce() -> Result<T, Unavailable> + Send + 'static,
    ) -> Result<T, HashError> {
        let turn = self.line.turn(asker).await?;
        // The turn belongs to the work, which outlives a caller that gives up.
        let work = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        let gone = |_| HashError::Unavailable(Unavailable::new("the server is shutting down"));
        work.await.map_err(gone)?.map_err(HashError::Unavailable)
    }

    /// Blocks all other callers, as if `at_once` passwords were being hashed.
    #[cfg(test)]
    pub(crate) fn stall(&self) -> impl Drop + use<> {
        self.line.state.lock().running += self.line.at_once;
        Stalled(Arc::clone(&self.line))
    }
}

#[cfg(test)]
struct Stalled(Arc<Line>);

#[cfg(test)]
impl Drop for Stalled {
    fn drop(&mut self) {
        for _ in 0..self.0.at_once {
            drop(HashPermit(Arc::clone(&self.0)));
        }
    }
}

impl Line {
    /// Waits for a turn.
    async fn turn(self: &Arc<Self>, asker: Asker) -> Result<HashPermit, HashError> {
        let busy = || HashError::Busy { retry_after: RETRY_AFTER };
        let (call, called) = oneshot::channel();
        let mut place = {
            let mut state = self.state.lock();
            if state.running < self.at_once && state.turns.len() == 0 {
                state.running += 1;
                return Ok(HashPermit(Arc::clone(self)));
            }
            match state.turns.ask(&asker, call) {
                // An entry that has to leave learns it because its ticket is dropped.
                Asked::Waits(ticket, _leaves) => {
                    QueuePlace { line: Arc::clone(self), ticket, called }
                }
                Asked::Refused(_) => return Err(busy()),
            }
        };
        match tokio::time::timeout(WAIT_MAX, &mut place.called).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(busy()),
        }
    }

    /// Calls the entries that have a turn now.
    fn call_next(self: &Arc<Self>) {
        loop {
            let call = {
                let mut state = self.state.lock();
                if state.running >= self.at_once {
                    return;
                }
                let Some(call) = state.turns.next() else { return };
                state.running += 1;
                call
            };
            // A caller that has just gone away returns the turn, which calls the next.
            drop(call.send(HashPermit(Arc::clone(self))));
        }
    }
}

impl Drop for HashPermit {
    fn drop(&mut self) {
        let idle = {
            let mut state = self.0.state.lock();
            state.running -= 1;
            state.running == 0 && state.turns.len() == 0
        };
        if idle {
            self.0.workspaces.clear();
        }
        self.0.call_next();
    }
}

impl Drop for QueuePlace {
    fn drop(&mut self) {
        // The removed entry is dropped after the lock.
        let left = self.line.state.lock().turns.leave(self.ticket);
        drop(left);
    }
}

#[cfg(test)]
mod tests {
    use rookery_rates::Network;

    use super::*;

    fn hashing(waiting_max: usize) -> Hashing {
        Hashing::new(HashCost::ForTests, 1, waiting_max)
    }

    fn asker(network: u8) -> Asker {
        Asker { network: Some(Network::of([192, 0, 2, network].into())), name: "ada".into() }
    }

    async fn verify(hashing: &Hashing, password: &str, hash: Option<String>) -> bool {
        let fits = hashing.verify(Password::new(password), hash, asker(1)).await;
        fits.unwrap_or_else(|_| panic!("hashes"))
    }

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let hashing = hashing(1);
        let hash = hashing.hash(Password::new("correct horse"), asker(1)).await.ok();
        assert!(verify(&hashing, "correct horse", hash.clone()).await);
        assert!(!verify(&hashing, "battery staple", hash).await);
        assert!(!verify(&hashing, "correct horse", None).await);
    }

    #[tokio::test]
    async fn the_same_password_gets_another_hash_each_time() {
        let hashing = hashing(1);
        let one = hashing.hash(Password::new("correct horse"), asker(1)).await.ok();
        let other = hashing.hash(Password::new("correct horse"), asker(1)).await.ok();
        assert!(one.is_some() && one != other);
    }

    #[test]
    fn the_default_is_what_owasp_recommends() {
        let params = HashCost::default().params();
        assert_eq!((params.m_cost(), params.t_cost(), params.p_cost()), (19_456, 2, 1));
    }

    #[test]
    fn nobody_costs_as_much_as_somebody() {
        for cost in [HashCost::Owasp, HashCost::ForTests] {
            let hashing = Hashing::new(cost, 1, 1);
            let parsed = PasswordHash::new(&hashing.nobody).expect("a PHC string");
            let params = Params::try_from(&parsed).expect("parameters");
            assert_eq!((params.m_cost(), params.t_cost()), {
                let expected = cost.params();
                (expected.m_cost(), expected.t_cost())
            });
            assert_eq!(parsed.hash.map(|hash| hash.len()), Some(Params::DEFAULT_OUTPUT_LEN));
        }
    }

    async fn until_waiting(hashing: &Hashing, waiting: usize) {
        while hashing.line.state.lock().turns.len() < waiting {
            tokio::task::yield_now().await;
        }
    }

    fn start(hashing: &Arc<Hashing>, network: u8) -> tokio::task::JoinHandle<Option<bool>> {
        let hashing = Arc::clone(hashing);
        tokio::spawn(async move {
            let fits = hashing.verify(Password::new("correct horse"), None, asker(network)).await;
            fits.ok()
        })
    }

    #[tokio::test]
    async fn a_full_queue_says_when_to_retry() {
        let hashing = Arc::new(hashing(2));
        let stalled = hashing.stall();
        let waiting = [1, 1].map(|network| start(&hashing, network));
        until_waiting(&hashing, 2).await;
        let refused = hashing.verify(Password::new("correct horse"), None, asker(1)).await;
        assert!(matches!(refused, Err(HashError::Busy { retry_after }) if !retry_after.is_zero()));
        drop(stalled);
        for task in waiting {
            assert_eq!(task.await.expect("runs"), Some(false));
        }
        assert!(!verify(&hashing, "correct horse", None).await, "there is room again");
    }

    #[tokio::test]
    async fn one_network_that_asks_for_all_places_keeps_no_other_out() {
        let hashing = Arc::new(hashing(8));
        let stalled = hashing.stall();
        let guesses: Vec<_> = (0..120).map(|_| start(&hashing, 1)).collect();
        until_waiting(&hashing, 8).await;
        let others: Vec<_> = (2..6).map(|network| start(&hashing, network)).collect();
        while (2..6).any(|network| {
            let state = hashing.line.state.lock();
            !state.turns.has(&asker(network))
        }) {
            tokio::task::yield_now().await;
        }
        drop(stalled);
        for other in others {
            assert_eq!(other.await.expect("runs"), Some(false), "is never told to come back");
        }
        let mut checked = 0;
        for guess in guesses {
            checked += usize::from(guess.await.expect("runs").is_some());
        }
        assert_eq!(checked, 4, "the guesses keep the places that nobody else wants");
    }

    #[tokio::test]
    async fn whoever_gives_up_leaves_the_place_to_others() {
        let hashing = Arc::new(hashing(1));
        let stalled = hashing.stall();
        let given_up = start(&hashing, 1);
        until_waiting(&hashing, 1).await;
        given_up.abort();
        given_up.await.expect_err("it was given up");
        let waiting = start(&hashing, 1);
        until_waiting(&hashing, 1).await;
        drop(stalled);
        assert_eq!(waiting.await.expect("runs"), Some(false));
        let state = hashing.line.state.lock();
        assert_eq!((state.running, state.turns.len()), (0, 0));
    }
}
