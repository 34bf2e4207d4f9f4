//! The sessions in memory: a bounded cache of the file, and the signal when a session ends.
//!
//! **Invariant:** a session that is in use is in the map, so its end reaches every holder.
//! **Invariant:** data that was read from the file before a change never enters the map after it.

pub(crate) mod authenticate;

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    future::Future,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use parking_lot::RwLock;
use tokio::sync::watch;

use crate::{Millis, passwords::secret::TokenHash};

/// How much later than recorded a device has to be seen before the record is renewed.
const SEEN_GRAIN_MILLIS: u64 = 5 * 60 * 1_000;

/// How many entries are tried to find one that can leave a full cache.
const EVICTION_TRIES: usize = 16;

/// The reason why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// The device was logged out or removed.
    LoggedOut,
    /// The device logged in again, and has another token.
    Replaced,
    /// The token expired.
    Expired,
    /// The password was changed.
    PasswordChanged,
    /// The user was deactivated.
    Deactivated,
}

/// One session in memory.
pub(crate) struct Live {
    pub(crate) user_id: Box<str>,
    pub(crate) localpart: Box<str>,
    pub(crate) device_id: Box<str>,
    admin: AtomicBool,
    expires: Option<Millis>,
    seen: AtomicU64,
    /// The device was seen later than the file records.
    unsaved: AtomicBool,
    /// The session was used since the cache last looked for room.
    recent: AtomicBool,
    ended: watch::Sender<Option<Revocation>>,
    /// Whether `ended` holds a reason, for frequent checks.
    over: AtomicBool,
}

impl Live {
    pub(crate) fn new(
        user_id: String,
        localpart: String,
        device_id: String,
        admin: bool,
        expires: Option<Millis>,
        seen: Millis,
    ) -> Self {
        Self {
            user_id: user_id.into(),
            localpart: localpart.into(),
            device_id: device_id.into(),
            admin: admin.into(),
            expires,
            seen: seen.0.into(),
            unsaved: false.into(),
            recent: true.into(),
            ended: watch::Sender::new(None),
            over: false.into(),
        }
    }

    fn end(&self, why: Revocation) {
        self.over.store(true, Ordering::Release);
        self.ended.send_if_modified(|ended| {
            let first = ended.is_none();
            ended.get_or_insert(why);
            first
        });
    }

    /// User ID and device ID.
    fn device(&self) -> (String, String) {
        (self.user_id.to_string(), self.device_id.to_string())
    }

    /// Ends the session if its token has expired at `now`. Returns whether the session is over, for
    /// any reason.
    fn expire(&self, now: Millis) -> bool {
        if self.expires.is_some_and(|expires| now >= expires) {
            self.end(Revocation::Expired);
        }
        self.over.load(Ordering::Acquire)
    }

    /// When the device was last seen, if that is later than the file records. A second call returns
    /// `None`.
    pub(crate) fn take_unsaved(&self) -> Option<Millis> {
        let unsaved = self.unsaved.swap(false, Ordering::AcqRel);
        unsaved.then(|| Millis(self.seen.load(Ordering::Acquire)))
    }

    pub(crate) fn seen(&self) -> Millis {
        Millis(self.seen.load(Ordering::Acquire))
    }
}

/// The user and device of a request, for as long as the session lasts.
#[derive(Clone)]
pub struct Identity(Arc<Live>);

impl Identity {
    /// The session's identity at `now`; `None` if the session is over, or expires by this call.
    pub(crate) fn at(live: Arc<Live>, now: Millis) -> Option<Self> {
        if live.expire(now) {
            return None;
        }
        live.recent.store(true, Ordering::Relaxed);
        if now.0 >= live.seen.load(Ordering::Relaxed).saturating_add(SEEN_GRAIN_MILLIS) {
            live.seen.store(now.0, Ordering::Release);
            live.unsaved.store(true, Ordering::Release);
        }
        Some(Self(live))
    }

    /// The whole user ID, `@localpart:server`.
    #[must_use]
    pub fn user_id(&self) -> &str {
        &self.0.user_id
    }

    /// The device that was logged in.
    #[must_use]
    pub fn device_id(&self) -> &str {
        &self.0.device_id
    }

