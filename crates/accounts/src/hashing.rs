//! Hashing passwords: slow on purpose, so few at a time and never on an async thread.
//!
//! **Invariant:** at most `hashes_at_once` hashes run, and at most `hashes_waiting_max` wait, also
//! when those who asked have gone away.

use std::{sync::Arc, time::Duration};

use argon2::{Params, PasswordHash, password_hash::SaltString};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use tokio::sync::Semaphore;

use crate::{Password, Unavailable, secret::fill_random, workspace::Workspaces};

/// What to tell those who find the queue full.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// How dear it is to hash a password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HashCost {
    /// argon2id with 19 MiB, 2 passes, 1 lane.
    ///
    /// Source: OWASP Password Storage Cheat Sheet, argon2id.
    #[default]
    Owasp,
    /// Next to nothing: only for tests.
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

/// Why no password was hashed.
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
    /// Stands in for the hash of a user who is not there: no password fits it.
    nobody: Arc<str>,
    /// Those who wait and those who hash.
    places: Arc<Semaphore>,
    places_max: usize,
    running: Arc<Semaphore>,
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
        let at_once = at_once.clamp(1, Semaphore::MAX_PERMITS / 2);
        let places = at_once + waiting_max.min(Semaphore::MAX_PERMITS / 2);
        Self {
            params,
            workspaces: Arc::default(),
            nobody: nobody.into(),
            places: Arc::new(Semaphore::new(places)),
            places_max: places,
            running: Arc::new(Semaphore::new(at_once)),
        }
    }

    /// The hash of `password` with a new salt, as a PHC string.
    pub(crate) async fn hash(&self, password: Password) -> Result<String, HashError> {
        let (params, workspaces) = (self.params.clone(), self.workspaces.clone());
        self.run(move || {
            let mut bytes = [0; 16];
            fill_random(&mut bytes)?;
            let hash = SaltString::encode_b64(&bytes)
                .and_then(|salt| workspaces.hash(&params, password.expose(), &salt));
            hash.map_err(|error| Unavailable::new(format!("cannot hash a password: {error}")))
        })
        .await
    }

    /// Whether `password` fits `hash`. Without a hash: no, after the same time.
    pub(crate) async fn verify(
        &self,
        password: Password,
        hash: Option<String>,
    ) -> Result<bool, HashError> {
        let (nobody, workspaces) = (self.nobody.clone(), self.workspaces.clone());
        self.run(move || {
            let stored = hash.as_deref().unwrap_or(&nobody);
            let fits = PasswordHash::new(stored)
                .and_then(|parsed| workspaces.fits(password.expose(), &parsed));
            let fits = fits
                .map_err(|error| Unavailable::new(format!("a stored hash is damaged: {error}")))?;
            Ok(fits && hash.is_some())
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Unavailable> + Send + 'static,
    ) -> Result<T, HashError> {
        let place = self.places.clone().try_acquire_owned();
        let place = place.map_err(|_| HashError::Busy { retry_after: RETRY_AFTER })?;
        let gone = || HashError::Unavailable(Unavailable::new("the server is shutting down"));
        let turn = self.running.clone().acquire_owned().await.map_err(|_| gone())?;
        // The permits go with the work, which outlives a caller that gives up.
        let (places, places_max) = (self.places.clone(), self.places_max);
        let workspaces = self.workspaces.clone();
        let work = tokio::task::spawn_blocking(move || {
            let done = work();
            drop((turn, place));
            if places.available_permits() == places_max {
                workspaces.clear();
            }
            done
        });
        work.await.map_err(|_| gone())?.map_err(HashError::Unavailable)
    }

    /// Keeps the others out, as if `at_once` passwords were being hashed.
    #[cfg(test)]
    pub(crate) fn stall(&self) -> tokio::sync::OwnedSemaphorePermit {
        let running = self.running.clone();
        let all = u32::try_from(running.available_permits()).expect("few");
        running.try_acquire_many_owned(all).expect("none is taken")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashing(waiting_max: usize) -> Hashing {
        Hashing::new(HashCost::ForTests, 1, waiting_max)
    }

    async fn verify(hashing: &Hashing, password: &str, hash: Option<String>) -> bool {
        hashing.verify(Password::new(password), hash).await.unwrap_or_else(|_| panic!("hashes"))
    }

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let hashing = hashing(1);
        let hash = hashing.hash(Password::new("correct horse")).await.ok();
        assert!(verify(&hashing, "correct horse", hash.clone()).await);
        assert!(!verify(&hashing, "battery staple", hash).await);
        assert!(!verify(&hashing, "correct horse", None).await);
    }

    #[tokio::test]
    async fn the_same_password_gets_another_hash_each_time() {
        let hashing = hashing(1);
        let one = hashing.hash(Password::new("correct horse")).await.ok();
        let other = hashing.hash(Password::new("correct horse")).await.ok();
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

    #[tokio::test]
    async fn a_full_queue_says_when_to_retry() {
        let hashing = Arc::new(hashing(2));
        let stalled = hashing.stall();
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                let hashing = hashing.clone();
                tokio::spawn(async move { verify(&hashing, "correct horse", None).await })
            })
            .collect();
        while hashing.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let refused = hashing.verify(Password::new("correct horse"), None).await;
        assert!(matches!(refused, Err(HashError::Busy { retry_after }) if !retry_after.is_zero()));
        drop(stalled);
        for task in waiting {
            assert!(!task.await.expect("runs"));
        }
        assert!(!verify(&hashing, "correct horse", None).await, "there is room again");
    }
}