    /// Whether the user is an administrator now. It may change while the session lasts.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.0.admin.load(Ordering::Acquire)
    }

    /// When the token expires.
    #[must_use]
    pub fn expires(&self) -> Option<Millis> {
        self.0.expires
    }

    /// The reason why the session ended, if it has.
    #[must_use]
    pub fn revocation(&self) -> Option<Revocation> {
        *self.0.ended.borrow()
    }

    /// Whether the session is over at `now`. The check is cheap enough for each message.
    ///
    /// It also ends the session if its token has expired.
    #[must_use]
    pub fn is_over(&self, now: Millis) -> bool {
        self.0.expire(now)
    }

    /// Resolves when the session ends, with the reason; at once if it has ended.
    ///
    /// It resolves before the call that ended the session answers. Expiry is noticed by
    /// [`Accounts::end_expired`](crate::Accounts::end_expired) and by any
    /// [`Accounts::authenticate`](crate::Accounts::authenticate).
    pub fn revoked(&self) -> impl Future<Output = Revocation> + Send + 'static {
        let live = self.0.clone();
        async move {
            let mut ended = live.ended.subscribe();
            match ended.wait_for(Option::is_some).await.map(|why| *why) {
                Ok(Some(why)) => why,
                // `live` holds the sender, so the channel cannot close before a reason is given.
                _ => std::future::pending().await,
            }
        }
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity")
            .field("user_id", &self.user_id())
            .field("device_id", &self.device_id())
            .field("admin", &self.is_admin())
            .finish_non_exhaustive()
    }
}

/// The effects of a committed change on sessions.
#[derive(Default)]
pub(crate) struct Effects {
    pub(crate) ended: Vec<(TokenHash, Revocation)>,
    /// User ID and device ID of the sessions that ended, whether or not they are in memory.
    pub(crate) devices: Vec<(String, String)>,
    pub(crate) admins: Vec<(TokenHash, bool)>,
}

/// Receives the end of each session.
pub trait SessionListener: Send + Sync {
    /// Called when a session ended, for any reason. The call comes before the call that ended the
    /// session answers, and may come twice.
    fn ended(&self, user_id: &str, device_id: &str);
}

/// All sessions in memory.
pub(crate) struct Sessions {
    cached_max: usize,
    state: RwLock<State>,
    listener: OnceLock<Arc<dyn SessionListener>>,
}

#[derive(Default)]
struct State {
    by_token: HashMap<TokenHash, Arc<Live>>,
    /// The same tokens and some removed ones, in the order of eviction.
    order: VecDeque<TokenHash>,
    /// How many changes were applied.
    generation: u64,
}

impl Sessions {
    pub(crate) fn new(cached_max: usize) -> Self {
        let (state, listener) = (RwLock::default(), OnceLock::new());
        Self { cached_max: cached_max.max(1), state, listener }
    }

    /// Calls `listener` for each session that ends from now on. The first call sets it; later calls
    /// change nothing.
    pub(crate) fn listen(&self, listener: Arc<dyn SessionListener>) {
        self.listener.set(listener).ok();
    }

    /// Calls the listener for ended sessions, without the lock of the map: the listener may call
    /// back.
    fn tell(&self, devices: &[(String, String)]) {
        let Some(listener) = self.listener.get() else { return };
        for (user, device) in devices {
            listener.ended(user, device);
        }
    }

    /// The session of a token, or else the generation in which it was missing.
    pub(crate) fn get(&self, hash: TokenHash) -> Result<Arc<Live>, u64> {
        let state = self.state.read();
        state.by_token.get(&hash).cloned().ok_or(state.generation)
    }

    /// Adds a session that was read from the file at `generation`. `None` if a change has come
    /// since, so it has to be read again.
    pub(crate) fn insert(&self, hash: TokenHash, live: Live, generation: u64) -> Option<Arc<Live>> {
        let mut state = self.state.write();
        if state.generation != generation {
            return None;
        }
        if let Entry::Vacant(place) = state.by_token.entry(hash) {
            place.insert(Arc::new(live));
            state.order.push_back(hash);
        }
        let live = state.by_token.get(&hash).cloned();
        state.make_room(self.cached_max);
        live
    }

    /// Ends and changes sessions, after the change was committed.
    pub(crate) fn apply(&self, effects: Effects) {
        let mut devices = effects.devices;
        let mut state = self.state.write();
        state.generation += 1;
        for (hash, why) in effects.ended {
            if let Some(live) = state.by_token.remove(&hash) {
                live.end(why);
                devices.push(live.device());
            }
        }
        for (hash, admin) in effects.admins {
            if let Some(live) = state.by_token.get(&hash) {
                live.admin.store(admin, Ordering::Release);
            }
        }
        drop(state);
        devices.sort_unstable();
        devices.dedup();
        self.tell(&devices);
    }

    /// Ends the sessions that `stored` no longer has. Data that was read from the file before never
    /// enters the map after this.
    pub(crate) fn reconcile<E>(
        &self,
        stored: impl Fn(TokenHash) -> Result<Option<Live>, E>,
    ) -> Result<(), E> {
        let hashes: Vec<_> = {
            let mut state = self.state.write();
            state.generation += 1;
            state.by_token.keys().copied().collect()
        };
        let mut effects = Effects::default();
        for hash in hashes {
            match stored(hash)? {
                Some(live) => effects.admins.push((hash, live.admin.into_inner())),
                None => effects.ended.push((hash, Revocation::LoggedOut)),
            }
        }
        self.apply(effects);
        Ok(())
    }

    /// Ends the sessions in memory whose token has expired at `now`.
    pub(crate) fn expire(&self, now: Millis) {
        let mut devices = Vec::new();
        for live in self.state.read().by_token.values() {
            if live.expire(now) {
                devices.push(live.device());
            }
        }
        self.tell(&devices);
    }

    /// The sessions in memory now.
    pub(crate) fn all(&self) -> Vec<Arc<Live>> {
        self.state.read().by_token.values().cloned().collect()
    }
}

impl State {
    /// Evicts unused sessions, least recently used first.
    ///
    /// A session in use stays, so the map may exceed `max` by the number of sessions in use.
    fn make_room(&mut self, max: usize) {
        if self.order.len() > 2 * self.by_token.len().max(max) {
            self.order.retain(|hash| self.by_token.contains_key(hash));
        }
        for _ in 0..EVICTION_TRIES {
            if self.by_token.len() <= max {
                return;
            }
            let Some(hash) = self.order.pop_front() else { return };
            let Some(live) = self.by_token.get(&hash) else { continue };
            // Nobody can take a session while the map is locked for writing, so 1 means the map.
            if Arc::strong_count(live) == 1 && !live.recent.swap(false, Ordering::Relaxed) {
                self.by_token.remove(&hash);
            } else {
                self.order.push_back(hash);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live() -> Live {
        Live::new("@a:b".into(), "a".into(), "D".into(), false, None, Millis(0))
    }

    fn hash(n: u32) -> TokenHash {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&n.to_le_bytes());
        TokenHash(bytes)
    }

    #[test]
    fn what_was_read_before_a_change_is_read_again() {
        let sessions = Sessions::new(10);
        let Err(generation) = sessions.get(hash(1)) else { panic!("empty") };
        sessions
            .apply(Effects { ended: vec![(hash(1), Revocation::LoggedOut)], ..Effects::default() });
        assert!(sessions.insert(hash(1), live(), generation).is_none());
        assert!(sessions.get(hash(1)).is_err());
    }

    #[test]
    fn the_cache_is_bounded() {
        let sessions = Sessions::new(10);
        for n in 0..1_000 {
            sessions.insert(hash(n), live(), 0);
        }
        let state = sessions.state.read();
        assert!(state.by_token.len() <= 11, "{} sessions", state.by_token.len());
        assert!(state.order.len() <= 22, "{} places", state.order.len());
    }

    #[test]
    fn a_session_in_use_is_never_dropped_and_hears_its_end() {
        let sessions = Sessions::new(10);
        let held: Vec<_> = (0..20)
            .filter_map(|n| Identity::at(sessions.insert(hash(n), live(), 0)?, Millis(0)))
            .collect();
        for n in 20..1_000 {
            sessions.insert(hash(n), live(), 0);
        }
        let ended = (0..20).map(|n| (hash(n), Revocation::LoggedOut)).collect();
        sessions.apply(Effects { ended, ..Effects::default() });
        assert_eq!(held.len(), 20);
        assert!(held.iter().all(|one| one.revocation() == Some(Revocation::LoggedOut)));
    }

    #[test]
    fn the_order_does_not_grow_when_sessions_come_and_go() {
        let sessions = Sessions::new(10);
        for n in 0..1_000 {
            sessions.insert(hash(n), live(), u64::from(n));
            let ended = vec![(hash(n), Revocation::LoggedOut)];
            sessions.apply(Effects { ended, ..Effects::default() });
        }
        assert!(sessions.state.read().order.len() <= 21);
    }
}
